/** Answers that the kernel has refused for good: kept in the browser, to be seen, copied and discarded. */
import { createButton, createElement, setText } from "../../shared/dom";
import { formatCount } from "../../shared/format";
import type { EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";

export class RefusedView {
  readonly element: HTMLDetailsElement;
  private readonly title = createElement("summary", "refused-title");
  private readonly content = createElement("pre", "refused-content", { tabindex: "0" });

  constructor(
    private readonly controller: AnnotatorController,
    effects: EffectScope,
  ) {
    const copy = createButton("chip", { "data-refused": "copy" }, ["copy"], () => this.copy());
    const discard = createButton("chip", { "data-refused": "discard" }, ["discard"], () =>
      controller.discardRefused(),
    );
    this.element = createElement("details", "refused", {}, this.title, this.content, copy, discard);
    effects.run(() => this.update());
  }

  private update(): void {
    const { refusedAnswers } = this.controller;
    this.element.hidden = refusedAnswers.length === 0;
    const count = refusedAnswers.length === 1 ? "1 answer" : `${formatCount(refusedAnswers.length)} answers`;
    setText(this.title, `${count} could not be stored and will not be sent again: kept in this browser`);
    setText(this.content, refusedAnswers.join("\n\n"));
  }

  private copy(): void {
    // Without a clipboard, as on a page without a secure connection, the text is selected.
    getSelection()?.selectAllChildren(this.content);
    void navigator.clipboard?.writeText(this.content.textContent ?? "").catch(() => undefined);
  }
}
