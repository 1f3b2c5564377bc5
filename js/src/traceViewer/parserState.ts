/** The state itself: the entity that is open, and the buffer of words still to be decided. */
import { createElement, setAttributes, setLabelColor, setText } from "../shared/dom";
import { labelColor, type TraceComponent } from "./component";
import { greedyStateAt, tokenText, textOfRange, type ParserTrace } from "./trace";

const AHEAD = 7;

export class ParserStateView implements TraceComponent {
  readonly element: HTMLElement;
  private readonly open = createElement("span", "step-open");
  private readonly openWords = createElement("span", "step-open-words");
  private readonly openLabel = createElement("span", "tag");
  private readonly buffer = Array.from({ length: AHEAD }, () => createElement("span", "step-box"));
  private readonly rest = createElement("span", "step-rest");

  constructor(private readonly run: ParserTrace) {
    this.open.append(this.openWords, this.openLabel);
    const row = createElement("span", "step-buffer", {}, ...this.buffer, this.rest);
    this.element = createElement("div", "step-state", {}, named("Open entity", this.open), named("Buffer", row));
  }

  show(place: number): void {
    const { run } = this;
    const { open } = greedyStateAt(run, place);
    setText(this.openWords, open === null ? "none" : `${textOfRange(run, open[0], place)} …`);
    setText(this.openLabel, open?.[1] ?? "");
    setAttributes(this.open, { "data-open": open === null ? null : "" });
    setLabelColor(this.open, open === null ? null : labelColor(run, open[1]));
    this.buffer.forEach((box, i) => {
      const token = place + i;
      const isThere = token < run.tokens.length;
      setText(box, isThere ? tokenText(run, token) : "");
      setAttributes(box, { hidden: isThere ? null : "" });
    });
    const left = run.tokens.length - place - AHEAD;
    setText(this.rest, left > 0 ? `and ${left} more` : place === run.tokens.length ? "empty" : "");
  }
}

function named(name: string, value: HTMLElement): HTMLElement {
  return createElement("div", "step-named", {}, createElement("span", "step-name", {}, name), value);
}
