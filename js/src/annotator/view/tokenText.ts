/** Writes a text down, token by token, and tells where its parts lie in the window. */
import { createElement } from "../../shared/dom";
import type { Task } from "../../shared/protocol";
import type { TokenRange } from "../../shared/tokens";

/** From so many tokens on, what is out of sight is not laid out. */
const LONG_TEXT = 2_000;
const CHARS_PER_LINE = 76;

/**
 * Writes a text apart from the page, with the element of each token.
 *
 * Each paragraph is a block of its own: it runs in the direction of its own
 * first letter, and a change in it leaves all others as they are laid out.
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

function openParagraph(text: DocumentFragment, size: number): HTMLElement {
  const paragraph = createElement("div", size < LONG_TEXT ? "paragraph" : "paragraph paragraph-of-many");
  text.append(paragraph);
  return paragraph;
}

/** What is not laid out takes about the room that it will take, so that the scroll bar tells the truth. */
function estimateHeights(text: DocumentFragment): void {
  for (const paragraph of text.children) {
    const lines = Math.ceil((paragraph.textContent?.length ?? 0) / CHARS_PER_LINE);
    (paragraph as HTMLElement).style.setProperty("--nbner-lines-here", String(Math.max(1, lines)));
  }
}

/** A paragraph without a letter runs like the one before it. */
function setDirections(text: DocumentFragment): void {
  let direction = directionOf(text.textContent ?? "") ?? "ltr";
  for (const paragraph of text.children) {
    direction = directionOf(paragraph.textContent ?? "") ?? direction;
    (paragraph as HTMLElement).dir = direction;
  }
}

/** Letters of the scripts that run from right to left: Hebrew, Arabic and their kin. */
const RIGHT_TO_LEFT =
  /^[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Tells which way a text runs, by its first letter. `dir="auto"` would mean
 * the same, but Chromium then reads the whole text again at every change.
 */
function directionOf(text: string): "ltr" | "rtl" | null {
  const letter = /\p{L}/u.exec(text)?.[0];
  if (letter === undefined) return null;
  return RIGHT_TO_LEFT.test(letter) ? "rtl" : "ltr";
}

/** Whether the text around a token runs from right to left. */
export const isRightToLeft = (token: HTMLElement | undefined): boolean =>
  token?.closest<HTMLElement>("[dir]")?.dir === "rtl";

/** The boxes of everything in a stretch of tokens. */
export function boxesOf(tokens: readonly HTMLElement[], stretch: TokenRange | null): readonly DOMRect[] {
  const first = tokens[stretch?.start ?? -1];
  const last = tokens[(stretch?.end ?? 0) - 1];
  if (first === undefined || last === undefined) return [];
  const range = document.createRange();
  range.setStartBefore(first);
  range.setEndAfter(last);
  return [...range.getClientRects()];
}

/** Scrolls only the text, and only as far as needed to show a token; tells whether it had to. */
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
