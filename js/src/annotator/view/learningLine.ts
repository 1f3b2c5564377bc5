/** The training behind the widget: which model suggests, how well, and what can be changed. */
import { createButton, createElement, setAttributes, setText } from "../../shared/dom";
import type { LearningCommand, LearningMessage } from "../../shared/protocol";
import type { EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";

export class LearningLine {
  readonly element = createElement("div", "learning", { role: "group", "aria-label": "Learning", hidden: "" });
  // Read out when another model suggests, or something fails; the figures change with every answer.
  private readonly text = createElement("span", "learning-text", { role: "status", "aria-live": "polite" });
  private readonly figures = createElement("span", "learning-figures");
  private readonly offer = createElement("span", "learning-offer", { role: "status", "aria-live": "polite" });
  private readonly change: HTMLButtonElement;
  private readonly toggle: HTMLButtonElement;
  /** In the page from the first message on: without learning there is nothing to read out. */
  private readonly rows: readonly HTMLElement[];

  /**
   * @param focusText Moves the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    effects: EffectScope,
  ) {
    this.change = createButton("learning-button", { "data-learning": "switch" }, [], () => this.run("switch"));
    this.toggle = createButton("learning-button", { "data-learning": "toggle" }, [], () =>
      this.run(controller.learning?.state === "stopped" ? "start" : "stop"),
    );
    const first = createElement("div", "learning-row", {}, this.text, this.toggle);
    const second = createElement("div", "learning-row", {}, this.figures, this.offer, this.change);
    this.rows = [first, second];
    effects.run(() => this.update(controller.learning));
  }

  private update(learning: LearningMessage | null): void {
    setAttributes(this.element, {
      hidden: learning === null ? "" : null,
      "data-state": learning?.state ?? null,
    });
    if (learning === null) return;
    if (!this.element.hasChildNodes()) this.element.append(...this.rows);
    setText(this.text, learning.text);
    setAttributes(this.text, { title: learning.detail || learning.text });
    setText(this.figures, learning.figures);
    setText(this.offer, learning.offer);
    setAttributes(this.offer, { title: learning.offer || null });
    setText(this.change, learning.choice);
    setAttributes(this.change, { hidden: learning.choice === "" ? "" : null });
    setText(this.toggle, learning.state === "stopped" ? "Learn again" : "Stop learning");
    setAttributes(this.toggle, { hidden: learning.state === "closed" ? "" : null });
  }

  private run(command: LearningCommand): void {
    this.controller.runLearning(command);
    this.focusText();
  }
}
