/**
 * Lays a paragraph of many lines out in pieces that end where its lines end.
 *
 * A browser lays a whole paragraph out anew for every mark in it. In pieces it
 * looks the same, and only the piece around the mark is laid out.
 */
import { createElement } from "../../shared/dom";

/** A paragraph of so many tokens is worth it. */
const MIN_TOKENS = 400;
/** Lines that a piece has at least. */
const CHUNK_LINES = 8;
const CHUNK_ATTRIBUTE = "data-piece";

export class ParagraphChunks {
  private width = 0;

  constructor(private readonly words: HTMLElement) {}

  /** The text is another one, and in one piece. */
  reset(): void {
    this.width = 0;
  }

  /** Folds the text that is laid out, unless that is done for its width. */
  update(): void {
    const width = this.words.clientWidth;
    if (width === 0 || width === this.width) return;
    this.width = width;
    this.joinChunks();
    for (const paragraph of [...this.words.children]) {
      if (paragraph.querySelectorAll("[data-token]").length >= MIN_TOKENS) splitParagraph(paragraph as HTMLElement);
    }
  }

  private joinChunks(): void {
    for (const piece of this.words.querySelectorAll(`[${CHUNK_ATTRIBUTE}]`)) {
      piece.previousElementSibling?.append(...piece.childNodes);
      piece.remove();
    }
  }
}

function splitParagraph(paragraph: HTMLElement): void {
  // All is looked at before anything moves: the page is laid out once. From the
  // last piece on, each takes what stands from its first token to the end.
  for (const first of chunkStarts(paragraph).reverse()) {
    const piece = createElement("div", "", { [CHUNK_ATTRIBUTE]: "", dir: paragraph.dir });
    piece.className = paragraph.className;
    piece.style.setProperty("--nbner-lines-here", String(CHUNK_LINES));
    const range = document.createRange();
    range.setStartBefore(first);
    range.setEndAfter(paragraph.lastChild as ChildNode);
    piece.append(range.extractContents());
    paragraph.after(piece);
  }
}

/** Finds the tokens that pieces begin with: at the start of a line, and in no mark. */
function chunkStarts(paragraph: HTMLElement): Element[] {
  const found: Element[] = [];
  let lines = 0;
  let bottom = -Infinity;
  for (const element of paragraph.children) {
    const boxes = element.getClientRects();
    const [first, last] = [boxes[0], boxes[boxes.length - 1]];
    if (first === undefined || last === undefined) continue;
    const isNext = first.top + first.height / 2 > bottom;
    if (isNext) lines += 1;
    if (isNext && lines > CHUNK_LINES && element.hasAttribute("data-token")) {
      found.push(element);
      lines = 1;
    }
    bottom = last.bottom;
  }
  return found;
}
