/**
 * Wires an error explorer to one widget of anywidget's: the annotation surface
 * with its own logic, and what stands above it.
 */
import { reuseLoaded } from "./shared/anywidget";
import { AnnotatorController } from "./annotator/model/controller";
import { ErrorExplorer } from "./errorExplorer/explorer";
import { mount } from "./errorExplorer/explorerView";
import { environmentFor, JupyterConnection, type WidgetModel } from "./shared/jupyter";

const widget = () => {
  let explorer: ErrorExplorer | null = null;

  const start = (model: WidgetModel): (() => void) => {
    const port = new JupyterConnection(model);
    const host = environmentFor(port);
    const controller = new AnnotatorController(host);
    const made = new ErrorExplorer(host, controller);
    explorer = made;
    return () => {
      made.dispose();
      controller.dispose();
      port.dispose();
    };
  };

  return {
    initialize: ({ model }: { model: WidgetModel }) => start(model),
    render: ({ model, el }: { model: WidgetModel; el: HTMLElement }) => {
      // A host without `initialize` gives the model only now; then it ends with the view.
      const end = explorer === null ? start(model) : null;
      const unmount = mount(el, explorer as unknown as ErrorExplorer);
      return () => {
        unmount();
        if (end !== null) {
          end();
          explorer = null;
        }
      };
    },
  };
};

export default reuseLoaded("errors", widget);
