/** One card with all keys, drawn from the table that the keys themselves come from. */
import type { Controller } from "../model/controller";
import { ROWS, spell, type Row } from "../../shared/keyboard";
import { button, icon, make } from "../../shared/dom";

export class Help {
  readonly element = make("div", "help", { role: "dialog", "aria-label": "Keys" });

  constructor(
    private readonly controller: Controller,
    private readonly mac: boolean,
  ) {
    this.element.hidden = true;
    this.element.addEventListener("click", () => this.close());
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  open(): void {
    const labels = this.controller.setup.labels.length;
    const rows = ROWS.filter(({ fromLabels = 0 }) => labels >= fromLabels);
    const titles = [...new Set(rows.map((row) => row.group))];
    const sections = titles.map((title) =>
      this.section(title, rows.filter((row) => row.group === title)),
    );
    const close = button("close", { "aria-label": "Close" }, [icon("cross")], () => this.close());
    this.element.replaceChildren(make("div", "help-groups", {}, ...sections, mouse()), close);
    this.element.hidden = false;
  }

  close(): void {
    this.element.hidden = true;
  }

  /** Takes a key: any closes the card, but for those that scroll it where it is cut off. */
  type(key: string): void {
    const { scrollHeight, clientHeight } = this.element;
    const way = SCROLLING[key];
    if (way !== undefined && scrollHeight > clientHeight) this.element.scrollTop += way * clientHeight;
    else if (!MODIFIERS.includes(key)) this.close();
  }

  private section(title: string, rows: readonly Row[]): HTMLElement {
    const lines = rows.map(({ shown, does }) =>
      line(shown.map((one) => make("span", "key", {}, spell(one, this.mac))), does),
    );
    return group(title, lines);
  }
}

const SCROLLING: Readonly<Record<string, number>> = {
  ArrowDown: 0.2,
  ArrowUp: -0.2,
  PageDown: 0.8,
  PageUp: -0.8,
};
const MODIFIERS: readonly string[] = ["Shift", "Control", "Alt", "Meta"];

const MOUSE = [
  ["drag", "Label whole tokens with the active label"],
  ["double click", "Label one token"],
  ["click a mark", "Select it; then a label relabels it"],
] as const;

const mouse = (): HTMLElement =>
  group("Mouse", MOUSE.map(([gesture, does]) => line([make("span", "key", {}, gesture)], does)));

// Hosts style headings and lists in their own way: plain elements with roles stay as they are.

function group(title: string, lines: readonly HTMLElement[]): HTMLElement {
  const heading = make("div", "help-title", { role: "heading", "aria-level": "3" }, title);
  return make("div", "help-group", {}, heading, make("div", "", { role: "list" }, ...lines));
}

function line(keys: readonly HTMLElement[], does: string): HTMLElement {
  const parts = [make("span", "help-keys", {}, ...keys), make("span", "help-does", {}, does)];
  return make("div", "help-line", { role: "listitem" }, ...parts);
}
