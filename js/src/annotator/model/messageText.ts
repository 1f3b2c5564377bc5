/** Texts about an example and its answer, for the status line and for screen readers. */
import { formatCount, pluralize } from "../../shared/format";
import type { AnswerKind, Counts } from "../../shared/protocol";
import type { QueueItem } from "./exampleQueue";

export const ANSWER_NAMES: Readonly<Record<AnswerKind, string>> = {
  accept: "Accepted",
  reject: "Rejected",
  ignore: "Ignored",
};

export const formatProgress = ({ total, open }: Counts): string =>
  `${formatCount(Math.max(0, total - open))} of ${formatCount(total)}`;

/** Describe the example shown and the progress of the dataset. */
export function describeExample(item: QueueItem | null, counts: Counts): string {
  const done = `${formatProgress(counts)} answered.`;
  if (item === null) return `No open example here. ${done}`;
  const { answer, spans } = item.state;
  const kind = answer === null ? "Open" : ANSWER_NAMES[answer];
  return `${kind} example, ${pluralize(spans.length, "span")}. ${done}`;
}
