/** A slider for the confidence below which suggestions are hidden, where confidences are known. */
import { createElement, createKeyHint, setAttributes, setText } from "../../shared/dom";
import type { EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";
import { showKey } from "./keyHint";

const STEP = 0.05;

export class ConfidenceSlider {
  readonly element = createElement("label", "confidence", { title: "Hide suggestions that are less sure" });
  private readonly field: HTMLInputElement;
  private readonly words = createElement("span", "confidence-words");

  /**
   * @param focusText Moves the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    effects: EffectScope,
  ) {
    this.field = createElement("input", "confidence-field", {
      type: "range",
      min: "0",
      max: "1",
      step: String(STEP),
      value: "0",
      tabindex: "-1",
      "aria-label": "Least confidence of the suggestions shown",
      "data-threshold": "",
    });
    this.field.addEventListener("input", () => controller.setThreshold(this.field.valueAsNumber));
    // Keys may move the slider further; with the pointer up, it is set.
    this.field.addEventListener("pointerup", () => this.focusText());
    const hint = createKeyHint("");
    this.element.append(this.words, this.field, hint);
    effects.run(() => showKey(controller, "confidence", this.field, hint));
    effects.run(() => this.update());
  }

  focus(): void {
    if (!this.element.hidden) this.field.focus();
  }

  owns(target: EventTarget | null): boolean {
    return target === this.field;
  }

  /** Handle a key while the slider has the focus; the browser moves it by the arrows. */
  handleKey(key: string): boolean {
    if (key !== "Escape" && key !== "Enter") return false;
    this.focusText();
    return true;
  }

  private update(): void {
    const { kBest, shown } = this.controller;
    this.element.hidden = !kBest.hasConfidence;
    const hidden = kBest.hiddenCount(shown);
    const least = kBest.threshold.toFixed(2).replace(/^0/, "");
    const count = hidden === 0 ? "" : ` · ${hidden} hidden`;
    setText(this.words, kBest.threshold === 0 ? "all suggestions" : `sure from ${least}${count}`);
    setAttributes(this.field, { "aria-valuetext": `${least}${count}` });
    if (this.field.valueAsNumber !== kBest.threshold) this.field.value = String(kBest.threshold);
  }
}
