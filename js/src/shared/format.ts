/** Sentences for those who hear the page instead of seeing it, and figures as people write them. */
import type { AnswerKind, Counts } from "./protocol";
import type { QueueItem } from "../annotator/model/exampleQueue";

export const ANSWER_NAMES: Readonly<Record<AnswerKind, string>> = {
  accept: "Accepted",
  reject: "Rejected",
  ignore: "Ignored",
};

export const formatCount = (count: number): string => count.toLocaleString("en");

/** A probability in two places; one that would be nought is only small. */
export const formatProbability = (probability: number): string =>
  probability < 0.005 ? "<.01" : probability.toFixed(2).replace(/^0/, "");

export const pluralize = (count: number, one: string): string =>
  `${formatCount(count)} ${one}${count === 1 ? "" : "s"}`;

export const formatProgress = ({ total, open }: Counts): string =>
  `${formatCount(Math.max(0, total - open))} of ${formatCount(total)}`;

/** Says which example is shown and how far the work has come. */
export function describeExample(item: QueueItem | null, counts: Counts): string {
  const done = `${formatProgress(counts)} answered.`;
  if (item === null) return `No open example here. ${done}`;
  const { answer, spans } = item.state;
  const kind = answer === null ? "Open" : ANSWER_NAMES[answer];
  return `${kind} example, ${pluralize(spans.length, "span")}. ${done}`;
}
