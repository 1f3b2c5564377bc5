/**
 * Spans over tokens: plain values, half-open, sorted, never overlapping.
 *
 * Every function takes such a list and gives a new one; the lists themselves
 * are never changed, so that history can hold on to them.
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

/** Finds the span that covers a token, in a number of steps that grows with the logarithm. */
export function spanAt(spans: Spans, token: number): Span | null {
  const found = spans[firstEndingAfter(spans, token)];
  return found !== undefined && found.start <= token ? found : null;
}

/** The spans that share at least one token with a stretch. */
export function overlapping(spans: Spans, { start, end }: TokenRange): Spans {
  const first = firstEndingAfter(spans, start);
  let last = first;
  while (last < spans.length && (spans[last] as Span).start < end) last += 1;
  return spans.slice(first, last);
}

/** Adds a span in the place of all those it overlaps. */
export function addSpan(spans: Spans, span: Span): Spans {
  const first = firstEndingAfter(spans, span.start);
  let after = first;
  while (after < spans.length && (spans[after] as Span).start < span.end) after += 1;
  return [...spans.slice(0, first), span, ...spans.slice(after)];
}

/** Takes away every span that shares a token with the stretch. */
export function removeOverlapping(spans: Spans, stretch: TokenRange): Spans {
  const gone = overlapping(spans, stretch);
  return gone.length === 0 ? spans : spans.filter((span) => !gone.includes(span));
}

/** Labels a stretch; where it has exactly this label already, takes the label off. */
export function toggleSpan(spans: Spans, { start, end }: TokenRange, label: string): Spans {
  const span = { start, end, label };
  return hasSpan(spans, span) ? removeOverlapping(spans, span) : addSpan(spans, span);
}

/**
 * Moves one end of a span by a token, over blank ones. Null where nothing would
 * be left of it, the text ends, or a neighbour stands: that is never pushed.
 */
export function resizeSpan(
  spans: Spans,
  { start, end, label }: Span,
  edge: "start" | "end",
  by: 1 | -1,
  { size, isBlank }: TokenGrid,
): Span | null {
  const place = { start, end };
  do {
    place[edge] += by;
    if (place.start < 0 || place.end > size || place.start >= place.end) return null;
  } while (isBlank(edge === "start" ? place.start : place.end - 1));
  const isFree = overlapping(spans, place).every((one) => one.start === start && one.end === end);
  return isFree ? { ...place, label } : null;
}

/** The next span that begins after a token, or the last that ends before it; null if there is none. */
export function nextSpan(spans: Spans, token: number | null, by: 1 | -1): Span | null {
  if (by === 1) return spans.find((span) => token === null || span.start > token) ?? null;
  for (let i = spans.length - 1; i >= 0; i -= 1) {
    const span = spans[i] as Span;
    if (token === null || span.end <= token) return span;
  }
  return null;
}

/** What has to be done to come from one list to the other. */
export interface SpanDiff {
  readonly removed: Spans;
  readonly added: Spans;
}

export function diffSpans(before: Spans, after: Spans): SpanDiff {
  return {
    removed: before.filter((span) => !hasSpan(after, span)),
    added: after.filter((span) => !hasSpan(before, span)),
  };
}

/** What had been suggested where a span stands now; null if that is the span itself, or nothing. */
export function findReplacedSuggestion(suggestions: Spans, span: Span): Span | null {
  const there = overlapping(suggestions, span);
  return there.some((one) => sameSpan(one, span)) ? null : (there[0] ?? null);
}

/**
 * Brings a stretch into the bounds of a text and off the blank tokens at its
 * ends, since an entity neither begins nor ends with white space.
 */
export function trimRange(
  stretch: TokenRange,
  size: number,
  isBlank: (token: number) => boolean,
): TokenRange | null {
  let start = Math.max(0, Math.min(stretch.start, stretch.end));
  let end = Math.min(size, Math.max(stretch.start, stretch.end));
  while (start < end && isBlank(start)) start += 1;
  while (end > start && isBlank(end - 1)) end -= 1;
  return start < end ? { start, end } : null;
}

/** Index of the first span that ends after a token. */
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
