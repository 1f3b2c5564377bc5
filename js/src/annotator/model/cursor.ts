/**
 * The caret and the selection, in tokens.
 *
 * A caret that came there by key is a selection of one token, so that a label
 * key labels it. A caret left by a click is only a place: a label key then
 * picks the label, as hands that drag with the mouse expect.
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

/** Moves to a token, or takes the selection there. */
export function moveCaret(cursor: Cursor, token: number, extend: boolean): Cursor {
  return { caret: token, anchor: extend ? (cursor.anchor ?? cursor.caret ?? token) : token };
}

/** Goes one token on in reading order, over blank ones. */
export function stepCaret(cursor: Cursor, by: 1 | -1, extend: boolean, ground: TokenGrid): Cursor {
  const from = stepOrigin(cursor, by, extend);
  const target = from === null ? edgeToken(by === 1 ? "start" : "end", ground) : nextToken(from, by, ground);
  return target === null ? cursor : moveCaret(cursor, target, extend);
}

/** The first or the last token that is not blank; null in a text of blanks. */
export function edgeToken(side: "start" | "end", ground: TokenGrid): number | null {
  return side === "start" ? nextToken(-1, 1, ground) : nextToken(ground.size, -1, ground);
}

/** Leaving a selection of several tokens starts from the side that one leaves by. */
function stepOrigin(cursor: Cursor, by: 1 | -1, extend: boolean): number | null {
  const stretch = selectedRange(cursor);
  if (stretch === null || extend) return cursor.caret;
  return by === 1 ? stretch.end - 1 : stretch.start;
}

function nextToken(from: number, by: 1 | -1, { size, isBlank }: TokenGrid): number | null {
  for (let token = from + by; token >= 0 && token < size; token += by) {
    if (!isBlank(token)) return token;
  }
  return from >= 0 && from < size ? from : null;
}
