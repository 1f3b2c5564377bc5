/** Where one is in a run, and whether it plays; shared by all views of a widget. */
import type { Clock, Unsubscribe } from "../shared/environment";

/** Milliseconds a word, the slowest first. */
const STEP_DURATIONS = [3200, 2200, 1500, 1000, 600, 350] as const;

export class TracePlayer {
  private current = 0;
  private pace = 2;
  private stop: Unsubscribe | null = null;
  private readonly listeners = new Set<() => void>();

  /**
   * @param last The place after the last word.
   * @param onPositionChosen Hears of every new place that was chosen here.
   */
  constructor(
    readonly last: number,
    private readonly clock: Clock,
    private readonly onPositionChosen: (position: number) => void,
  ) {}

  get place(): number {
    return this.current;
  }

  get isPlaying(): boolean {
    return this.stop !== null;
  }

  /** Goes to a place; beyond the ends it goes to the end. */
  setPosition(place: number): void {
    if (this.put(place)) this.onPositionChosen(this.current);
  }

  step(steps: number): void {
    this.pause();
    this.setPosition(this.current + steps);
  }

  jump(place: number): void {
    this.pause();
    this.setPosition(place);
  }

  /** Takes over a place that was chosen elsewhere. */
  syncPosition(place: number): void {
    this.put(place);
  }

  toggle(): void {
    if (this.isPlaying) return this.pause();
    if (this.current === this.last) this.setPosition(0);
    this.wait();
    this.changed();
  }

  pause(): void {
    if (this.stop === null) return;
    this.stop();
    this.stop = null;
    this.changed();
  }

  changePace(by: number): void {
    this.pace = Math.min(STEP_DURATIONS.length - 1, Math.max(0, this.pace + by));
    if (this.isPlaying) this.wait();
    this.changed();
  }

  get wordsPerMinute(): number {
    return Math.round(60_000 / (STEP_DURATIONS[this.pace] ?? 1000));
  }

  subscribe(listener: () => void): Unsubscribe {
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
    this.stop = this.clock.setTimer(STEP_DURATIONS[this.pace] ?? 1000, () => {
      this.setPosition(this.current + 1);
      if (this.current === this.last) this.pause();
      else if (this.isPlaying) this.wait();
    });
  }

  private put(place: number): boolean {
    const next = Math.min(this.last, Math.max(0, Math.trunc(place) || 0));
    if (next === this.current) return false;
    this.current = next;
    this.changed();
    return true;
  }

  private changed(): void {
    this.listeners.forEach((listener) => listener());
  }
}
