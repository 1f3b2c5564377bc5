/** Suggestions that are in each other's way: those not marked at the moment are on offer. */
import type { Cursor } from "./cursor";
import { selectedRange } from "./cursor";
import { isOpen, type QueueItem } from "./exampleQueue";
import { fromWire, hasSpan, overlapping, type Span, type Spans } from "./spans";

/** What was also suggested for an open example and is not marked, by its place. */
export function unmarkedSuggestions(item: QueueItem | null): Spans {
  if (item === null || !isOpen(item)) return [];
  return overlappingSuggestions(item).filter((span) => !hasSpan(item.state.spans, span));
}

/**
 * The suggestion that takes the place of what stands at the caret: the next one
 * there, in a circle; without a caret the first that is not marked.
 */
export function nextAlternative(item: QueueItem | null, cursor: Cursor, current: Span | null): Span | null {
  const free = unmarkedSuggestions(item);
  const { caret } = cursor;
  if (item === null || caret === null) return free[0] ?? null;
  const stretch = current ?? selectedRange(cursor) ?? { start: caret, end: caret + 1 };
  const there = overlappingSuggestions(item).filter((span) => overlapping([span], stretch).length > 0);
  const from = current === null ? -1 : there.findIndex((span) => hasSpan([current], span));
  const circle = [...there.slice(from + 1), ...there.slice(0, Math.max(0, from))];
  return circle.find((span) => free.includes(span)) ?? null;
}

/** The spans of one item, made once: who asks twice gets the same ones. */
const poolBySuggestions = new WeakMap<object, Spans>();

function overlappingSuggestions({ task, suggestions }: QueueItem): Spans {
  if (task.also.length === 0) return [];
  const known = poolBySuggestions.get(suggestions);
  if (known !== undefined) return known;
  const lost = fromWire(task.also);
  const won = suggestions.filter((span) => lost.some((one) => overlapping([one], span).length > 0));
  const all = [...won, ...lost].sort(
    (left, right) => left.start - right.start || left.end - right.end,
  );
  poolBySuggestions.set(suggestions, all);
  return all;
}
