/**
 * Other spans on offer for an example: suggestions that lost to an overlapping one, what else
 * the model holds possible, and annotators' versions.
 */
import type { Version } from "../../shared/protocol";
import { singleToken } from "../../shared/tokens";
import { selectedRange, type Cursor } from "./cursor";
import { isOpen, type QueueItem } from "./exampleQueue";
import { fromWire, hasSpan, overlapping, sameSpans, type Span, type Spans } from "./spans";

/** Return what is on offer for an open example and not marked, the likeliest first, then by position. */
export function unmarkedSuggestions(item: QueueItem | null): Spans {
  if (item === null || !isOpen(item)) return [];
  return offeredSpans(item)
    .filter((span) => !hasSpan(item.state.spans, span))
    .sort((left, right) => (right.score ?? 1) - (left.score ?? 1));
}

/**
 * Return the span on offer to put in place of what is at the caret: the next one there,
 * cyclically; where there is none, or no caret, the first one that is not marked.
 */
export function nextAlternative(item: QueueItem | null, cursor: Cursor, current: Span | null): Span | null {
  const unmarked = unmarkedSuggestions(item);
  const { caret } = cursor;
  if (item === null || caret === null) return unmarked[0] ?? null;
  const range = current ?? selectedRange(cursor) ?? singleToken(caret);
  const there = offeredSpans(item).filter((span) => overlapping([span], range).length > 0);
  const from = current === null ? -1 : there.findIndex((span) => hasSpan([current], span));
  const cycle = [...there.slice(from + 1), ...there.slice(0, Math.max(0, from))];
  return cycle.find((span) => unmarked.includes(span)) ?? unmarked[0] ?? null;
}

/** Return whether all suggestions, and all that is on offer, are of one source. */
export const hasOneSource = (item: QueueItem | null): boolean =>
  item !== null && new Set([...item.suggestions, ...fromWire(item.task.also)].map(({ source }) => source)).size === 1;

/** By an item's suggestions, so that repeated calls return identical spans. */
const offeredBySuggestions = new WeakMap<object, Spans>();

/** The spans beside the marked suggestions, and the marked ones that they overlap, by position. */
function offeredSpans({ task, suggestions }: QueueItem): Spans {
  if (task.also.length === 0) return [];
  const known = offeredBySuggestions.get(suggestions);
  if (known !== undefined) return known;
  const beside = fromWire(task.also);
  const won = suggestions.filter((span) => overlapping(beside, span).length > 0);
  const all = [...won, ...beside].sort(
    (left, right) => left.start - right.start || left.end - right.end,
  );
  offeredBySuggestions.set(suggestions, all);
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
