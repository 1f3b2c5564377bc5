/** Suggestions that lost to those they overlap, each with its source, one press away. */
import type { AnnotatorController, Part } from "../model/controller";
import type { Span, Spans } from "../model/spans";
import { createButton, createKeyHint, createElement, setLabelColor } from "../../shared/dom";
import { describeSource } from "./marks";

/** More of them would be a second text. */
const MAX_SHOWN = 20;

export class AlternativesView {
  readonly element = createElement("div", "also", { role: "group", "aria-label": "Also suggested" });
  private drawn: Spans = [];

  /**
   * @param leave Gives the focus back to the text after a click.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly leave: () => void,
  ) {
    this.element.hidden = true;
  }

  update(parts: ReadonlySet<Part>): void {
    if (!parts.has("example") && !parts.has("spans") && !parts.has("answer")) return;
    const spans = this.controller.alternatives;
    const isSame = spans.length === this.drawn.length && spans.every((one, i) => one === this.drawn[i]);
    if (isSame && !parts.has("example")) return;
    this.drawn = spans;
    this.element.hidden = spans.length === 0;
    const picks = spans.slice(0, MAX_SHOWN).map(this.draw);
    this.element.replaceChildren(...(picks.length === 0 ? [] : ["Also suggested", createKeyHint("t"), ...picks]));
  }

  private readonly draw = (span: Span): HTMLElement => {
    const words = this.controller.textOf(span);
    const source = describeSource(span);
    const attributes = {
      "data-also": `${span.start}:${span.end}`,
      "aria-label": `Take ${span.label} for ${words}, suggested ${source}`,
      "aria-keyshortcuts": "t",
      title: `Suggested ${source}`,
      tabindex: "-1",
    };
    const name = createElement("span", "also-name", {}, span.label);
    const content = [createElement("bdi", "", {}, words), name, createElement("span", "also-source", {}, source)];
    const element = createButton("also-pick", attributes, content, () => {
      this.controller.takeSuggestion(span);
      this.leave();
    });
    setLabelColor(element, this.controller.setup.colors[span.label]);
    return element;
  };
}
