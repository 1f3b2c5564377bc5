/** A list of rows with an active one, while the focus stays where it is. */
import { createElement, setAttributes } from "./dom";

export class RowList<Value> {
  readonly element: HTMLElement;
  private values: readonly Value[] = [];
  private elements: HTMLElement[] = [];
  private active: HTMLElement | null = null;

  constructor(
    name: string,
    private readonly render: (value: Value, index: number) => HTMLElement,
    onPress: (index: number) => void,
  ) {
    this.element = createElement("div", "rows", { id: nextId("list"), role: "listbox", "aria-label": name });
    this.element.addEventListener("mousedown", (event) => event.preventDefault());
    this.element.addEventListener("click", (event) => {
      const row = event.target instanceof Element ? event.target.closest(".nbner-row") : null;
      const index = this.elements.indexOf(row as HTMLElement);
      if (index >= 0) onPress(index);
    });
  }

  /** Render the rows from the first one that differs on; the rows before it stay. */
  setRows(values: readonly Value[]): void {
    const first = values.findIndex((value, i) => value !== this.values[i]);
    const kept = first < 0 ? values.length : first;
    this.elements.splice(kept).forEach((element) => element.remove());
    const added = values.slice(kept).map((value, i) => this.render(value, kept + i));
    this.elements.push(...added);
    this.element.append(...added);
    this.values = values;
    if (kept === 0) this.element.scrollTop = 0;
  }

  elementAt(index: number): HTMLElement | undefined {
    return this.elements[index];
  }

  /** Mark the active row and scroll it into view; return its id for `aria-activedescendant`. */
  setActive(index: number): string | null {
    const row = this.elements[index] ?? null;
    if (row !== this.active) this.active?.setAttribute("aria-selected", "false");
    this.active = row;
    if (row === null) return null;
    setAttributes(row, { "aria-selected": "true" });
    this.scrollToRow(row);
    return row.id;
  }

  private scrollToRow(row: HTMLElement): void {
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.element.scrollTop = bottom - clientHeight;
  }
}

let serial = 0;

/** Return an id that is unique in the page. */
const nextId = (kind: string): string => {
  serial += 1;
  return `nbner-${kind}-${serial}`;
};

/** Create a row with an id that is unique in the page. */
export function createRow(attributes: Record<string, string | null>, ...children: (Node | string | null)[]): HTMLElement {
  return createElement("div", "row", { id: nextId("row"), "aria-selected": "false", ...attributes }, ...children);
}
