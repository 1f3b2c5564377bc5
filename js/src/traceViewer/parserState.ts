/** The parser's state: the open entity, and the buffer of tokens still to be decided. */
import { createElement, setAttributes, setLabelColor, setText } from "../shared/dom";
import { greedyStateAt, tokenText, textBetween, type ParserTrace } from "./trace";

const AHEAD = 7;

export class ParserStateView {
  readonly element: HTMLElement;
  private readonly open = createElement("span", "step-open");
  private readonly openWords = createElement("span", "step-open-words");
  private readonly openLabel = createElement("span", "tag");
  private readonly buffer = Array.from({ length: AHEAD }, () => createElement("span", "step-box"));
  private readonly rest = createElement("span", "step-rest");

  constructor(private readonly trace: ParserTrace) {
    this.open.append(this.openWords, this.openLabel);
    const row = createElement("span", "step-buffer", {}, ...this.buffer, this.rest);
    this.element = createElement("div", "step-state", {}, named("Open entity", this.open), named("Buffer", row));
  }

  show(position: number): void {
    const { trace } = this;
    const { open } = greedyStateAt(trace, position);
    setText(this.openWords, open === null ? "none" : `${textBetween(trace, open[0], position)} …`);
    setText(this.openLabel, open?.[1] ?? "");
    setAttributes(this.open, { "data-open": open === null ? null : "" });
    setLabelColor(this.open, trace, open === null ? null : open[1]);
    this.buffer.forEach((box, i) => {
      const token = position + i;
      const isThere = token < trace.tokens.length;
      setText(box, isThere ? tokenText(trace, token) : "");
      setAttributes(box, { hidden: isThere ? null : "" });
    });
    const left = trace.tokens.length - position - AHEAD;
    setText(this.rest, left > 0 ? `and ${left} more` : position === trace.tokens.length ? "empty" : "");
  }
}

function named(name: string, value: HTMLElement): HTMLElement {
  return createElement("div", "step-named", {}, createElement("span", "step-name", {}, name), value);
}
