/** The life cycle that anywidget asks of a bundle's default export. */
import type { Unsubscribe } from "./environment";
import { offerKeys } from "./keyFocus";
import type { WidgetModel } from "./jupyter";

/** What a widget makes once for all its views. */
export interface Started<Logic> {
  readonly logic: Logic;
  dispose(): void;
}

export interface Lifecycle<Model> {
  initialize(given: { model: Model }): Unsubscribe;
  render(given: { model: Model; el: HTMLElement }): Unsubscribe;
}

/**
 * Build anywidget's default export: logic made once for a widget, and any number of views on it.
 *
 * @param start Makes the logic, which lives as long as the widget's model.
 * @param mount Puts one view of it into an output cell and returns what removes the view.
 */
export function defineWidget<Model extends WidgetModel, Logic>(
  start: (model: Model) => Started<Logic>,
  mount: (place: HTMLElement, logic: Logic) => Unsubscribe,
): () => Lifecycle<Model> {
  return () => {
    let started: Started<Logic> | null = null;
    const begin = (model: Model): Unsubscribe => {
      const made = start(model);
      started = made;
      return () => made.dispose();
    };
    return {
      initialize: ({ model }) => begin(model),
      render: ({ model, el }) => {
        // A host without `initialize` passes the model only here; the logic then ends with the view.
        const end = started === null ? begin(model) : null;
        const unmount = mount(el, (started as unknown as Started<Logic>).logic);
        const root = el.lastElementChild;
        const endOffer = root instanceof HTMLElement ? offerKeys(root, String(model.get("_widget_id") ?? "")) : null;
        return () => {
          endOffer?.();
          unmount();
          if (end === null) return;
          end();
          started = null;
        };
      },
    };
  };
}
