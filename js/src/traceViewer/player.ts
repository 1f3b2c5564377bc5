/** Where one is in a run, and whether it plays; shared by all views of a widget. */
import type { Clock, Off } from "../shared/environment";

/** Milliseconds a word, the slowest first. */
const PACES = [3200, 2200, 1500, 1000, 600, 350] as const;

export class Player {
  private at = 0;
  private pace = 2;
  private stop: Off | null = null;
  private readonly listeners = new Set<() => void>();

  /**
   * @param last The place after the last word.
   * @param tell Hears of every new place that was chosen here.
   */
  constructor(
    readonly last: number,
    private readonly clock: Clock,
    private readonly tell: (place: number) => void,
  ) {}

  get place(): number {
    return this.at;
  }

  get isPlaying(): boolean {
    return this.stop !== null;
  }

  /** Goes to a place; beyond the ends it goes to the end. */
  go(place: number): void {
    if (this.put(place)) this.tell(this.at);
  }

  by(steps: number): void {
    this.pause();
    this.go(this.at + steps);
  }

  jump(place: number): void {
    this.pause();
    this.go(place);
  }

  /** Takes over a place that was chosen elsewhere. */
  follow(place: number): void {
    this.put(place);
  }

  toggle(): void {
    if (this.isPlaying) return this.pause();
    if (this.at === this.last) this.go(0);
    this.wait();
    this.changed();
  }

  pause(): void {
    if (this.stop === null) return;
    this.stop();
    this.stop = null;
    this.changed();
  }

  faster(by: number): void {
    this.pace = Math.min(PACES.length - 1, Math.max(0, this.pace + by));
    if (this.isPlaying) this.wait();
    this.changed();
  }

  get wordsAMinute(): number {
    return Math.round(60_000 / (PACES[this.pace] ?? 1000));
  }

  subscribe(listener: () => void): Off {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.stop?.();
    this.stop = null;
    this.listeners.clear();
  }

  private wait(): void {
    this.stop?.();
    this.stop = this.clock.after(PACES[this.pace] ?? 1000, () => {
      this.go(this.at + 1);
      if (this.at === this.last) this.pause();
      else if (this.isPlaying) this.wait();
    });
  }

  private put(place: number): boolean {
    const next = Math.min(this.last, Math.max(0, Math.trunc(place) || 0));
    if (next === this.at) return false;
    this.at = next;
    this.changed();
    return true;
  }

  private changed(): void {
    this.listeners.forEach((listener) => listener());
  }
}
