/** One card with all keys, drawn from the table that the keys themselves come from. */
import type { Controller } from "../core/controller";
import { ROWS, spell, type Row } from "../core/keys";
import { button, icon, make } from "./dom";

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
    const groups = [...new Set(rows.map(({ group }) => group))];
    const sections = groups.map((group) => this.section(group, rows.filter((row) => row.group === group)));
    const close = button("close", { "aria-label": "Close" }, [icon("cross")], () => this.close());
    this.element.replaceChildren(make("div", "help-groups", {}, ...sections, this.mouse()), close);
    this.element.hidden = false;
  }

  close(): void {
    this.element.hidden = true;
  }

  private section(title: string, rows: readonly Row[]): HTMLElement {
    const list = make("dl", "help-rows");
    for (const { shown, does } of rows) {
      const keys = shown.map((one) => make("kbd", "key", {}, spell(one, this.mac)));
      list.append(make("dt", "", {}, ...keys), make("dd", "", {}, does));
    }
    return make("section", "help-group", {}, make("h3", "", {}, title), list);
  }

  private mouse(): HTMLElement {
    const list = make("dl", "help-rows");
    for (const [gesture, does] of MOUSE) list.append(make("dt", "", {}, gesture), make("dd", "", {}, does));
    return make("section", "help-group", {}, make("h3", "", {}, "Mouse"), list);
  }
}

const MOUSE = [
  ["drag", "Label whole tokens with the active label"],
  ["double click", "Label one token"],
  ["click a mark", "Select it; then a label relabels it"],
] as const;
