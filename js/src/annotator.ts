/**
 * Wires the page's logic and its views to one widget of anywidget's.
 *
 * The kernel holds the truth and gives the first state as traits (`_setup`,
 * `_snapshot`); everything after that is messages. The logic is made once for
 * a widget and shared by all its views.
 */
import { reuseLoaded } from "./shared/anywidget";
import { AnnotatorController } from "./annotator/model/controller";
import { environmentFor, JupyterConnection, type WidgetModel } from "./shared/jupyter";
import { mount } from "./annotator/view/annotatorView";

const widget = () => {
  let controller: AnnotatorController | null = null;

  const start = (model: WidgetModel): (() => void) => {
    const port = new JupyterConnection(model);
    const made = new AnnotatorController(environmentFor(port));
    controller = made;
    return () => {
      made.dispose();
      port.dispose();
    };
  };

  return {
    initialize: ({ model }: { model: WidgetModel }) => start(model),
    render: ({ model, el }: { model: WidgetModel; el: HTMLElement }) => {
      // A host without `initialize` gives the model only now; then it ends with the view.
      const end = controller === null ? start(model) : null;
      const unmount = mount(el, controller as unknown as AnnotatorController);
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

export default reuseLoaded("annotator", widget);
