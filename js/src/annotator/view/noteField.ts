/** The note on the example, and the field to write it in. */
import { createButton, createElement, createIcon, setText } from "../../shared/dom";
import { reactive, untracked, type EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";
import { showKey } from "./keyHint";

export class NoteField {
  readonly element: HTMLElement;
  private readonly state = reactive({ isEditing: false });
  private readonly words = createElement("span", "note-words");
  private readonly button: HTMLButtonElement;
  private readonly field: HTMLInputElement;

  /**
   * @param focusText Moves the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    effects: EffectScope,
  ) {
    const attributes = { "aria-label": "Note", tabindex: "-1" };
    this.button = createButton("note-shown", attributes, [createIcon("note"), this.words], () => this.open());
    this.field = createElement("input", "note-field", {
      type: "text",
      "aria-label": "Note on this example",
      placeholder: "note: enter keeps it, escape does not",
      autocomplete: "off",
    });
    this.field.addEventListener("blur", () => this.close(true));
    this.element = createElement("div", "note", {}, this.button, this.field);
    effects.run(() => {
      void controller.shown;
      untracked(() => this.close(false));
    });
    effects.run(() => showKey(controller, "note", this.button, null));
    effects.run(() => this.update());
  }

  open(): void {
    const { shown } = this.controller;
    if (shown === null) return;
    this.state.isEditing = true;
    this.field.value = shown.state.note;
    this.field.focus({ preventScroll: true });
    this.field.select();
  }

  owns(target: EventTarget | null): boolean {
    return target === this.field;
  }

  /** Handle a key typed into the field; return whether it has been handled. */
  handleKey(key: string): boolean {
    if (key !== "Enter" && key !== "Escape") return false;
    this.close(key === "Enter");
    this.focusText();
    return true;
  }

  private update(): void {
    const note = this.controller.shown?.state.note ?? "";
    setText(this.words, note);
    this.button.title = note;
    this.button.hidden = note === "" || this.state.isEditing;
    this.field.hidden = !this.state.isEditing;
  }

  private close(keep: boolean): void {
    if (!this.state.isEditing) return;
    this.state.isEditing = false;
    if (keep) this.controller.setNote(this.field.value.trim());
  }
}
