/** Lines that one walks with the arrows while the focus stays where it is. */
import { make, setAttributes } from "./dom";

export class Rows<Value> {
  readonly element: HTMLElement;
  private values: readonly Value[] = [];
  private elements: HTMLElement[] = [];
  private pointed: HTMLElement | null = null;

  constructor(
    name: string,
    private readonly write: (value: Value, index: number) => HTMLElement,
    onPress: (index: number) => void,
  ) {
    this.element = make("div", "rows", { role: "listbox", "aria-label": name });
    this.element.addEventListener("mousedown", (event) => event.preventDefault());
    this.element.addEventListener("click", (event) => {
      const row = event.target instanceof Element ? event.target.closest(".nbner-row") : null;
      const index = this.elements.indexOf(row as HTMLElement);
      if (index >= 0) onPress(index);
    });
  }

  /** Writes what is new; what stands there already stays. */
  show(values: readonly Value[]): void {
    const first = values.findIndex((value, i) => value !== this.values[i]);
    const kept = first < 0 ? values.length : first;
    this.elements.splice(kept).forEach((element) => element.remove());
    const news = values.slice(kept).map((value, i) => this.write(value, kept + i));
    this.elements.push(...news);
    this.element.append(...news);
    this.values = values;
    if (kept === 0) this.element.scrollTop = 0;
  }

  at(index: number): HTMLElement | undefined {
    return this.elements[index];
  }

  /** Marks the row that is pointed at and brings it into view; gives its id for `aria-activedescendant`. */
  point(index: number): string | null {
    const row = this.elements[index] ?? null;
    if (row !== this.pointed) this.pointed?.setAttribute("aria-selected", "false");
    this.pointed = row;
    if (row === null) return null;
    setAttributes(row, { "aria-selected": "true" });
    this.reveal(row);
    return row.id;
  }

  private reveal(row: HTMLElement): void {
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.element.scrollTop = bottom - clientHeight;
  }
}

let serial = 0;

/** A row with an id of its own in the page. */
export function makeRow(attributes: Record<string, string | null>, ...children: (Node | string | null)[]): HTMLElement {
  serial += 1;
  return make("div", "row", { id: `nbner-row-${serial}`, "aria-selected": "false", ...attributes }, ...children);
}
