/** The list of examples: a search field, filters to press, rows to choose from. */
import {
  createButton,
  createCloseButton,
  createElement,
  createIcon,
  setAttributes,
  setText,
  type IconName,
} from "../../shared/dom";
import { formatCount } from "../../shared/format";
import type { ExampleRow } from "../../shared/protocol";
import { createRow, RowList } from "../../shared/rowList";
import type { AnnotatorController } from "../model/controller";
import type { ExampleList } from "../model/exampleList";
import { labelTerm, QUICK_FILTERS, splitQuery, toggleTerm } from "../model/searchQuery";

/** How many rows a key moves. */
const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };

export class ExampleListView {
  readonly element: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly saveButton: HTMLButtonElement;
  private readonly count = createElement("span", "side-panel-count", { role: "status" });
  private readonly chips = createElement("div", "chips", { role: "group", "aria-label": "Conditions" });
  private readonly rows: RowList<ExampleRow>;
  private chipsFor = "";

  constructor(
    private readonly controller: AnnotatorController,
    close: () => void,
  ) {
    this.field = createElement("input", "search", {
      type: "text",
      role: "combobox",
      placeholder: "search: words, is:flagged, label:…, by:…",
      "aria-label": "Search the examples",
      "aria-expanded": "true",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.field.addEventListener("input", () => this.search(this.field.value));
    const save = { "aria-label": "Keep this search", "aria-keyshortcuts": "Control+s", title: "Keep this search: ctrl s" };
    this.saveButton = createButton("icon-button", save, [createIcon("star")], () => this.toggleSaved());
    const closeButton = createCloseButton("Close the list", close);
    this.rows = new RowList("Examples", (row) => this.renderRow(row), (index) => this.openRow(index));
    const head = createElement("div", "side-panel-head", {}, this.field, this.saveButton, this.count, closeButton);
    setAttributes(this.field, { "aria-controls": this.rows.element.id });
    this.element = createElement("div", "list", { "data-panel": "list" }, head, this.chips, this.rows.element);
    this.rows.element.addEventListener("scroll", () => this.loadOnScroll());
  }

  focus(): void {
    this.field.value = this.state.query;
    this.field.focus({ preventScroll: true });
    this.field.select();
  }

  update(): void {
    const { query, savedQueries, rows, activeIndex } = this.state;
    if (this.field.value !== query) this.field.value = query;
    const isSaved = savedQueries.includes(query.trim());
    setAttributes(this.saveButton, { "aria-pressed": String(isSaved) });
    setText(this.count, this.describeCount());
    this.showChips();
    this.rows.setRows(rows);
    setAttributes(this.field, { "aria-activedescendant": this.rows.setActive(activeIndex) });
  }

  /** Handle a key in the panel; return whether it has been handled. */
  handleKey({ key, ctrlKey, metaKey, target }: KeyboardEvent): boolean {
    const step = STEPS[key];
    if (step !== undefined) this.setActive(this.state.activeIndex + step);
    else if ((ctrlKey || metaKey) && key.toLowerCase() === "s") this.toggleSaved();
    else if (key === "Enter" && !(target instanceof HTMLButtonElement)) this.controller.openActiveRow();
    else return false;
    return true;
  }

  private get list(): ExampleList {
    return this.controller.sidePanel.exampleList;
  }

  private get state(): ExampleList["state"] {
    return this.list.state;
  }

  private describeCount(): string {
    const { total, problem } = this.state;
    const { isWaiting } = this.list;
    if (problem !== "") return problem;
    if (total === null || (isWaiting && total === 0)) return "…";
    return total === 0 ? "nothing found" : formatCount(total);
  }

  private search(query: string): void {
    this.controller.updatePanel(({ exampleList }) => exampleList.search(query));
  }

  private toggleSaved(): void {
    this.controller.updatePanel(({ exampleList }) => exampleList.toggleSaved());
  }

  private openRow(index: number): void {
    this.setActive(index);
    this.controller.openActiveRow();
  }

  private setActive(index: number): void {
    this.controller.updatePanel(({ exampleList }) => exampleList.setActive(index));
  }

  private loadOnScroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.rows.element;
    if (scrollTop + 2 * clientHeight > scrollHeight) this.list.loadMore();
  }

  private showChips(): void {
    const { labels } = this.controller.setup;
    const { query, savedQueries } = this.state;
    const signature = JSON.stringify([query, savedQueries, labels]);
    if (signature === this.chipsFor) return;
    this.chipsFor = signature;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.chip;
    const terms = splitQuery(query);
    const saved = savedQueries.map((one) => this.createSavedChip(one, one === query.trim()));
    const filters = QUICK_FILTERS.map(({ term, name }) => this.createChip(name, term, terms.includes(term)));
    const byLabel = labels.map((label) => {
      const term = labelTerm(label);
      return this.createChip(label, term, terms.includes(term));
    });
    this.chips.replaceChildren(...saved, ...filters, ...byLabel);
    if (focused === undefined) return;
    const again = [...this.chips.children].find((one) => (one as HTMLElement).dataset.chip === focused);
    (again as HTMLElement | undefined)?.focus({ preventScroll: true });
  }

  private createChip(name: string, term: string, isOn: boolean): HTMLElement {
    const attributes = { "data-chip": term, "aria-pressed": String(isOn), title: term };
    return createButton("chip", attributes, [createElement("bdi", "", {}, name)], () =>
      this.search(toggleTerm(this.state.query, term)),
    );
  }

  private createSavedChip(query: string, isOn: boolean): HTMLElement {
    const attributes = { "data-chip": query, "aria-pressed": String(isOn), title: "A search of yours" };
    return createButton("chip", attributes, [createIcon("star"), createElement("bdi", "", {}, query)], () =>
      this.search(isOn ? "" : query),
    );
  }

  private renderRow(row: ExampleRow): HTMLElement {
    const isShown = row.id === this.controller.shown?.id;
    const sign = createElement("span", "row-sign", { "aria-label": row.answer ?? "open" });
    if (row.answer !== null) sign.append(createIcon(row.answer as IconName));
    const hit = row.hit === "" ? null : createElement("b", "row-hit", {}, row.hit);
    const text = createElement("bdi", "row-text", {}, row.left, hit, row.right);
    const about = [row.score === null ? "" : row.score.toFixed(2), row.labels.join(" "), row.by];
    const details = createElement("span", "row-about", {}, about.filter(Boolean).join(" · "));
    const flag = row.flagged ? createIcon("flag") : null;
    const note =
      row.note === ""
        ? null
        : createElement("span", "row-note", { title: row.note }, createIcon("note"), row.note);
    const attributes = {
      role: "option",
      "data-row": row.id,
      "data-answered": row.answer,
      "aria-current": isShown ? "true" : null,
    };
    return createRow(attributes, sign, text, note, flag, details);
  }
}
