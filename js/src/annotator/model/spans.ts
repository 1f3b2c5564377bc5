/**
 * Spans over tokens: plain values, half-open, sorted, without overlap.
 *
 * Functions return new lists and never mutate the given ones, so that the
 * undo history can keep references to them.
 */
import type { TokenGrid, TokenRange } from "../../shared/tokens";
import type { WireSpan } from "../../shared/protocol";

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  readonly source?: string;
  readonly score?: number;
  readonly pattern?: number;
}
export type Spans = readonly Span[];

export const sameSpan = (left: Span, right: Span): boolean =>
  left.start === right.start && left.end === right.end && left.label === right.label;

export const sameSpans = (left: Spans, right: Spans): boolean =>
  left === right ||
  (left.length === right.length && left.every((span, i) => sameSpan(span, right[i] as Span)));

export const hasSpan = (spans: Spans, span: Span): boolean => {
  const found = spanAt(spans, span.start);
  return found !== null && sameSpan(found, span);
};

export function fromWire(spans: readonly WireSpan[]): Spans {
  return spans.map(([start, end, label, details]) => ({ start, end, label, ...details }));
}

export function toWire(spans: Spans): WireSpan[] {
  return spans.map(({ start, end, label }) => [start, end, label]);
}

/** Find the span that covers a token, by binary search. */
export function spanAt(spans: Spans, token: number): Span | null {
  const found = spans[firstEndingAfter(spans, token)];
  return found !== undefined && found.start <= token ? found : null;
}

/** Return the spans that share at least one token with a range. */
export function overlapping(spans: Spans, { start, end }: TokenRange): Spans {
  const first = firstEndingAfter(spans, start);
  let last = first;
  while (last < spans.length && (spans[last] as Span).start < end) last += 1;
  return spans.slice(first, last);
}

/** Add a span, and remove all spans that it overlaps. */
export function addSpan(spans: Spans, span: Span): Spans {
  const first = firstEndingAfter(spans, span.start);
  let after = first;
  while (after < spans.length && (spans[after] as Span).start < span.end) after += 1;
  return [...spans.slice(0, first), span, ...spans.slice(after)];
}

/** Remove every span that shares a token with a range. */
export function removeOverlapping(spans: Spans, range: TokenRange): Spans {
  const removed = overlapping(spans, range);
  return removed.length === 0 ? spans : spans.filter((span) => !removed.includes(span));
}

/** Label a range; where it has exactly this label already, remove the span. */
export function toggleSpan(spans: Spans, { start, end }: TokenRange, label: string): Spans {
  const span = { start, end, label };
  return hasSpan(spans, span) ? removeOverlapping(spans, span) : addSpan(spans, span);
}

/**
 * Move one end of a span by a token, over blank ones. Return null where nothing
 * would be left of the span, the text ends, or another span is in the way.
 */
export function resizeSpan(
  spans: Spans,
  { start, end, label }: Span,
  edge: "start" | "end",
  by: 1 | -1,
  { size, isBlank }: TokenGrid,
): Span | null {
  const range = { start, end };
  do {
    range[edge] += by;
    if (range.start < 0 || range.end > size || range.start >= range.end) return null;
  } while (isBlank(edge === "start" ? range.start : range.end - 1));
  const isFree = overlapping(spans, range).every((one) => one.start === start && one.end === end);
  return isFree ? { ...range, label } : null;
}

/** Return the next span that begins after a token, or the last that ends before it; null if there is none. */
export function nextSpan(spans: Spans, token: number | null, by: 1 | -1): Span | null {
  if (by === 1) return spans.find((span) => token === null || span.start > token) ?? null;
  for (let i = spans.length - 1; i >= 0; i -= 1) {
    const span = spans[i] as Span;
    if (token === null || span.end <= token) return span;
  }
  return null;
}

/** The spans to remove and to add to turn one list into another; compared by identity. */
export interface SpanDiff {
  readonly removed: Spans;
  readonly added: Spans;
}

export function diffSpans(before: Spans, after: Spans): SpanDiff {
  return {
    removed: before.filter((span) => spanAt(after, span.start) !== span),
    added: after.filter((span) => spanAt(before, span.start) !== span),
  };
}

/** Return the suggestion that a span overlaps; null if it is the span itself, or if there is none. */
export function findReplacedSuggestion(suggestions: Spans, span: Span): Span | null {
  const found = overlapping(suggestions, span);
  return found.some((one) => sameSpan(one, span)) ? null : (found[0] ?? null);
}

/**
 * Clip a range to the text and to its outer tokens that are not blank, since an
 * entity neither begins nor ends with white space. Return null if none is left.
 */
export function trimRange(
  range: TokenRange,
  size: number,
  isBlank: (token: number) => boolean,
): TokenRange | null {
  let start = Math.max(0, Math.min(range.start, range.end));
  let end = Math.min(size, Math.max(range.start, range.end));
  while (start < end && isBlank(start)) start += 1;
  while (end > start && isBlank(end - 1)) end -= 1;
  return start < end ? { start, end } : null;
}

/** Return the index of the first span that ends after a token. */
function firstEndingAfter(spans: Spans, token: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span).end <= token) low = middle + 1;
    else high = middle;
  }
  return low;
}
