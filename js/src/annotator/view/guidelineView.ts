/** The guideline beside the text: Markdown, and the definitions of the labels below it. */
import { createCloseButton, createElement, setLabelColor } from "../../shared/dom";
import type { EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";
import { renderMarkdown } from "./markdownView";

/** Keys that scroll the guideline while it has the focus. */
const SCROLL_KEYS = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];

export class GuidelineView {
  readonly element: HTMLElement;
  private readonly text = createElement("div", "md");
  private readonly definitions = createElement("div", "definitions");
  private readonly scroller: HTMLElement;

  /**
   * @param focusText Moves the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    effects: EffectScope,
  ) {
    const close = createCloseButton("Close the guideline", () => this.close());
    const title = createElement("div", "guideline-title", {}, "Guideline");
    this.scroller = createElement(
      "div",
      "guideline-text",
      { tabindex: "0", role: "region", "aria-label": "Guideline" },
      this.text,
      this.definitions,
    );
    const head = createElement("div", "guideline-head", {}, title, close);
    this.element = createElement("div", "guideline", { "data-beside": "guideline" }, head, this.scroller);
    effects.run(() => this.showState());
    effects.run(() => this.showText());
    effects.run(() => this.showDefinitions());
  }

  get isOpen(): boolean {
    return this.controller.guideline.state.isOpen;
  }

  toggle(): void {
    const hadFocus = this.owns(document.activeElement);
    this.controller.toggleGuideline();
    if (this.isOpen) this.scroller.focus({ preventScroll: true });
    else if (hadFocus) this.focusText();
  }

  close(): void {
    if (this.isOpen) this.toggle();
    this.focusText();
  }

  owns(target: EventTarget | null): boolean {
    return target instanceof Node && this.element.contains(target);
  }

  /** Return whether a key scrolls the guideline, or works on what is in it. */
  isNativeKey({ key, target, ctrlKey, metaKey }: KeyboardEvent): boolean {
    if (!this.owns(target)) return false;
    const isCopy = (ctrlKey || metaKey) && /^[ac]$/i.test(key);
    return SCROLL_KEYS.includes(key) || key === "Tab" || isCopy || (key === "Enter" && target !== this.scroller);
  }

  private showState(): void {
    this.element.hidden = !this.isOpen;
  }

  private showText(): void | (() => void) {
    const { isOpen, text, problem } = this.controller.guideline.state;
    if (!isOpen) return;
    if (problem !== "" || text === null) {
      return this.text.replaceChildren(problem || "The kernel is asked for the guideline …");
    }
    this.scroller.scrollTop = 0;
    return renderMarkdown(this.text, text);
  }

  private showDefinitions(): void {
    const { labels, definitions = {} } = this.controller.setup;
    if (!this.isOpen) return;
    const defined = labels.filter((label) => definitions[label] !== undefined);
    const title = createElement("div", "md-heading md-level-2", { role: "heading", "aria-level": "4" }, "Labels");
    const rows = defined.map((label) => {
      const name = createElement("bdi", "defined-label", {}, label);
      setLabelColor(name, this.controller.setup, label);
      const cells = [createElement("span", "", {}, name), createElement("span", "", {}, definitions[label] ?? "")];
      return createElement("div", "definition", { role: "listitem" }, ...cells);
    });
    const list = createElement("div", "", { role: "list" }, ...rows);
    this.definitions.replaceChildren(...(defined.length === 0 ? [] : [title, list]));
  }
}
