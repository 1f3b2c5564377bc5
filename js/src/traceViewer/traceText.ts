/**
 * The text with the current token, those decided before it and those ahead.
 * All entities are marked from the start and only change their state, so that a
 * step updates no more than the tokens it passes.
 */
import { createElement, setAttributes, setLabelColor } from "../shared/dom";
import type { ParserTrace } from "./trace";

interface EntityMark {
  readonly element: HTMLElement;
  readonly start: number;
  readonly end: number;
}

export class TraceText {
  readonly element: HTMLElement;
  private readonly words: readonly HTMLElement[];
  private readonly marks: EntityMark[] = [];
  private shown = -1;

  constructor(trace: ParserTrace, jump: (token: number) => void) {
    this.words = trace.tokens.map(([text], token) => createElement("span", "step-word", { "data-token": String(token) }, text));
    const line = createElement("div", "words", { dir: "auto" }, trace.lead);
    let at = 0;
    for (const [start, end, label] of trace.found) {
      line.append(...this.between(trace, at, start));
      line.append(this.mark(trace, start, end, label), trace.tokens[end - 1]?.[1] ?? "");
      at = end;
    }
    line.append(...this.between(trace, at, trace.tokens.length));
    this.element = createElement("div", "step-text", {}, line);
    this.element.addEventListener("click", ({ target }) => {
      const word = target instanceof Element ? target.closest("[data-token]") : null;
      if (word !== null) jump(Number(word.getAttribute("data-token")));
    });
    this.words.forEach((word) => word.setAttribute("data-when", "ahead"));
  }

  show(position: number): void {
    const before = Math.max(0, this.shown);
    const [from, to] = [Math.min(before, position), Math.max(before, position)];
    for (let token = from; token <= to; token += 1) {
      const when = token < position ? "done" : token === position ? "now" : "ahead";
      this.words[token]?.setAttribute("data-when", when);
    }
    for (const { element, start, end } of this.marks) {
      if (end < from || start > to) continue;
      setAttributes(element, { "data-state": position <= start ? "ahead" : position < end ? "open" : "closed" });
    }
    this.shown = position;
    this.reveal(this.words[position] ?? this.words.at(-1));
  }

  /** Scroll the text, and nothing else, where the word would be out of sight. */
  private reveal(word: HTMLElement | undefined): void {
    const frame = this.element;
    if (word === undefined || frame.scrollHeight <= frame.clientHeight) return;
    const top = word.offsetTop;
    if (top < frame.scrollTop) frame.scrollTop = top - 16;
    else if (top + word.offsetHeight > frame.scrollTop + frame.clientHeight) {
      frame.scrollTop = top + word.offsetHeight - frame.clientHeight + 16;
    }
  }

  private between(trace: ParserTrace, start: number, end: number): (Node | string)[] {
    return trace.tokens.slice(start, end).flatMap(([, gap], i) => [this.words[start + i] as Node, gap]);
  }

  private mark(trace: ParserTrace, start: number, end: number, label: string): HTMLElement {
    const inside = this.between(trace, start, end).slice(0, -1);
    const tag = createElement("span", "tag", {}, label);
    const words = createElement("span", "step-inside", {}, ...inside);
    const element = createElement("mark", "step-mark", { "data-state": "ahead", "data-label": label }, words, tag);
    setLabelColor(element, trace, label);
    this.marks.push({ element, start, end });
    return element;
  }
}
