/** What somebody has written about the example, and the field to write it in. */
import type { AnnotatorController, Part } from "../model/controller";
import { createButton, createIcon, createElement, setText } from "../../shared/dom";

export class NoteField {
  readonly element: HTMLElement;
  private readonly words = createElement("span", "note-words");
  private readonly shown: HTMLButtonElement;
  private readonly field: HTMLInputElement;

  /**
   * @param leave Gives the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly leave: () => void,
  ) {
    const attributes = { "aria-label": "Note", "aria-keyshortcuts": "n", tabindex: "-1" };
    this.shown = createButton("note-shown", attributes, [createIcon("note"), this.words], () => this.open());
    this.field = createElement("input", "note-field", {
      type: "text",
      "aria-label": "Note on this example",
      placeholder: "note: enter keeps it, escape does not",
      autocomplete: "off",
    });
    this.field.hidden = true;
    this.field.addEventListener("blur", () => this.close(true));
    this.element = createElement("div", "note", {}, this.shown, this.field);
  }

  update(parts: ReadonlySet<Part>): void {
    if (parts.has("example")) this.close(false);
    if (!parts.has("example") && !parts.has("answer")) return;
    const note = this.controller.shown?.state.note ?? "";
    setText(this.words, note);
    this.shown.title = note;
    this.shown.hidden = note === "" || !this.field.hidden;
  }

  open(): void {
    const { shown } = this.controller;
    if (shown === null) return;
    this.field.value = shown.state.note;
    this.field.hidden = false;
    this.shown.hidden = true;
    this.field.focus({ preventScroll: true });
    this.field.select();
  }

  owns(target: EventTarget | null): boolean {
    return target === this.field;
  }

  /** Keys typed into the field; tells whether the key has been used up. */
  type(key: string): boolean {
    if (key !== "Enter" && key !== "Escape") return false;
    this.close(key === "Enter");
    this.leave();
    return true;
  }

  private close(keep: boolean): void {
    if (this.field.hidden) return;
    this.field.hidden = true;
    this.shown.hidden = (this.controller.shown?.state.note ?? "") === "";
    if (keep) this.controller.setNote(this.field.value.trim());
  }
}
