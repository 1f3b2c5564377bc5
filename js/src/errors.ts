/**
 * Wires an error explorer to one widget of anywidget's: the annotation surface
 * with its own logic, and what stands above it.
 */
import { firstOf } from "./shared/anywidget";
import { Controller } from "./annotator/model/controller";
import { Explorer } from "./errorExplorer/explorer";
import { mount } from "./errorExplorer/explorerView";
import { hostOf, JupyterPort, type Model } from "./shared/jupyter";

const widget = () => {
  let explorer: Explorer | null = null;

  const start = (model: Model): (() => void) => {
    const port = new JupyterPort(model);
    const host = hostOf(port);
    const controller = new Controller(host);
    const made = new Explorer(host, controller);
    explorer = made;
    return () => {
      made.dispose();
      controller.dispose();
      port.dispose();
    };
  };

  return {
    initialize: ({ model }: { model: Model }) => start(model),
    render: ({ model, el }: { model: Model; el: HTMLElement }) => {
      // A host without `initialize` gives the model only now; then it ends with the view.
      const end = explorer === null ? start(model) : null;
      const unmount = mount(el, explorer as unknown as Explorer);
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

export default firstOf("errors", widget);
