/** The position in a trace, and whether it is playing; one for a widget, shared by all its views. */
import type { Clock, Unsubscribe } from "../shared/environment";

/** Milliseconds for a word, the slowest first. */
const STEP_DURATIONS = [3200, 2200, 1500, 1000, 600, 350] as const;

export class TracePlayer {
  private current = 0;
  private pace = 2;
  private stop: Unsubscribe | null = null;
  private readonly listeners = new Set<() => void>();

  /**
   * @param last The position after the last word.
   * @param onPositionChosen Called with every new position that was chosen here.
   */
  constructor(
    readonly last: number,
    private readonly clock: Clock,
    private readonly onPositionChosen: (position: number) => void,
  ) {}

  get position(): number {
    return this.current;
  }

  get isPlaying(): boolean {
    return this.stop !== null;
  }

  /** Go to a position, or to the nearest end beyond which it lies. */
  setPosition(position: number): void {
    if (this.update(position)) this.onPositionChosen(this.current);
  }

  step(by: number): void {
    this.jump(this.current + by);
  }

  jump(position: number): void {
    this.pause();
    this.setPosition(position);
  }

  /** Take over a position that was chosen elsewhere. */
  syncPosition(position: number): void {
    this.update(position);
  }

  toggle(): void {
    if (this.isPlaying) return this.pause();
    if (this.current === this.last) this.setPosition(0);
    this.scheduleStep();
    this.notify();
  }

  pause(): void {
    if (this.stop === null) return;
    this.stop();
    this.stop = null;
    this.notify();
  }

  changePace(by: number): void {
    this.pace = Math.min(STEP_DURATIONS.length - 1, Math.max(0, this.pace + by));
    if (this.isPlaying) this.scheduleStep();
    this.notify();
  }

  get wordsPerMinute(): number {
    return Math.round(60_000 / this.stepDuration);
  }

  /** Call back after every change; return what ends that. */
  subscribe(listener: () => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.stop?.();
    this.stop = null;
    this.listeners.clear();
  }

  private get stepDuration(): number {
    return STEP_DURATIONS[this.pace] ?? 1000;
  }

  private scheduleStep(): void {
    this.stop?.();
    this.stop = this.clock.setTimer(this.stepDuration, () => {
      this.setPosition(this.current + 1);
      if (this.current === this.last) this.pause();
      else if (this.isPlaying) this.scheduleStep();
    });
  }

  private update(position: number): boolean {
    const next = Math.min(this.last, Math.max(0, Math.trunc(position) || 0));
    if (next === this.current) return false;
    this.current = next;
    this.notify();
    return true;
  }

  private notify(): void {
    this.listeners.forEach((listener) => listener());
  }
}
