/** The state itself: the entity that is open, and the buffer of words still to be decided. */
import { make, setAttributes, setHue, setText } from "../shared/dom";
import { hueOf, type Part } from "./component";
import { greedyAt, wordOf, wordsOf, type Run } from "./trace";

const AHEAD = 7;

export class StateLine implements Part {
  readonly element: HTMLElement;
  private readonly open = make("span", "step-open");
  private readonly openWords = make("span", "step-open-words");
  private readonly openLabel = make("span", "tag");
  private readonly buffer = Array.from({ length: AHEAD }, () => make("span", "step-box"));
  private readonly rest = make("span", "step-rest");

  constructor(private readonly run: Run) {
    this.open.append(this.openWords, this.openLabel);
    const row = make("span", "step-buffer", {}, ...this.buffer, this.rest);
    this.element = make("div", "step-state", {}, named("Open entity", this.open), named("Buffer", row));
  }

  show(place: number): void {
    const { run } = this;
    const { open } = greedyAt(run, place);
    setText(this.openWords, open === null ? "none" : `${wordsOf(run, open[0], place)} …`);
    setText(this.openLabel, open?.[1] ?? "");
    setAttributes(this.open, { "data-open": open === null ? null : "" });
    setHue(this.open, open === null ? null : hueOf(run, open[1]));
    this.buffer.forEach((box, i) => {
      const token = place + i;
      const isThere = token < run.tokens.length;
      setText(box, isThere ? wordOf(run, token) : "");
      setAttributes(box, { hidden: isThere ? null : "" });
    });
    const left = run.tokens.length - place - AHEAD;
    setText(this.rest, left > 0 ? `and ${left} more` : place === run.tokens.length ? "empty" : "");
  }
}

function named(name: string, value: HTMLElement): HTMLElement {
  return make("div", "step-named", {}, make("span", "step-name", {}, name), value);
}
