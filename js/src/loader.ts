/**
 * Stands in for a widget's bundle in a page that has loaded it: the kernel then sends neither
 * script nor style again, and the browser need not read them again. A page that has not, such
 * as a second one on the same kernel, asks for them, and takes them from another output where
 * one brings them first, as in a saved notebook without a kernel.
 */
import type { Lifecycle } from "./shared/anywidget";
import type { WidgetModel } from "./shared/jupyter";
import { findLoaded, hasStyle, nameOfBuild } from "./shared/loadedWidgets";

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

/** Ask the kernel for script and style, and load them, unless another output of the page does before. */
async function findWidget(model: WidgetModel): Promise<Widget> {
  const found = await new Promise<Widget | Record<string, unknown>>((resolve) => {
    const id = `load ${Math.random()}`;
    const settle = (value: Widget | Record<string, unknown>): void => {
      model.off("msg:custom", listen);
      document.removeEventListener(nameOfBuild(WIDGET), look);
      resolve(value);
    };
    const listen = (message: unknown): void => {
      const reply = message as Record<string, unknown> | null;
      if (reply?.re === id) settle(reply);
    };
    const look = (): void => {
      const loaded = findLoaded<Widget>(WIDGET);
      if (loaded !== undefined) settle(loaded);
    };
    model.on("msg:custom", listen);
    document.addEventListener(nameOfBuild(WIDGET), look);
    model.send({ type: "bundle", id });
  });
  return typeof found === "function" ? found : importWidget(String(found.script), String(found.style));
}

async function importWidget(script: string, style: string): Promise<Widget> {
  if (!hasStyle(WIDGET)) {
    const element = document.createElement("style");
    element.textContent = style;
    document.head.append(element);
  }
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const { default: widget } = (await import(address)) as { default: Widget };
  URL.revokeObjectURL(address);
  return widget;
}

export default function (): unknown {
  const loaded = findLoaded<Widget>(WIDGET);
  if (loaded !== undefined) return loaded();
  let found: Promise<Lifecycle<WidgetModel>> | null = null;
  const find = (model: WidgetModel): Promise<Lifecycle<WidgetModel>> =>
    (found ??= findWidget(model).then((widget) => widget()));
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
