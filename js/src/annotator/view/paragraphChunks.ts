/**
 * Splits long paragraphs into chunks that end where lines end.
 *
 * A browser lays out a whole paragraph again for every mark added to it. Split
 * into chunks it looks the same, and only the chunk around the mark is laid out.
 */
import { createElement } from "../../shared/dom";

/** Shorter paragraphs are not split. */
const MIN_TOKENS = 400;
/** Lines that a chunk has at least. */
const CHUNK_LINES = 8;
const CHUNK_ATTRIBUTE = "data-piece";

export class ParagraphChunks {
  private width = 0;

  constructor(private readonly words: HTMLElement) {}

  /** Start over with another text, which is not split. */
  reset(): void {
    this.width = 0;
  }

  /** Split the text as it is laid out, unless that has been done for its width. */
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
    for (const chunk of this.words.querySelectorAll(`[${CHUNK_ATTRIBUTE}]`)) {
      chunk.previousElementSibling?.append(...chunk.childNodes);
      chunk.remove();
    }
  }
}

function splitParagraph(paragraph: HTMLElement): void {
  // Everything is measured before anything moves, so that the page is laid out once. From the
  // last chunk on, each takes the nodes from its first token to the end.
  for (const first of chunkStarts(paragraph).reverse()) {
    const chunk = createElement("div", "", { [CHUNK_ATTRIBUTE]: "", dir: paragraph.dir });
    chunk.className = paragraph.className;
    chunk.style.setProperty("--nbner-lines-here", String(CHUNK_LINES));
    const range = document.createRange();
    range.setStartBefore(first);
    range.setEndAfter(paragraph.lastChild as ChildNode);
    chunk.append(range.extractContents());
    paragraph.after(chunk);
  }
}

/** Return the tokens that chunks begin with: at the start of a line, and not inside a mark. */
function chunkStarts(paragraph: HTMLElement): Element[] {
  const found: Element[] = [];
  let lines = 0;
  let bottom = -Infinity;
  for (const element of paragraph.children) {
    const boxes = element.getClientRects();
    const [first, last] = [boxes[0], boxes[boxes.length - 1]];
    if (first === undefined || last === undefined) continue;
    const isNewLine = first.top + first.height / 2 > bottom;
    if (isNewLine) lines += 1;
    if (isNewLine && lines > CHUNK_LINES && element.hasAttribute("data-token")) {
      found.push(element);
      lines = 1;
    }
    bottom = last.bottom;
  }
  return found;
}
