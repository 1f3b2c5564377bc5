/** Shows the definition of a label below its button, while that is pointed at, focused or found by the filter. */
import { createElement, setText } from "../../shared/dom";
import type { AnnotatorController } from "../model/controller";

/** Pixels between a tip and the edges of the widget. */
const MARGIN = 8;

export class LabelTip {
  readonly element = createElement("div", "tip", { role: "tooltip", "aria-hidden": "true" });
  private shownFor: Element | null = null;

  constructor(private readonly controller: AnnotatorController) {
    this.element.hidden = true;
  }

  /** Show the definitions of the buttons in a list as they are pointed at or focused. */
  follow(list: HTMLElement): void {
    const buttonAt = ({ target }: Event): HTMLElement | null =>
      target instanceof Element ? target.closest<HTMLElement>("[data-pick]") : null;
    for (const type of ["pointerover", "focusin"]) list.addEventListener(type, (event) => this.show(buttonAt(event)));
    for (const type of ["pointerleave", "focusout", "pointerdown"]) list.addEventListener(type, () => this.show(null));
  }

  show(button: HTMLElement | null): void {
    const label = button?.dataset.pick;
    const definition = label === undefined ? undefined : this.controller.setup.definitions?.[label];
    this.element.hidden = button === null || definition === undefined;
    this.shownFor = this.element.hidden ? null : button;
    if (this.shownFor === null || definition === undefined) return;
    setText(this.element, definition);
    this.place(this.shownFor);
  }

  private place(button: Element): void {
    const root = this.element.parentElement?.getBoundingClientRect();
    if (root === undefined) return;
    const { left, bottom } = button.getBoundingClientRect();
    const furthest = root.width - this.element.offsetWidth - MARGIN;
    this.element.style.left = `${Math.max(MARGIN, Math.min(left - root.left, furthest))}px`;
    this.element.style.top = `${bottom - root.top + 4}px`;
  }
}
