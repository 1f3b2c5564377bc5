/** How sure a suggestion must be to be shown: a slider, where confidences are known. */
import type { AnnotatorController, Part } from "../model/controller";
import { createKeyHint, createElement, setAttributes, setText } from "../../shared/dom";

const STEP = 0.05;

export class ConfidenceSlider {
  readonly element = createElement("label", "sureness", { title: "Hide suggestions that are less sure: c" });
  private readonly field: HTMLInputElement;
  private readonly words = createElement("span", "sureness-words");

  /**
   * @param leave Gives the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly leave: () => void,
  ) {
    this.field = createElement("input", "sureness-field", {
      type: "range",
      min: "0",
      max: "1",
      step: String(STEP),
      value: "0",
      tabindex: "-1",
      "aria-label": "Least confidence of the suggestions shown",
      "aria-keyshortcuts": "c",
      "data-threshold": "",
    });
    this.field.addEventListener("input", () => controller.setThreshold(this.field.valueAsNumber));
    // A key may want to go on; a hand that lets go is done.
    this.field.addEventListener("pointerup", () => this.leave());
    this.element.append(this.words, this.field, createKeyHint("c"));
  }

  update(parts: ReadonlySet<Part>): void {
    const has = (...some: Part[]): boolean => some.some((part) => parts.has(part));
    if (!has("setup", "example", "progress", "advice", "spans")) return;
    const { kBest: advice, shown } = this.controller;
    this.element.hidden = !advice.hasConfidence;
    const hidden = advice.hiddenCount(shown);
    const at = advice.threshold.toFixed(2).replace(/^0/, "");
    const count = hidden === 0 ? "" : ` · ${hidden} hidden`;
    setText(this.words, advice.threshold === 0 ? "all suggestions" : `sure from ${at}${count}`);
    setAttributes(this.field, { "aria-valuetext": `${at}${count}` });
    if (this.field.valueAsNumber !== advice.threshold) this.field.value = String(advice.threshold);
  }

  focus(): void {
    if (!this.element.hidden) this.field.focus();
  }

  owns(target: EventTarget | null): boolean {
    return target === this.field;
  }

  /** Takes a key while the slider has the focus; the arrows are the browser's to move it. */
  type(key: string): boolean {
    if (key === "Escape" || key === "Enter") this.leave();
    return key === "Escape" || key === "Enter";
  }
}
