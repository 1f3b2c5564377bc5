/** The field that searches inside the text of the example, shown while it is used. */
import { createElement, setText } from "../../shared/dom";
import { formatCount } from "../../shared/format";
import { reactive, untracked, type EffectScope } from "../../shared/reactive";
import type { TokenRange } from "../../shared/tokens";
import type { AnnotatorController } from "../model/controller";
import { selectedRange, selectionOf } from "../model/cursor";
import { findInText, matchFrom, MAX_MATCHES } from "../model/textSearch";

export class TextSearchField {
  readonly element: HTMLElement;
  private readonly state = reactive({ isOpen: false, count: "" });
  private readonly field: HTMLInputElement;
  private readonly count = createElement("span", "text-search-count", { role: "status" });

  /**
   * @param focusText Moves the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    effects: EffectScope,
  ) {
    this.field = createElement("input", "text-search-field", {
      type: "text",
      "aria-label": "Search in this text",
      "aria-keyshortcuts": "s",
      placeholder: "search here: enter is the next match, escape ends",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.field.addEventListener("input", () => this.showMatch(1, true));
    this.field.addEventListener("blur", () => (this.state.isOpen = false));
    this.element = createElement("div", "text-search", {}, this.field, this.count);
    effects.run(() => {
      void controller.shown;
      untracked(() => (this.state.isOpen = false));
    });
    effects.run(() => {
      this.element.hidden = !this.state.isOpen;
      setText(this.count, this.state.count);
    });
  }

  open(): void {
    if (this.controller.shown === null) return;
    this.state.isOpen = true;
    this.field.focus({ preventScroll: true });
    this.field.select();
  }

  owns(target: EventTarget | null): boolean {
    return target === this.field;
  }

  /** Handle a key typed into the field; return whether it has been handled. */
  handleKey(key: string, isShifted = false): boolean {
    if (key === "Enter") this.showMatch(isShifted ? -1 : 1, false);
    else if (key === "Escape") this.focusText();
    else return false;
    return true;
  }

  /** Select the next match; while the words are typed, the one under the caret may match on. */
  private showMatch(by: 1 | -1, isTyping: boolean): void {
    const { shown, cursor } = this.controller;
    if (shown === null) return;
    const matches = findInText(shown.task, this.field.value);
    const from = selectedRange(cursor)?.start ?? cursor.caret;
    const index = matchFrom(matches, isTyping && from !== null ? from - 1 : from, by);
    const match: TokenRange | undefined = matches[index];
    if (match !== undefined) this.controller.setCursor(selectionOf(match));
    const all = matches.length === MAX_MATCHES ? `${formatCount(MAX_MATCHES)} or more` : formatCount(matches.length);
    const isBlank = this.field.value.trim() === "";
    this.state.count = isBlank ? "" : match === undefined ? "not here" : `${formatCount(index + 1)} of ${all}`;
  }
}
