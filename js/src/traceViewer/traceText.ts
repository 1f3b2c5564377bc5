/**
 * The text: what is decided, the word at work, the buffer ahead. Marks are put
 * around all entities at once and only change their state, so that a step
 * touches no more than the words that it goes over.
 */
import { createElement, setAttributes, setLabelColor } from "../shared/dom";
import { labelColor, type TraceComponent } from "./component";
import type { ParserTrace } from "./trace";

interface EntityMark {
  readonly element: HTMLElement;
  readonly start: number;
  readonly end: number;
}

export class TraceText implements TraceComponent {
  readonly element: HTMLElement;
  private readonly words: readonly HTMLElement[];
  private readonly marks: EntityMark[] = [];
  private shown = -1;

  constructor(run: ParserTrace, jump: (token: number) => void) {
    this.words = run.tokens.map(([text], token) => createElement("span", "step-word", { "data-token": String(token) }, text));
    const line = createElement("div", "words", { dir: "auto" }, run.lead);
    let at = 0;
    for (const [start, end, label] of run.found) {
      line.append(...this.between(run, at, start));
      line.append(this.mark(run, start, end, label), run.tokens[end - 1]?.[1] ?? "");
      at = end;
    }
    line.append(...this.between(run, at, run.tokens.length));
    this.element = createElement("div", "step-text", {}, line);
    this.element.addEventListener("click", ({ target }) => {
      const word = target instanceof Element ? target.closest("[data-token]") : null;
      if (word !== null) jump(Number(word.getAttribute("data-token")));
    });
    this.words.forEach((word) => word.setAttribute("data-when", "ahead"));
  }

  show(place: number): void {
    const before = Math.max(0, this.shown);
    const [from, to] = [Math.min(before, place), Math.max(before, place)];
    for (let token = from; token <= to; token += 1) {
      const when = token < place ? "done" : token === place ? "now" : "ahead";
      this.words[token]?.setAttribute("data-when", when);
    }
    for (const { element, start, end } of this.marks) {
      if (end < from || start > to) continue;
      setAttributes(element, { "data-state": place <= start ? "ahead" : place < end ? "open" : "closed" });
    }
    this.shown = place;
    this.reveal(this.words[place] ?? this.words.at(-1));
  }

  /** Scrolls the text alone, and only where the word would not be seen. */
  private reveal(word: HTMLElement | undefined): void {
    const frame = this.element;
    if (word === undefined || frame.scrollHeight <= frame.clientHeight) return;
    const top = word.offsetTop;
    if (top < frame.scrollTop) frame.scrollTop = top - 16;
    else if (top + word.offsetHeight > frame.scrollTop + frame.clientHeight) {
      frame.scrollTop = top + word.offsetHeight - frame.clientHeight + 16;
    }
  }

  private between(run: ParserTrace, start: number, end: number): (Node | string)[] {
    return run.tokens.slice(start, end).flatMap(([, gap], i) => [this.words[start + i] as Node, gap]);
  }

  private mark(run: ParserTrace, start: number, end: number, label: string): HTMLElement {
    const inside = this.between(run, start, end).slice(0, -1);
    const tag = createElement("span", "tag", {}, label);
    const words = createElement("span", "step-inside", {}, ...inside);
    const element = createElement("mark", "step-mark", { "data-state": "ahead", "data-label": label }, words, tag);
    setLabelColor(element, labelColor(run, label));
    this.marks.push({ element, start, end });
    return element;
  }
}
