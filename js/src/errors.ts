/** The error explorer's bundle: an explorer, with an annotator below it to fix examples in. */
import { AnnotatorController } from "./annotator/model/controller";
import { ErrorExplorer } from "./errorExplorer/explorer";
import { mount } from "./errorExplorer/explorerView";
import { defineWidget } from "./shared/anywidget";
import { environmentFor, JupyterConnection, type WidgetModel } from "./shared/jupyter";
import { reuseLoaded } from "./shared/loadedWidgets";

const widget = defineWidget((model: WidgetModel) => {
  const connection = new JupyterConnection(model);
  const environment = environmentFor(connection, "errors");
  const controller = new AnnotatorController(environment);
  const explorer = new ErrorExplorer(environment, controller);
  return {
    logic: explorer,
    dispose: () => {
      explorer.dispose();
      controller.dispose();
      connection.dispose();
    },
  };
}, mount);

export default reuseLoaded("errors", widget);
