/** Suggestions that lost to those they overlap, each with its source, one press away. */
import type { Controller, Part } from "../model/controller";
import type { Span, Spans } from "../model/spans";
import { button, keyHint, make, setHue } from "../../shared/dom";
import { sourceOf } from "./marks";

/** More of them would be a second text. */
const MOST = 20;

export class Also {
  readonly element = make("div", "also", { role: "group", "aria-label": "Also suggested" });
  private drawn: Spans = [];

  /**
   * @param leave Gives the focus back to the text after a click.
   */
  constructor(
    private readonly controller: Controller,
    private readonly leave: () => void,
  ) {
    this.element.hidden = true;
  }

  update(parts: ReadonlySet<Part>): void {
    if (!parts.has("example") && !parts.has("spans") && !parts.has("answer")) return;
    const spans = this.controller.others;
    const isSame = spans.length === this.drawn.length && spans.every((one, i) => one === this.drawn[i]);
    if (isSame && !parts.has("example")) return;
    this.drawn = spans;
    this.element.hidden = spans.length === 0;
    const picks = spans.slice(0, MOST).map(this.draw);
    this.element.replaceChildren(...(picks.length === 0 ? [] : ["Also suggested", keyHint("t"), ...picks]));
  }

  private readonly draw = (span: Span): HTMLElement => {
    const words = this.controller.textOf(span);
    const source = sourceOf(span);
    const attributes = {
      "data-also": `${span.start}:${span.end}`,
      "aria-label": `Take ${span.label} for ${words}, suggested ${source}`,
      "aria-keyshortcuts": "t",
      title: `Suggested ${source}`,
      tabindex: "-1",
    };
    const name = make("span", "also-name", {}, span.label);
    const content = [make("bdi", "", {}, words), name, make("span", "also-source", {}, source)];
    const element = button("also-pick", attributes, content, () => {
      this.controller.takeSuggestion(span);
      this.leave();
    });
    setHue(element, this.controller.setup.colors[span.label]);
    return element;
  };
}
