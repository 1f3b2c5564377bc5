/** The list of examples: a field to search in, conditions to press, rows to choose from. */
import type { AnnotatorController } from "../model/controller";
import type { ExampleRow } from "../../shared/protocol";
import { QUICK_FILTERS, labelTerm, toggleTerm, splitQuery } from "../model/searchQuery";
import { formatCount } from "../../shared/format";
import { createButton, createIcon, createKeyHint, createElement, setAttributes, setText, type IconName } from "../../shared/dom";
import { createRow, RowList } from "../../shared/rowList";

export class ExampleListView {
  readonly element: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly star: HTMLButtonElement;
  private readonly count = createElement("span", "drawer-count", { role: "status" });
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
    const keep = { "aria-label": "Keep this search", "aria-keyshortcuts": "Control+s", title: "Keep this search: ctrl s" };
    this.star = createButton("drawer-button", keep, [createIcon("star")], () => this.keep());
    const shut = { "aria-label": "Close the list", "aria-keyshortcuts": "Escape" };
    const cross = createButton("drawer-button", shut, [createKeyHint("esc"), createIcon("cross")], close);
    this.rows = new RowList("Examples", (row) => this.write(row), (index) => this.press(index));
    const head = createElement("div", "drawer-head", {}, this.field, this.star, this.count, cross);
    this.element = createElement("div", "list", { "data-panel": "list" }, head, this.chips, this.rows.element);
    this.rows.element.addEventListener("scroll", () => this.scroll());
  }

  focus(): void {
    this.field.value = this.controller.sidePanel.exampleList.query;
    this.field.focus({ preventScroll: true });
    this.field.select();
  }

  update(): void {
    const { exampleList: listing } = this.controller.sidePanel;
    if (this.field.value !== listing.query) this.field.value = listing.query;
    const kept = listing.savedQueries.includes(listing.query.trim());
    setAttributes(this.star, { "aria-pressed": String(kept) });
    setText(this.count, this.standing());
    this.showChips();
    this.rows.setRows(listing.rows);
    setAttributes(this.field, { "aria-activedescendant": this.rows.setActive(listing.activeIndex) });
  }

  /** Keys in the panel; tells whether the key has been used up. */
  type({ key, ctrlKey, metaKey, target }: KeyboardEvent): boolean {
    const { exampleList: listing } = this.controller.sidePanel;
    const step = STEPS[key];
    if (step !== undefined) {
      this.controller.updatePanel(() => listing.setActive(listing.activeIndex + step));
      return true;
    }
    if ((ctrlKey || metaKey) && key.toLowerCase() === "s") this.keep();
    else if (key === "Enter" && !(target instanceof HTMLButtonElement)) this.controller.openActiveRow();
    else return false;
    return true;
  }

  private standing(): string {
    const { total, problem, isWaiting } = this.controller.sidePanel.exampleList;
    if (problem !== "") return problem;
    if (total === null || (isWaiting && total === 0)) return "…";
    return total === 0 ? "nothing found" : formatCount(total);
  }

  private search(query: string): void {
    this.controller.updatePanel(({ exampleList: listing }) => listing.search(query));
  }

  private keep(): void {
    this.controller.updatePanel(({ exampleList: listing }) => listing.toggleSaved());
  }

  private press(index: number): void {
    this.controller.updatePanel(({ exampleList: listing }) => listing.setActive(index));
    this.controller.openActiveRow();
  }

  private scroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.rows.element;
    if (scrollTop + 2 * clientHeight > scrollHeight) this.controller.sidePanel.exampleList.loadMore();
  }

  private showChips(): void {
    const { setup, sidePanel: panels } = this.controller;
    const { query, savedQueries: saved } = panels.exampleList;
    const signature = JSON.stringify([query, saved, setup.labels]);
    if (signature === this.chipsFor) return;
    this.chipsFor = signature;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.chip;
    const words = splitQuery(query);
    const conditions = QUICK_FILTERS.map(({ word, name }) => this.chip(name, word, words.includes(word)));
    const labels = setup.labels.map((label) => {
      const word = labelTerm(label);
      return this.chip(label, word, words.includes(word));
    });
    const kept = saved.map((one) => this.savedChip(one, one === query.trim()));
    this.chips.replaceChildren(...kept, ...conditions, ...labels);
    if (focused === undefined) return;
    const again = [...this.chips.children].find((one) => (one as HTMLElement).dataset.chip === focused);
    (again as HTMLElement | undefined)?.focus({ preventScroll: true });
  }

  private chip(name: string, word: string, isOn: boolean): HTMLElement {
    const attributes = { "data-chip": word, "aria-pressed": String(isOn), title: word };
    return createButton("chip", attributes, [createElement("bdi", "", {}, name)], () =>
      this.search(toggleTerm(this.controller.sidePanel.exampleList.query, word)),
    );
  }

  private savedChip(query: string, isOn: boolean): HTMLElement {
    const attributes = { "data-chip": query, "aria-pressed": String(isOn), title: "A search of yours" };
    return createButton("chip", attributes, [createIcon("star"), createElement("bdi", "", {}, query)], () =>
      this.search(isOn ? "" : query),
    );
  }

  private write(row: ExampleRow): HTMLElement {
    const shown = row.id === this.controller.shown?.id;
    const sign = createElement("span", "row-sign", { "aria-label": row.answer ?? "open" });
    if (row.answer !== null) sign.append(createIcon(row.answer as IconName));
    const hit = row.hit === "" ? null : createElement("b", "row-hit", {}, row.hit);
    const text = createElement("bdi", "row-text", {}, row.left, hit, row.right);
    const about = [row.score === null ? "" : row.score.toFixed(2), row.labels.join(" "), row.by];
    const more = createElement("span", "row-about", {}, about.filter(Boolean).join(" · "));
    const flag = row.flagged ? createIcon("flag") : null;
    const note = row.note === "" ? null : createElement("span", "row-note", { title: row.note }, createIcon("note"), row.note);
    return createRow(
      { role: "option", "data-row": row.id, "data-answered": row.answer, "aria-current": shown ? "true" : null },
      sign,
      text,
      note,
      flag,
      more,
    );
  }
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
