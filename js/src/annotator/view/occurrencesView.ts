/** Every occurrence of some words, one line each, to be ticked and changed in one go. */
import type { AnnotatorController } from "../model/controller";
import type { Occurrences, OccurrenceRow } from "../model/occurrences";
import { formatCount, pluralize } from "../../shared/format";
import { createButton, createIcon, createKeyHint, createElement, setAttributes, setLabelColor, setText } from "../../shared/dom";
import { createRow, RowList } from "../../shared/rowList";

export class OccurrencesView {
  readonly element: HTMLElement;
  private readonly title = createElement("span", "drawer-title");
  private readonly count = createElement("span", "drawer-count", { role: "status" });
  private readonly scope: HTMLButtonElement;
  private readonly cased: HTMLButtonElement;
  private readonly go: HTMLButtonElement;
  private readonly goWord = createElement("span", "");
  private readonly rows: RowList<OccurrenceRow>;

  constructor(
    private readonly controller: AnnotatorController,
    private readonly close: () => void,
  ) {
    this.scope = this.chip("coming examples too", "←→", "ArrowRight", () => this.setFar(!this.all.includeUpcoming));
    this.cased = this.chip("same case", "c", "c", () => this.setCased(!this.all.isCaseSensitive));
    const apply = { "aria-keyshortcuts": "Enter", "data-act": "apply" };
    this.go = createButton("chip go", apply, [this.goWord, createKeyHint("⏎")], () => this.apply());
    const shut = { "aria-label": "Close", "aria-keyshortcuts": "Escape" };
    const cross = createButton("drawer-button", shut, [createKeyHint("esc"), createIcon("cross")], close);
    const all = this.chip("all", "a", "a", () => this.work((one) => one.toggleAll()));
    this.rows = new RowList("Occurrences", (line) => this.write(line), (index) => this.toggle(index));
    setAttributes(this.rows.element, { tabindex: "-1", "aria-multiselectable": "true" });
    const head = createElement("div", "drawer-head", {}, this.title, this.count, cross);
    const whole = createElement("span", "drawer-fact", {}, "whole tokens");
    const chips = createElement("div", "chips", {}, this.go, all, this.scope, this.cased, whole);
    this.element = createElement("div", "everywhere", { "data-panel": "everywhere" }, head, chips, this.rows.element);
  }

  focus(): void {
    this.rows.element.focus({ preventScroll: true });
  }

  update(): void {
    const { all } = this;
    const verb = all.action === "label" ? "Label every" : "Remove from every";
    setText(this.title, `${verb} “${all.phrase}” · ${all.label}`);
    setLabelColor(this.element, this.controller.setup.colors[all.label]);
    setText(this.count, this.standing());
    setAttributes(this.scope, { "aria-pressed": String(all.includeUpcoming) });
    setAttributes(this.cased, { "aria-pressed": String(all.isCaseSensitive) });
    setText(this.goWord, `${all.action === "label" ? "label" : "remove"} ${formatCount(all.checkedRows.length)}`);
    setAttributes(this.go, { "aria-disabled": all.checkedRows.length === 0 ? "true" : null });
    const { rows: lines } = all;
    this.rows.setRows(lines);
    lines.forEach(({ isChecked: ticked }, i) => {
      const row = this.rows.elementAt(i);
      if (row !== undefined) setAttributes(row, { "aria-checked": String(ticked) });
    });
    setAttributes(this.rows.element, { "aria-activedescendant": this.rows.setActive(all.activeIndex) });
  }

  /** Keys in the panel; tells whether the key has been used up. */
  type({ key, target }: KeyboardEvent): boolean {
    const { all } = this;
    const isButton = target instanceof HTMLButtonElement;
    if (isButton && (key === "Enter" || key === " ")) return false;
    const does: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.work((one) => one.setActive(one.activeIndex + 1)),
      ArrowUp: () => this.work((one) => one.setActive(one.activeIndex - 1)),
      ArrowLeft: () => this.setFar(false),
      ArrowRight: () => this.setFar(true),
      " ": () => this.toggle(all.activeIndex),
      a: () => this.work((one) => one.toggleAll()),
      c: () => this.setCased(!all.isCaseSensitive),
      Enter: () => this.apply(),
    };
    does[key]?.();
    return key in does;
  }

  private get all(): Occurrences {
    return this.controller.sidePanel.occurrences;
  }

  private standing(): string {
    const { rows: lines, labeledCount: same, hasMore: more, isWaiting, problem } = this.all;
    const parts = [
      pluralize(lines.length, "place"),
      same > 0 ? `${formatCount(same)} here already` : "",
      more ? "the first of more" : "",
      isWaiting ? "looking in the coming ones …" : "",
      problem,
    ];
    return parts.filter(Boolean).join(" · ");
  }

  private work(change: (all: Occurrences) => void): void {
    this.controller.updatePanel(({ occurrences: everywhere }) => change(everywhere));
  }

  private setFar(far: boolean): void {
    if (far !== this.all.includeUpcoming) this.work((one) => one.setIncludeUpcoming(far));
  }

  private setCased(cased: boolean): void {
    this.work((one) => one.setCaseSensitive(cased));
  }

  private toggle(index: number): void {
    this.work((one) => one.toggleRow(index));
  }

  private apply(): void {
    if (this.all.checkedRows.length === 0) return;
    this.work((one) => one.apply());
    this.close();
  }

  private chip(word: string, key: string, shortcut: string, act: () => void): HTMLButtonElement {
    return createButton("chip", { "aria-keyshortcuts": shortcut, tabindex: "-1" }, [word, createKeyHint(key)], act);
  }

  private write({ left, hit, right, problem, example, isChecked: ticked }: OccurrenceRow): HTMLElement {
    const box = createElement("span", "row-sign", {}, createIcon("box"), createIcon("accept"));
    // A line that runs the other way, to be cut at its far end, would put this gap there too.
    const words = left.trimEnd();
    const parts = [
      createElement("span", "kwic-left", {}, createElement("bdi", "", {}, words)),
      createElement("span", "", {}, left.slice(words.length), createElement("b", "kwic-hit", {}, hit)),
      createElement("bdi", "kwic-right", {}, right),
    ];
    const where = problem || (example === null ? "here" : "");
    return createRow(
      {
        role: "option",
        "aria-checked": String(ticked),
        "aria-disabled": problem === "" ? null : "true",
        "data-place": example ?? "here",
      },
      box,
      createElement("span", "kwic", {}, ...parts),
      createElement("span", "row-about", {}, where),
    );
  }
}
