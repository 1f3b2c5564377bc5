/**
 * Reactive state: an accessor marked `@tracked` is backed by a signal, so every
 * effect that has read it runs again after it is set.
 */
import { effect, signal, type Signal } from "@preact/signals-core";

export { batch, computed, untracked } from "@preact/signals-core";

/**
 * Back an accessor by a signal. Values are compared by identity: arrays and
 * objects have to be replaced, never mutated.
 */
export function tracked<Owner, Value>(
  target: ClassAccessorDecoratorTarget<Owner, Value>,
): ClassAccessorDecoratorResult<Owner, Value> {
  const signalOf = (owner: Owner): Signal<Value> => target.get.call(owner) as Signal<Value>;
  return {
    init: (value) => signal(value) as Value,
    get() {
      return signalOf(this).value;
    },
    set(value) {
      signalOf(this).value = value;
    },
  };
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
