/**
 * Wires the page's logic and its views to one widget of anywidget's.
 *
 * The kernel holds the truth and gives the first state as traits (`_setup`,
 * `_snapshot`); everything after that is messages. The logic is made once for
 * a widget and shared by all its views.
 */
import { firstOf } from "./shared/anywidget";
import { Controller } from "./annotator/model/controller";
import { hostOf, JupyterPort, type Model } from "./shared/jupyter";
import { mount } from "./annotator/view/annotatorView";

const widget = () => {
  let controller: Controller | null = null;

  const start = (model: Model): (() => void) => {
    const port = new JupyterPort(model);
    const made = new Controller(hostOf(port));
    controller = made;
    return () => {
      made.dispose();
      port.dispose();
    };
  };

  return {
    initialize: ({ model }: { model: Model }) => start(model),
    render: ({ model, el }: { model: Model; el: HTMLElement }) => {
      // A host without `initialize` gives the model only now; then it ends with the view.
      const end = controller === null ? start(model) : null;
      const unmount = mount(el, controller as unknown as Controller);
      return () => {
        unmount();
        if (end !== null) {
          end();
          controller = null;
        }
      };
    },
  };
};

export default firstOf("annotator", widget);
