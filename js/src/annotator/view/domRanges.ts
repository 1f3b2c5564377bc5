/** From places in the document to tokens: whatever a selection touches, it means whole tokens. */
import type { TokenRange } from "../../shared/tokens";

/**
 * Finds the tokens of which at least one character lies in a range, wherever
 * the range begins and ends: in the middle of a token, in a gap, outside.
 */
export function tokenRangeOf(range: Range, tokens: readonly HTMLElement[]): TokenRange | null {
  const start = firstToken(tokens, (token) => endsAfter(token, range));
  const end = firstToken(tokens, (token) => !startsBefore(token, range));
  return start < end ? { start, end } : null;
}

/** The token that an element lies in; a mark's own parts stand for its last token. */
export function tokenOf(target: EventTarget | null): number | null {
  if (!(target instanceof Element)) return null;
  const token = target.closest("[data-token]") ?? lastTokenOf(target.closest(".nbner-mark"));
  const index = token?.getAttribute("data-token");
  return index === null || index === undefined ? null : Number(index);
}

const lastTokenOf = (mark: Element | null): Element | null =>
  [...(mark?.querySelectorAll("[data-token]") ?? [])].at(-1) ?? null;

/** Index of the first token for which something holds that holds for all behind it too. */
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

/** Whether a token's last character lies behind a range's start. */
const endsAfter = (token: HTMLElement, range: Range): boolean =>
  textRangeOf(token).compareBoundaryPoints(Range.START_TO_END, range) > 0;

/** Whether a token's first character lies before a range's end. */
const startsBefore = (token: HTMLElement, range: Range): boolean =>
  textRangeOf(token).compareBoundaryPoints(Range.END_TO_START, range) < 0;

/** From the first character to the last: the element's own edges would count as inside. */
function textRangeOf(token: HTMLElement): Range {
  const letters = document.createRange();
  letters.selectNodeContents(token.firstChild ?? token);
  return letters;
}

/** Some hosts put the widget behind a shadow root; the document then tells nothing of what is inside. */
const shadowRootOf = (element: Element): ShadowRoot | null => {
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root : null;
};

/** What the browser has selected here; null where that is nothing, or cannot be known. */
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

/** The text in a range, character by character as it came. */
export function textIn(range: Range): string {
  const part = range.cloneContents();
  part.querySelectorAll(".nbner-tag").forEach((tag) => tag.remove());
  return part.textContent ?? "";
}

export const clearSelection = (): void => getSelection()?.removeAllRanges();

/** The place between two characters that lies nearest to the pointer. */
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
