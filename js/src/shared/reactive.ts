/**
 * Reactive state: each property of a `reactive` object is backed by a signal,
 * so every effect that has read it runs again after it is set.
 */
import { effect, signal } from "@preact/signals-core";

export { batch, computed, untracked } from "@preact/signals-core";

/**
 * Create an object whose properties are backed by signals. Values are compared
 * by identity: arrays and objects in it have to be replaced, never mutated.
 */
export function reactive<State extends object>(initial: State): { -readonly [Key in keyof State]: State[Key] } {
  const state = {} as { -readonly [Key in keyof State]: State[Key] };
  for (const [name, value] of Object.entries(initial) as [keyof State, State[keyof State]][]) {
    const source = signal(value);
    Object.defineProperty(state, name, {
      enumerable: true,
      get: () => source.value,
      set: (next: State[keyof State]) => {
        source.value = next;
      },
    });
  }
  return state;
}

/** Effects that are disposed together, with the view or the model that runs them. */
export class EffectScope {
  private readonly disposers: (() => void)[] = [];

  /**
   * Run a function now and again after every change of what it has read.
   *
   * @param run May return a cleanup, called before the next run and on disposal.
   */
  run(run: () => void | (() => void)): void {
    this.disposers.push(effect(run));
  }

  dispose(): void {
    this.disposers.splice(0).forEach((dispose) => dispose());
  }
}
