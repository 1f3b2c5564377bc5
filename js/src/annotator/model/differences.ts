/** Where the versions of an example differ, and what a version says there. */
import type { Version } from "../../shared/protocol";
import { singleToken, type TokenRange } from "../../shared/tokens";
import { selectedRange, type Cursor } from "./cursor";
import { fromWire, hasSpan, overlapping, removeOverlapping, type Spans } from "./spans";

/** Return the ranges of the spans that not every version has, by position; overlapping ones are one range. */
export function differencesOf(versions: readonly Version[]): readonly TokenRange[] {
  const all = versions.map(({ spans }) => fromWire(spans));
  const disputed = all.flat().filter((span) => !all.every((spans) => hasSpan(spans, span)));
  const ranges: TokenRange[] = [];
  for (const { start, end } of disputed.sort((left, right) => left.start - right.start)) {
    const last = ranges.at(-1);
    if (last === undefined || start >= last.end) ranges.push({ start, end });
    else ranges[ranges.length - 1] = { start: last.start, end: Math.max(last.end, end) };
  }
  return ranges;
}

/** Return the difference that holds the caret or the whole selection; null if there is none. */
export function differenceAt(versions: readonly Version[], cursor: Cursor): TokenRange | null {
  if (cursor.caret === null) return null;
  const { start, end } = selectedRange(cursor) ?? singleToken(cursor.caret);
  return differencesOf(versions).find((range) => range.start <= start && end <= range.end) ?? null;
}

/**
 * Return the next difference from the caret or the selection in a direction, beyond the last one the first;
 * null where the versions do not differ.
 */
export function adjacentDifference(versions: readonly Version[], cursor: Cursor, by: 1 | -1): TokenRange | null {
  const ranges = differencesOf(versions);
  const { caret } = cursor;
  if (caret === null) return ranges.at(by > 0 ? 0 : -1) ?? null;
  if (by > 0) return ranges.find(({ start }) => start > caret) ?? ranges[0] ?? null;
  const from = selectedRange(cursor)?.start ?? caret;
  return ranges.filter(({ start }) => start < from).at(-1) ?? ranges.at(-1) ?? null;
}

/** Return spans as they are, and in one range as a version has them. */
export function withVersionAt(spans: Spans, version: Version, range: TokenRange): Spans {
  const theirs = overlapping(fromWire(version.spans), range);
  return [...removeOverlapping(spans, range), ...theirs].sort((left, right) => left.start - right.start);
}
