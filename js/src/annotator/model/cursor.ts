/**
 * The caret and the selection, in tokens.
 *
 * A caret that came there by key is a selection of one token, so that a label
 * key labels it. A caret left by a click is only a place: a label key then
 * picks the label, as hands that drag with the mouse expect.
 */
import type { Stretch } from "./spans";

export interface Cursor {
  readonly caret: number | null;
  /** Where the selection began; null while nothing is selected. */
  readonly anchor: number | null;
}

export const NOWHERE: Cursor = { caret: null, anchor: null };

/** The tokens of a text as far as a caret cares. */
export interface Ground {
  readonly size: number;
  isBlank(token: number): boolean;
}

export function selected({ caret, anchor }: Cursor): Stretch | null {
  if (caret === null || anchor === null) return null;
  return { start: Math.min(caret, anchor), end: Math.max(caret, anchor) + 1 };
}

export const at = (token: number): Cursor => ({ caret: token, anchor: token });
export const place = (token: number): Cursor => ({ caret: token, anchor: null });
export const over = ({ start, end }: Stretch): Cursor => ({ anchor: start, caret: end - 1 });

export const sameCursor = (left: Cursor, right: Cursor): boolean =>
  left.caret === right.caret && left.anchor === right.anchor;

/** Moves to a token, or takes the selection there. */
export function to(cursor: Cursor, token: number, extend: boolean): Cursor {
  return { caret: token, anchor: extend ? (cursor.anchor ?? cursor.caret ?? token) : token };
}

/** Goes one token on in reading order, over blank ones. */
export function step(cursor: Cursor, by: 1 | -1, extend: boolean, ground: Ground): Cursor {
  const from = startingPoint(cursor, by, extend);
  const target = from === null ? edge(by === 1 ? "start" : "end", ground) : next(from, by, ground);
  return target === null ? cursor : to(cursor, target, extend);
}

/** The first or the last token that is not blank; null in a text of blanks. */
export function edge(side: "start" | "end", ground: Ground): number | null {
  return side === "start" ? next(-1, 1, ground) : next(ground.size, -1, ground);
}

/** Leaving a selection of several tokens starts from the side that one leaves by. */
function startingPoint(cursor: Cursor, by: 1 | -1, extend: boolean): number | null {
  const stretch = selected(cursor);
  if (stretch === null || extend) return cursor.caret;
  return by === 1 ? stretch.end - 1 : stretch.start;
}

function next(from: number, by: 1 | -1, { size, isBlank }: Ground): number | null {
  for (let token = from + by; token >= 0 && token < size; token += by) {
    if (!isBlank(token)) return token;
  }
  return from >= 0 && from < size ? from : null;
}
