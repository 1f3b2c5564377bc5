/**
 * The annotator's bundle: one controller for a widget, and any number of views.
 *
 * The kernel owns the truth. It passes the initial state as traits (`_setup`,
 * `_snapshot`); everything after that is messages.
 */
import { AnnotatorController } from "./annotator/model/controller";
import { mount } from "./annotator/view/annotatorView";
import { defineWidget } from "./shared/anywidget";
import { environmentFor, JupyterConnection, type WidgetModel } from "./shared/jupyter";
import { reuseLoaded } from "./shared/loadedWidgets";

const widget = defineWidget((model: WidgetModel) => {
  const connection = new JupyterConnection(model);
  const controller = new AnnotatorController(environmentFor(connection, "annotator"));
  return {
    logic: controller,
    dispose: () => {
      controller.dispose();
      connection.dispose();
    },
  };
}, mount);

export default reuseLoaded("annotator", widget);
