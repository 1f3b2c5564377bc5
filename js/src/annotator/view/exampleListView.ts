/** The list of examples: a field to search in, conditions to press, rows to choose from. */
import type { Controller } from "../model/controller";
import type { Row } from "../../shared/protocol";
import { CONDITIONS, labelWord, toggled, wordsOf } from "../model/searchQuery";
import { figure } from "../../shared/format";
import { button, icon, keyHint, make, setAttributes, setText, type Icon } from "../../shared/dom";
import { makeRow, Rows } from "../../shared/rowList";

export class ListPanel {
  readonly element: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly star: HTMLButtonElement;
  private readonly count = make("span", "drawer-count", { role: "status" });
  private readonly chips = make("div", "chips", { role: "group", "aria-label": "Conditions" });
  private readonly rows: Rows<Row>;
  private chipsFor = "";

  constructor(
    private readonly controller: Controller,
    close: () => void,
  ) {
    this.field = make("input", "search", {
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
    this.star = button("drawer-button", keep, [icon("star")], () => this.keep());
    const shut = { "aria-label": "Close the list", "aria-keyshortcuts": "Escape" };
    const cross = button("drawer-button", shut, [keyHint("esc"), icon("cross")], close);
    this.rows = new Rows("Examples", (row) => this.write(row), (index) => this.press(index));
    const head = make("div", "drawer-head", {}, this.field, this.star, this.count, cross);
    this.element = make("div", "list", { "data-panel": "list" }, head, this.chips, this.rows.element);
    this.rows.element.addEventListener("scroll", () => this.scroll());
  }

  focus(): void {
    this.field.value = this.controller.panels.listing.query;
    this.field.focus({ preventScroll: true });
    this.field.select();
  }

  update(): void {
    const { listing } = this.controller.panels;
    if (this.field.value !== listing.query) this.field.value = listing.query;
    const kept = listing.saved.includes(listing.query.trim());
    setAttributes(this.star, { "aria-pressed": String(kept) });
    setText(this.count, this.standing());
    this.showChips();
    this.rows.show(listing.rows);
    setAttributes(this.field, { "aria-activedescendant": this.rows.point(listing.at) });
  }

  /** Keys in the panel; tells whether the key has been used up. */
  type({ key, ctrlKey, metaKey, target }: KeyboardEvent): boolean {
    const { listing } = this.controller.panels;
    const step = STEPS[key];
    if (step !== undefined) {
      this.controller.atPanel(() => listing.pointAt(listing.at + step));
      return true;
    }
    if ((ctrlKey || metaKey) && key.toLowerCase() === "s") this.keep();
    else if (key === "Enter" && !(target instanceof HTMLButtonElement)) this.controller.choose();
    else return false;
    return true;
  }

  private standing(): string {
    const { total, problem, isWaiting } = this.controller.panels.listing;
    if (problem !== "") return problem;
    if (total === null || (isWaiting && total === 0)) return "…";
    return total === 0 ? "nothing found" : figure(total);
  }

  private search(query: string): void {
    this.controller.atPanel(({ listing }) => listing.search(query));
  }

  private keep(): void {
    this.controller.atPanel(({ listing }) => listing.keep());
  }

  private press(index: number): void {
    this.controller.atPanel(({ listing }) => listing.pointAt(index));
    this.controller.choose();
  }

  private scroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.rows.element;
    if (scrollTop + 2 * clientHeight > scrollHeight) this.controller.panels.listing.more();
  }

  private showChips(): void {
    const { setup, panels } = this.controller;
    const { query, saved } = panels.listing;
    const signature = JSON.stringify([query, saved, setup.labels]);
    if (signature === this.chipsFor) return;
    this.chipsFor = signature;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.chip;
    const words = wordsOf(query);
    const conditions = CONDITIONS.map(({ word, name }) => this.chip(name, word, words.includes(word)));
    const labels = setup.labels.map((label) => {
      const word = labelWord(label);
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
    return button("chip", attributes, [make("bdi", "", {}, name)], () =>
      this.search(toggled(this.controller.panels.listing.query, word)),
    );
  }

  private savedChip(query: string, isOn: boolean): HTMLElement {
    const attributes = { "data-chip": query, "aria-pressed": String(isOn), title: "A search of yours" };
    return button("chip", attributes, [icon("star"), make("bdi", "", {}, query)], () =>
      this.search(isOn ? "" : query),
    );
  }

  private write(row: Row): HTMLElement {
    const shown = row.id === this.controller.shown?.id;
    const sign = make("span", "row-sign", { "aria-label": row.answer ?? "open" });
    if (row.answer !== null) sign.append(icon(row.answer as Icon));
    const hit = row.hit === "" ? null : make("b", "row-hit", {}, row.hit);
    const text = make("bdi", "row-text", {}, row.left, hit, row.right);
    const about = [row.score === null ? "" : row.score.toFixed(2), row.labels.join(" "), row.by];
    const more = make("span", "row-about", {}, about.filter(Boolean).join(" · "));
    const flag = row.flagged ? icon("flag") : null;
    const note = row.note === "" ? null : make("span", "row-note", { title: row.note }, icon("note"), row.note);
    return makeRow(
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
