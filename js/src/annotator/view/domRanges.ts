/** Converts ranges and points of the document to token ranges. */
import type { TokenRange } from "../../shared/tokens";

/**
 * Find the tokens of which at least one character is in a range, wherever the
 * range begins and ends: inside a token, in a gap, outside the text.
 */
export function tokenRangeOf(range: Range, tokens: readonly HTMLElement[]): TokenRange | null {
  const start = firstToken(tokens, (token) => endsAfter(token, range));
  const end = firstToken(tokens, (token) => !startsBefore(token, range));
  return start < end ? { start, end } : null;
}

/** Return the token that contains an element; for the parts of a mark, its last token. */
export function tokenOf(target: EventTarget | null): number | null {
  if (!(target instanceof Element)) return null;
  const token = target.closest("[data-token]") ?? lastTokenOf(target.closest(".nbner-mark"));
  const index = token?.getAttribute("data-token");
  return index === null || index === undefined ? null : Number(index);
}

const lastTokenOf = (mark: Element | null): Element | null =>
  [...(mark?.querySelectorAll("[data-token]") ?? [])].at(-1) ?? null;

/** Return the index of the first token that meets a condition which all tokens behind it meet too. */
function firstToken(
  tokens: readonly HTMLElement[],
  holds: (token: HTMLElement) => boolean,
): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(tokens[middle] as HTMLElement)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Return whether a token's last character is behind a range's start. */
const endsAfter = (token: HTMLElement, range: Range): boolean =>
  textRangeOf(token).compareBoundaryPoints(Range.START_TO_END, range) > 0;

/** Return whether a token's first character is before a range's end. */
const startsBefore = (token: HTMLElement, range: Range): boolean =>
  textRangeOf(token).compareBoundaryPoints(Range.END_TO_START, range) < 0;

/** Return the range from a token's first to its last character, without the edges of its element. */
function textRangeOf(token: HTMLElement): Range {
  const letters = document.createRange();
  letters.selectNodeContents(token.firstChild ?? token);
  return letters;
}

/** Return the shadow root around an element, if any: the document does not expose selections inside it. */
const shadowRootOf = (element: Element): ShadowRoot | null => {
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root : null;
};

/** Return the browser's selection; null where it is empty or unknown. */
export function selectionIn(element: Element): Range | null {
  const shadow = shadowRootOf(element);
  const selection = getSelection();
  if (selection === null) return null;
  if (shadow !== null) return selectionInShadow(selection, shadow);
  return selection.isCollapsed || selection.rangeCount === 0 ? null : selection.getRangeAt(0);
}

function selectionInShadow(selection: Selection, shadow: ShadowRoot): Range | null {
  const [found] = selection.getComposedRanges?.({ shadowRoots: [shadow] }) ?? [];
  if (found === undefined || !shadow.contains(found.startContainer)) return null;
  const range = document.createRange();
  range.setStart(found.startContainer, found.startOffset);
  range.setEnd(found.endContainer, found.endOffset);
  return range.collapsed ? null : range;
}

/** Return the text in a range, without the names of labels. */
export function textIn(range: Range): string {
  const part = range.cloneContents();
  part.querySelectorAll(".nbner-tag").forEach((tag) => tag.remove());
  return part.textContent ?? "";
}

export const clearSelection = (): void => getSelection()?.removeAllRanges();

/** Return the position between two characters that is nearest to the pointer. */
export function caretAtPoint(element: Element, { clientX, clientY }: MouseEvent): Range | null {
  const shadow = shadowRootOf(element);
  const roots = shadow === null ? {} : { shadowRoots: [shadow] };
  const found = document.caretPositionFromPoint?.(clientX, clientY, roots);
  if (found === undefined) return document.caretRangeFromPoint?.(clientX, clientY) ?? null;
  if (found === null) return null;
  const range = document.createRange();
  range.setStart(found.offsetNode, found.offset);
  return range;
}
