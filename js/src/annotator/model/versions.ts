/** What several annotators say of one example, and which of it is shown. */
import type { Version } from "../../shared/protocol";
import type { QueueItem } from "./exampleQueue";
import { fromWire, sameSpans } from "./spans";

export const versionsOf = (item: QueueItem | null): readonly Version[] => item?.task.versions ?? [];

/** Whether the spans that are shown are just those of a version. */
export const showsVersion = (item: QueueItem | null, version: Version): boolean =>
  item !== null && sameSpans(item.state.spans, fromWire(version.spans));

/** The version after the one that is shown; the first where none is, null where there is none. */
export function nextVersion(item: QueueItem | null): Version | null {
  const versions = versionsOf(item);
  // Of versions that say the same, the last: the next one is then another.
  const last = versions.map((one) => showsVersion(item, one)).lastIndexOf(true);
  return versions[(last + 1) % versions.length] ?? null;
}
