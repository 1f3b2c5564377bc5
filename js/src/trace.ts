/**
 * Wires the state viewer to one widget of anywidget's.
 *
 * The kernel gives the whole run once (`_run`); `step` is shared with it, so
 * that Python sees where one is and can go elsewhere. Whether it plays lives in
 * the page alone.
 */
import type { Unsubscribe } from "./shared/environment";
import { clock, type WidgetModel } from "./shared/jupyter";
import { TracePlayer } from "./traceViewer/player";
import type { ParserTrace } from "./traceViewer/trace";
import { mount } from "./traceViewer/traceView";

interface Shared extends WidgetModel {
  set(name: string, value: unknown): void;
  save_changes(): void;
}

export default () => {
  let player: TracePlayer | null = null;

  const start = (model: Shared): Unsubscribe => {
    const made = new TracePlayer((model.get("_run") as ParserTrace).steps.length, clock, (place) => {
      model.set("step", place);
      model.save_changes();
    });
    const follow = (): void => made.syncPosition(Number(model.get("step")));
    follow();
    model.on("change:step", follow);
    player = made;
    return () => {
      model.off("change:step", follow);
      made.dispose();
    };
  };

  return {
    initialize: ({ model }: { model: Shared }) => start(model),
    render: ({ model, el }: { model: Shared; el: HTMLElement }) => {
      // A host without `initialize` gives the model only now; then it ends with the view.
      const end = player === null ? start(model) : null;
      const unmount = mount(el, model.get("_run") as ParserTrace, player as unknown as TracePlayer);
      return () => {
        unmount();
        if (end !== null) {
          end();
          player = null;
        }
      };
    },
  };
};
