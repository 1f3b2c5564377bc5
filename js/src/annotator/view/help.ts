/** One card with all keys, drawn from the table that the keys themselves come from. */
import { createButton, createElement, createIcon } from "../../shared/dom";
import { formatKeys } from "../../shared/keyboard";
import type { AnnotatorController } from "../model/controller";
import { KEY_BINDINGS, type KeyBinding } from "../model/keyBindings";

export class HelpCard {
  readonly element = createElement("div", "help", { role: "dialog", "aria-label": "Keys" });

  constructor(
    private readonly controller: AnnotatorController,
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
    const rows = KEY_BINDINGS.filter(({ minLabels: fromLabels = 0 }) => labels >= fromLabels);
    const titles = [...new Set(rows.map((row) => row.group))];
    const sections = titles.map((title) =>
      this.section(title, rows.filter((row) => row.group === title)),
    );
    const close = createButton("close", { "aria-label": "Close" }, [createIcon("cross")], () => this.close());
    this.element.replaceChildren(createElement("div", "help-groups", {}, ...sections, mouse()), close);
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

  private section(title: string, rows: readonly KeyBinding[]): HTMLElement {
    const lines = rows.map(({ keys: shown, description: does }) =>
      line(shown.map((one) => createElement("span", "key", {}, formatKeys(one, this.mac))), does),
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
  group("Mouse", MOUSE.map(([gesture, does]) => line([createElement("span", "key", {}, gesture)], does)));

// Hosts style headings and lists in their own way: plain elements with roles stay as they are.

function group(title: string, lines: readonly HTMLElement[]): HTMLElement {
  const heading = createElement("div", "help-title", { role: "heading", "aria-level": "3" }, title);
  return createElement("div", "help-group", {}, heading, createElement("div", "", { role: "list" }, ...lines));
}

function line(keys: readonly HTMLElement[], does: string): HTMLElement {
  const parts = [createElement("span", "help-keys", {}, ...keys), createElement("span", "help-does", {}, does)];
  return createElement("div", "help-line", { role: "listitem" }, ...parts);
}
