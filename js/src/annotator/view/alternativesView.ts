/** Buttons for suggestions that lost to an overlapping one, and for what else the model holds possible. */
import { createButton, createElement, createKeyHint, setLabelColor } from "../../shared/dom";
import { computed, type EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";
import { showKey } from "./keyHint";
import type { Span, Spans } from "../model/spans";
import { describeSource, formatConfidence } from "./marks";

const MAX_SHOWN = 20;

export class AlternativesView {
  readonly element = createElement("div", "alternatives", { role: "group", "aria-label": "Also suggested" });

  /**
   * @param focusText Moves the focus back to the text after a click.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    effects: EffectScope,
  ) {
    let last: Spans = [];
    // Equal lists keep their identity, so that the buttons stay while other spans are edited.
    const spans = computed(() => (last = keepIfEqual(last, controller.alternatives)));
    effects.run(() => this.show(spans.value));
  }

  private show(spans: Spans): void {
    this.element.hidden = spans.length === 0;
    const isOneSource = this.controller.hasOneSource;
    const buttons = spans.slice(0, MAX_SHOWN).map((span) => this.createButton(span, isOneSource));
    const hint = createKeyHint("");
    for (const button of buttons) showKey(this.controller, "alternative", button, hint);
    const content = buttons.length === 0 ? [] : ["Also suggested", hint, ...buttons];
    this.element.replaceChildren(...content);
  }

  private createButton(span: Span, isOneSource: boolean): HTMLElement {
    const text = this.controller.textOf(span);
    const source = describeSource(span);
    const attributes = {
      "data-also": `${span.start}:${span.end}`,
      title: `Suggested ${source}`,
      tabindex: "-1",
    };
    const content = [
      createElement("bdi", "", {}, text),
      createElement("span", "alternative-name", {}, span.label),
      createElement("span", "alternative-source", {}, isOneSource ? formatConfidence(span.score) : source),
    ];
    const element = createButton("alternative", attributes, content, () => {
      this.controller.takeSuggestion(span);
      this.focusText();
    });
    setLabelColor(element, this.controller.setup, span.label);
    return element;
  }
}

const keepIfEqual = (last: Spans, next: Spans): Spans =>
  last.length === next.length && last.every((one, i) => one === next[i]) ? last : next;
