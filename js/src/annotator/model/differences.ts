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

/** Return the difference after the caret, after the last one the first; null where the versions do not differ. */
export function nextDifference(versions: readonly Version[], caret: number | null): TokenRange | null {
  const ranges = differencesOf(versions);
  return ranges.find(({ start }) => caret === null || start > caret) ?? ranges[0] ?? null;
}

/** Return spans as they are, and in one range as a version has them. */
export function withVersionAt(spans: Spans, version: Version, range: TokenRange): Spans {
  const theirs = overlapping(fromWire(version.spans), range);
  return [...removeOverlapping(spans, range), ...theirs].sort((left, right) => left.start - right.start);
}
