/** Renders a text token by token, measures tokens, and highlights ranges of them. */
import { createElement } from "../../shared/dom";
import type { Task } from "../../shared/protocol";
import type { TokenRange } from "../../shared/tokens";

/** From this number of tokens on, paragraphs out of sight are not laid out. */
const LONG_TEXT = 2_000;
const CHARS_PER_LINE = 76;

/**
 * Render a text outside the page; return it with the element of each token.
 *
 * Each paragraph is a block of its own: it has the direction of its own first
 * letter, and a change in it does not affect the layout of the others.
 */
export function renderTokens(task: Task | null): [DocumentFragment, HTMLElement[]] {
  const text = document.createDocumentFragment();
  const tokens = task?.tokens ?? [];
  let paragraph = openParagraph(text, tokens.length);
  if (task?.lead) paragraph.append(task.lead);
  const elements = tokens.map(([word, gap], i) => {
    const token = document.createElement("span");
    token.setAttribute("data-token", String(i));
    token.textContent = word;
    paragraph.append(token);
    if (gap) paragraph.append(gap);
    if ((word + gap).includes("\n")) paragraph = openParagraph(text, tokens.length);
    return token;
  });
  setDirections(text);
  if (tokens.length >= LONG_TEXT) estimateHeights(text);
  return [text, elements];
}

function openParagraph(text: DocumentFragment, tokenCount: number): HTMLElement {
  const paragraph = createElement("div", tokenCount < LONG_TEXT ? "paragraph" : "paragraph paragraph-of-many");
  text.append(paragraph);
  return paragraph;
}

/** Estimate the heights of paragraphs that are not laid out, so that the scroll bar is about right. */
function estimateHeights(text: DocumentFragment): void {
  for (const paragraph of text.children) {
    const lines = Math.ceil((paragraph.textContent?.length ?? 0) / CHARS_PER_LINE);
    (paragraph as HTMLElement).style.setProperty("--nbner-lines-here", String(Math.max(1, lines)));
  }
}

/** Set each paragraph's direction; one without a letter has that of the one before it. */
function setDirections(text: DocumentFragment): void {
  let direction = directionOf(text.textContent ?? "") ?? "ltr";
  for (const paragraph of text.children) {
    direction = directionOf(paragraph.textContent ?? "") ?? direction;
    (paragraph as HTMLElement).dir = direction;
  }
}

/** Letters of the scripts that run from right to left, such as Hebrew and Arabic. */
const RIGHT_TO_LEFT =
  /^[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Return a text's direction by its first letter. `dir="auto"` would mean the
 * same, but Chromium then reads the whole text again at every change.
 */
function directionOf(text: string): "ltr" | "rtl" | null {
  const letter = /\p{L}/u.exec(text)?.[0];
  if (letter === undefined) return null;
  return RIGHT_TO_LEFT.test(letter) ? "rtl" : "ltr";
}

/** Return whether the text around a token runs from right to left. */
export const isRightToLeft = (token: HTMLElement | undefined): boolean =>
  token?.closest<HTMLElement>("[dir]")?.dir === "rtl";

/** Return the boxes of everything in a range of tokens. */
export function boxesOf(tokens: readonly HTMLElement[], range: TokenRange | null): readonly DOMRect[] {
  const first = tokens[range?.start ?? -1];
  const last = tokens[(range?.end ?? 0) - 1];
  if (first === undefined || last === undefined) return [];
  const domRange = document.createRange();
  domRange.setStartBefore(first);
  domRange.setEndAfter(last);
  return [...domRange.getClientRects()];
}

/** Scroll the text, and nothing else, as far as needed to show a token; return whether it scrolled. */
export function scrollTo(scroller: HTMLElement, token: HTMLElement): boolean {
  const box = token.getBoundingClientRect();
  const view = scroller.getBoundingClientRect();
  const above = box.top - box.height - view.top;
  const below = box.bottom + box.height - view.bottom;
  const before = scroller.scrollTop;
  if (above < 0) scroller.scrollTop += above;
  else if (below > 0) scroller.scrollTop += below;
  return scroller.scrollTop !== before;
}

const EMPTY_RANGE: TokenRange = { start: 0, end: 0 };

/** An attribute on the tokens of one range; a change touches only tokens whose value changes. */
export class RangeHighlight {
  private current = EMPTY_RANGE;
  private tokens: readonly HTMLElement[] = [];

  constructor(private readonly attribute: string) {}

  /** Highlight nothing, in another text. */
  reset(tokens: readonly HTMLElement[]): void {
    this.tokens = tokens;
    this.current = EMPTY_RANGE;
  }

  setRange(range: TokenRange | null): void {
    const next = range ?? EMPTY_RANGE;
    const { start, end } = this.current;
    if (start === next.start && end === next.end) return;
    for (let token = start; token < end; token += 1) {
      if (token < next.start || token >= next.end) this.setToken(token, null);
    }
    for (let token = next.start; token < next.end; token += 1) {
      this.setToken(token, token === next.end - 1 ? "last" : "inner");
    }
    this.current = next;
  }

  private setToken(token: number, value: "inner" | "last" | null): void {
    const element = this.tokens[token];
    if (element === undefined) return;
    if (value === null) element.removeAttribute(this.attribute);
    else if (element.getAttribute(this.attribute) !== value) element.setAttribute(this.attribute, value);
  }
}
