/**
 * The trace viewer's bundle.
 *
 * The kernel passes the whole trace once (`_run`). The trait `step` is
 * synchronized both ways, so that Python can read and set the position. Whether
 * the trace is playing is known to the page alone.
 */
import { defineWidget } from "./shared/anywidget";
import { clock, type WidgetModel } from "./shared/jupyter";
import { TracePlayer } from "./traceViewer/player";
import type { ParserTrace } from "./traceViewer/trace";
import { mount } from "./traceViewer/traceView";

interface SyncedModel extends WidgetModel {
  set(name: string, value: unknown): void;
  save_changes(): void;
}

export default defineWidget(
  (model: SyncedModel) => {
    const trace = model.get("_run") as ParserTrace;
    const player = new TracePlayer(trace.steps.length, clock, (position) => {
      model.set("step", position);
      model.save_changes();
    });
    const syncPosition = (): void => player.syncPosition(Number(model.get("step")));
    syncPosition();
    model.on("change:step", syncPosition);
    return {
      logic: { trace, player },
      dispose: () => {
        model.off("change:step", syncPosition);
        player.dispose();
      },
    };
  },
  (place, { trace, player }) => mount(place, trace, player),
);
