/** Creates and updates elements. Text only ever becomes a text node: data cannot turn into markup. */

export type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | null>>;

/** Prefix class names, so that no style of the host applies to them. */
export const prefixClasses = (names: string): string => names.replace(/(^| )(?=\S)/g, "$1nbner-");

export function createElement<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  name: string,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (name) element.className = prefixClasses(name);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Set the attributes that differ; null removes one. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The colors of labels: of the ground of their spans, and of the line below where that differs. */
export interface LabelColors {
  readonly colors: Readonly<Record<string, string>>;
  readonly underlines?: Readonly<Record<string, string>>;
}

/** Set an element's label color; grey for a label that the session does not know. */
export function setLabelColor(element: HTMLElement, { colors, underlines }: LabelColors, label: string | null): void {
  const tint = colors[label ?? ""] ?? "#8a8a8a";
  element.style.setProperty("--nbner-hue", tint);
  element.style.setProperty("--nbner-line-hue", underlines?.[label ?? ""] ?? tint);
}

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  accept: "M3 8.5 6.5 12 13 4.5",
  reject: "M4 4l8 8M12 4l-8 8",
  ignore: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M4.2 4.2l7.6 7.6",
  sure: "M1.5 8.8 4.6 12 10 4.5M7.6 11l1 1 5.9-7.5",
  undo: "M6.5 3 3 6.5 6.5 10M3.5 6.5h6a3.5 3.5 0 0 1 0 7H7",
  flag: "M4 14V2.5M4 3h8.5l-2 3 2 3H4",
  back: "M9.5 3.5 5 8l4.5 4.5",
  next: "M6.5 3.5 11 8l-4.5 4.5",
  cross: "M5 5l6 6M11 5l-6 6",
  note: "M3 13l.7-3L10.6 3.1l2.3 2.3L6 12.3zM9.3 4.4l2.3 2.3",
  list: "M2.5 4h11M2.5 8h11M2.5 12h11",
  book: "M8 4.5C6.5 3.3 4.5 3 2.5 3v9.5c2 0 4 .3 5.5 1.5 1.5-1.2 3.5-1.5 5.5-1.5V3c-2 0-4 .3-5.5 1.5zM8 4.5V14",
  star: "M8 2.2l1.8 3.7 4 .6-2.9 2.8.7 4L8 11.4l-3.6 1.9.7-4L2.2 6.5l4-.6z",
  box: "M3 3h10v10H3z",
  play: "M5 3.2 12.5 8 5 12.8z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  first: "M4 3.5v9M12 3.5 7.5 8l4.5 4.5",
  last: "M12 3.5v9M4 3.5 8.5 8 4 12.5",
} as const;

export type IconName = keyof typeof PATHS;

/** Create a line drawing in the color of the text around it. */
export function createIcon(name: IconName): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  setAttributes(svg, { viewBox: "0 0 16 16", class: "nbner-icon", "aria-hidden": "true" });
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Create a button that does not take the focus away from the text when it is clicked. */
export function createButton(
  name: string,
  attributes: Attributes,
  children: Child[],
  onClick: (event: MouseEvent) => void,
): HTMLButtonElement {
  const element = createElement("button", name, { type: "button", ...attributes }, ...children);
  element.addEventListener("mousedown", (event) => event.preventDefault());
  element.addEventListener("click", (event) => {
    if (element.getAttribute("aria-disabled") !== "true") onClick(event);
  });
  return element;
}

/** Create a key hint, as a plain element: hosts style `kbd` in their own way. */
export const createKeyHint = (key: string): HTMLElement =>
  createElement("span", "key", { "aria-hidden": "true" }, key);

/** Create the button that closes a panel: a screen reader hears its name in place of the signs. */
export const createCloseButton = (name: string, close: () => void): HTMLButtonElement =>
  createButton(
    "icon-button",
    { title: name, "aria-keyshortcuts": "Escape" },
    [createElement("span", "spoken", {}, name), createKeyHint("esc"), createIcon("cross")],
    close,
  );

/** Create a widget's outermost element, from which no key stroke reaches the notebook. */
export function createRoot(name: string, attributes: Attributes, ...children: Child[]): HTMLElement {
  const root = createElement(
    "div",
    name,
    {
      // JupyterLab's shortcuts listen in the capture phase, before the event gets here; this stops them.
      "data-lm-suppress-shortcuts": "true",
      role: "application",
      ...attributes,
    },
    ...children,
  );
  const stop = (event: Event): void => event.stopPropagation();
  for (const type of ["keydown", "keyup", "keypress"]) root.addEventListener(type, stop);
  return root;
}

/** Return whether an event's target is a button that Enter or the space bar would press. */
export const isButtonPress = ({ key, target }: KeyboardEvent): boolean =>
  (key === "Enter" || key === " ") && target instanceof HTMLButtonElement;
