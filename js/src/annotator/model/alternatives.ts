/** Other spans on offer for an example: suggestions that lost to an overlapping one, and annotators' versions. */
import type { Version } from "../../shared/protocol";
import { singleToken } from "../../shared/tokens";
import { selectedRange, type Cursor } from "./cursor";
import { isOpen, type QueueItem } from "./exampleQueue";
import { fromWire, hasSpan, overlapping, sameSpans, type Span, type Spans } from "./spans";

/** Return the suggestions of an open example that are not marked although they overlap, by position. */
export function unmarkedSuggestions(item: QueueItem | null): Spans {
  if (item === null || !isOpen(item)) return [];
  return overlappingSuggestions(item).filter((span) => !hasSpan(item.state.spans, span));
}

/**
 * Return the suggestion to put in place of what is at the caret: the next one
 * there, cyclically; without a caret the first one that is not marked.
 */
export function nextAlternative(item: QueueItem | null, cursor: Cursor, current: Span | null): Span | null {
  const unmarked = unmarkedSuggestions(item);
  const { caret } = cursor;
  if (item === null || caret === null) return unmarked[0] ?? null;
  const range = current ?? selectedRange(cursor) ?? singleToken(caret);
  const there = overlappingSuggestions(item).filter((span) => overlapping([span], range).length > 0);
  const from = current === null ? -1 : there.findIndex((span) => hasSpan([current], span));
  const cycle = [...there.slice(from + 1), ...there.slice(0, Math.max(0, from))];
  return cycle.find((span) => unmarked.includes(span)) ?? null;
}

/** By an item's suggestions, so that repeated calls return identical spans. */
const overlappingBySuggestions = new WeakMap<object, Spans>();

function overlappingSuggestions({ task, suggestions }: QueueItem): Spans {
  if (task.also.length === 0) return [];
  const known = overlappingBySuggestions.get(suggestions);
  if (known !== undefined) return known;
  const lost = fromWire(task.also);
  const won = suggestions.filter((span) => lost.some((one) => overlapping([one], span).length > 0));
  const all = [...won, ...lost].sort(
    (left, right) => left.start - right.start || left.end - right.end,
  );
  overlappingBySuggestions.set(suggestions, all);
  return all;
}

export const versionsOf = (item: QueueItem | null): readonly Version[] => item?.task.versions ?? [];

/** Return whether the spans shown are exactly those of a version. */
export const showsVersion = (item: QueueItem | null, version: Version): boolean =>
  item !== null && sameSpans(item.state.spans, fromWire(version.spans));

/** Return the version after the one shown; the first if none is shown, null if there is none. */
export function nextVersion(item: QueueItem | null): Version | null {
  const versions = versionsOf(item);
  // Of equal versions, start from the last: the next one is then a different one.
  const last = versions.map((one) => showsVersion(item, one)).lastIndexOf(true);
  return versions[(last + 1) % versions.length] ?? null;
}
