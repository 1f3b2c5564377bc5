/**
 * The caret and the selection, in tokens.
 *
 * A caret moved by key is a selection of one token, so that a label key labels
 * it. A caret set by a click selects nothing: a label key then only makes its
 * label the active one, as users who drag with the mouse expect.
 */
import type { TokenGrid, TokenRange } from "../../shared/tokens";

export interface Cursor {
  readonly caret: number | null;
  /** Where the selection began; null while nothing is selected. */
  readonly anchor: number | null;
}

export const NO_CURSOR: Cursor = { caret: null, anchor: null };

export function selectedRange({ caret, anchor }: Cursor): TokenRange | null {
  if (caret === null || anchor === null) return null;
  return { start: Math.min(caret, anchor), end: Math.max(caret, anchor) + 1 };
}

export const caretAt = (token: number): Cursor => ({ caret: token, anchor: token });
export const clickedAt = (token: number): Cursor => ({ caret: token, anchor: null });
export const selectionOf = ({ start, end }: TokenRange): Cursor => ({ anchor: start, caret: end - 1 });

export const sameCursor = (left: Cursor, right: Cursor): boolean =>
  left.caret === right.caret && left.anchor === right.anchor;

/** Move the caret to a token; with `extend`, keep the other end of the selection. */
export function moveCaret(cursor: Cursor, token: number, extend: boolean): Cursor {
  return { caret: token, anchor: extend ? (cursor.anchor ?? cursor.caret ?? token) : token };
}

/** Move the caret by one token in reading order, over blank ones. */
export function stepCaret(cursor: Cursor, by: 1 | -1, extend: boolean, grid: TokenGrid): Cursor {
  const from = stepOrigin(cursor, by, extend);
  const target = from === null ? edgeToken(by === 1 ? "start" : "end", grid) : nextToken(from, by, grid);
  return target === null ? cursor : moveCaret(cursor, target, extend);
}

/** Return the first or the last token that is not blank; null in a text of blanks. */
export function edgeToken(side: "start" | "end", grid: TokenGrid): number | null {
  return side === "start" ? nextToken(-1, 1, grid) : nextToken(grid.size, -1, grid);
}

/** Return the token to step from: the near end of a selection of several tokens, else the caret. */
function stepOrigin(cursor: Cursor, by: 1 | -1, extend: boolean): number | null {
  const range = selectedRange(cursor);
  if (range === null || extend) return cursor.caret;
  return by === 1 ? range.end - 1 : range.start;
}

function nextToken(from: number, by: 1 | -1, { size, isBlank }: TokenGrid): number | null {
  for (let token = from + by; token >= 0 && token < size; token += by) {
    if (!isBlank(token)) return token;
  }
  return from >= 0 && from < size ? from : null;
}
