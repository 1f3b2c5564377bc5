/**
 * Stands in for a widget's bundle in a page that has loaded it: the kernel then sends neither
 * script nor style again, and the browser need not read them again. A page that has not, such
 * as a second one on the same kernel, asks for them.
 */
import type { Lifecycle } from "./shared/anywidget";
import type { WidgetModel } from "./shared/jupyter";
import { hasStyle, loadedWidgets, nameOfBuild } from "./shared/loadedWidgets";

/** Set by the bundler: the widget's name. */
declare const WIDGET: string;

type Widget = () => Lifecycle<WidgetModel>;

/** How long a kernel may take before the page says what it waits for. */
const PATIENCE = 3000;

/** Say in the widget's place what it waits for; return what takes the words away again. */
function sayWaiting(place: HTMLElement): () => void {
  const words = document.createElement("p");
  const timer = setTimeout(() => {
    words.textContent = "This widget waits for its kernel. If there is none, run the cell again.";
    place.append(words);
  }, PATIENCE);
  return () => {
    clearTimeout(timer);
    words.remove();
  };
}

/** Ask the kernel for script and style, and load them. */
async function fetchWidget(model: WidgetModel): Promise<Widget> {
  const { script, style } = await new Promise<Record<string, unknown>>((resolve) => {
    const id = `load ${Math.random()}`;
    const listen = (message: unknown): void => {
      const reply = message as Record<string, unknown> | null;
      if (reply?.re !== id) return;
      model.off("msg:custom", listen);
      resolve(reply);
    };
    model.on("msg:custom", listen);
    model.send({ type: "bundle", id });
  });
  if (!hasStyle(WIDGET)) {
    const element = document.createElement("style");
    element.textContent = String(style);
    document.head.append(element);
  }
  const address = URL.createObjectURL(new Blob([String(script)], { type: "text/javascript" }));
  const { default: widget } = (await import(address)) as { default: Widget };
  URL.revokeObjectURL(address);
  return widget;
}

export default function (): unknown {
  const loaded = loadedWidgets<Widget>()[Symbol.for(nameOfBuild(WIDGET))];
  if (loaded !== undefined && hasStyle(WIDGET)) return loaded();
  let found: Promise<Lifecycle<WidgetModel>> | null = null;
  const find = (model: WidgetModel): Promise<Lifecycle<WidgetModel>> =>
    (found ??= fetchWidget(model).then((widget) => widget()));
  return {
    initialize: async (given: { model: WidgetModel }) => (await find(given.model)).initialize(given),
    render: async (given: { model: WidgetModel; el: HTMLElement }) => {
      const isThere = sayWaiting(given.el);
      const widget = await find(given.model);
      isThere();
      return widget.render(given);
    },
  };
}
