/** Every occurrence of some words, one row each, to be checked and changed in one step. */
import {
  createButton,
  createCloseButton,
  createElement,
  createIcon,
  createKeyHint,
  isButtonPress,
  setAttributes,
  setLabelColor,
  setText,
} from "../../shared/dom";
import { formatCount, pluralize } from "../../shared/format";
import { createRow, RowList } from "../../shared/rowList";
import type { AnnotatorController } from "../model/controller";
import type { OccurrenceRow, Occurrences } from "../model/occurrences";

export class OccurrencesView {
  readonly element: HTMLElement;
  private readonly title = createElement("span", "side-panel-title");
  private readonly count = createElement("span", "side-panel-count", { role: "status" });
  private readonly upcomingChip: HTMLButtonElement;
  private readonly caseChip: HTMLButtonElement;
  private readonly applyButton: HTMLButtonElement;
  private readonly applyWord = createElement("span", "");
  private readonly rows: RowList<OccurrenceRow>;

  constructor(
    private readonly controller: AnnotatorController,
    private readonly close: () => void,
  ) {
    this.upcomingChip = this.createChip("coming examples too", "←→", "ArrowRight", () =>
      this.setIncludeUpcoming(!this.occurrences.state.includeUpcoming),
    );
    this.caseChip = this.createChip("same case", "c", "c", () => this.toggleCaseSensitive());
    const apply = { "aria-keyshortcuts": "Enter", "data-act": "apply" };
    this.applyButton = createButton("chip go", apply, [this.applyWord, createKeyHint("⏎")], () => this.apply());
    const closeButton = createCloseButton("Close", close);
    const allChip = this.createChip("all", "a", "a", () => this.change((one) => one.toggleAll()));
    this.rows = new RowList("Occurrences", (row) => this.renderRow(row), (index) => this.toggleRow(index));
    setAttributes(this.rows.element, { tabindex: "0", "aria-multiselectable": "true" });
    const head = createElement("div", "side-panel-head", {}, this.title, this.count, closeButton);
    const fact = createElement("span", "side-panel-fact", {}, "whole tokens");
    const chips = [this.applyButton, allChip, this.upcomingChip, this.caseChip, fact];
    this.element = createElement(
      "div",
      "occurrences",
      { "data-panel": "everywhere" },
      head,
      createElement("div", "chips", {}, ...chips),
      this.rows.element,
    );
  }

  focus(): void {
    this.rows.element.focus({ preventScroll: true });
  }

  update(): void {
    const { action, words, label, includeUpcoming, isCaseSensitive, activeIndex } = this.occurrences.state;
    const { rows, checkedRows } = this.occurrences;
    const isLabel = action === "label";
    setText(this.title, `${isLabel ? "Label every" : "Remove from every"} “${words.join(" ")}” · ${label}`);
    setLabelColor(this.element, this.controller.setup, label);
    setText(this.count, this.describeCount());
    setAttributes(this.upcomingChip, { "aria-pressed": String(includeUpcoming) });
    setAttributes(this.caseChip, { "aria-pressed": String(isCaseSensitive) });
    setText(this.applyWord, `${isLabel ? "label" : "remove"} ${formatCount(checkedRows.length)}`);
    setAttributes(this.applyButton, { "aria-disabled": checkedRows.length === 0 ? "true" : null });
    this.rows.setRows(rows);
    rows.forEach((row, i) => {
      const element = this.rows.elementAt(i);
      if (element !== undefined) setAttributes(element, { "aria-checked": String(this.occurrences.isChecked(row)) });
    });
    setAttributes(this.rows.element, { "aria-activedescendant": this.rows.setActive(activeIndex) });
  }

  /** Handle a key in the panel; return whether it has been handled. */
  handleKey(event: KeyboardEvent): boolean {
    if (isButtonPress(event)) return false;
    const { occurrences } = this;
    const handlers: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.change((one) => one.setActive(one.state.activeIndex + 1)),
      ArrowUp: () => this.change((one) => one.setActive(one.state.activeIndex - 1)),
      ArrowLeft: () => this.setIncludeUpcoming(false),
      ArrowRight: () => this.setIncludeUpcoming(true),
      " ": () => this.toggleRow(occurrences.state.activeIndex),
      a: () => this.change((one) => one.toggleAll()),
      c: () => this.toggleCaseSensitive(),
      Enter: () => this.apply(),
    };
    handlers[event.key]?.();
    return event.key in handlers;
  }

  private get occurrences(): Occurrences {
    return this.controller.sidePanel.occurrences;
  }

  private describeCount(): string {
    const { rows, isWaiting } = this.occurrences;
    const { labeledCount, hasMore, problem } = this.occurrences.state;
    const parts = [
      pluralize(rows.length, "place"),
      labeledCount > 0 ? `${formatCount(labeledCount)} here already` : "",
      hasMore ? "the first of more" : "",
      isWaiting ? "looking in the coming ones …" : "",
      problem,
    ];
    return parts.filter(Boolean).join(" · ");
  }

  private change(change: (occurrences: Occurrences) => void): void {
    this.controller.updatePanel(({ occurrences }) => change(occurrences));
  }

  private setIncludeUpcoming(include: boolean): void {
    if (include !== this.occurrences.state.includeUpcoming) this.change((one) => one.setIncludeUpcoming(include));
  }

  private toggleCaseSensitive(): void {
    this.change((one) => one.setCaseSensitive(!one.state.isCaseSensitive));
  }

  private toggleRow(index: number): void {
    this.change((one) => one.toggleRow(index));
  }

  private apply(): void {
    if (this.occurrences.checkedRows.length === 0) return;
    this.change((one) => one.apply());
    this.close();
  }

  private createChip(word: string, key: string, shortcut: string, onClick: () => void): HTMLButtonElement {
    const attributes = { "aria-keyshortcuts": shortcut, tabindex: "-1" };
    return createButton("chip", attributes, [word, createKeyHint(key)], onClick);
  }

  private renderRow({ left, hit, right, problem, example }: OccurrenceRow): HTMLElement {
    const box = createElement("span", "row-sign", {}, createIcon("box"), createIcon("accept"));
    // The left context is laid out right to left, so that its far end is cut off: a trailing gap
    // inside it would move to that end.
    const before = left.trimEnd();
    const parts = [
      createElement("span", "kwic-left", {}, createElement("bdi", "", {}, before)),
      createElement("span", "", {}, left.slice(before.length), createElement("b", "kwic-hit", {}, hit)),
      createElement("bdi", "kwic-right", {}, right),
    ];
    const attributes = {
      role: "option",
      "aria-disabled": problem === "" ? null : "true",
      "data-place": example ?? "here",
    };
    const about = createElement("span", "row-about", {}, problem || (example === null ? "here" : ""));
    return createRow(attributes, box, createElement("span", "kwic", {}, ...parts), about);
  }
}
