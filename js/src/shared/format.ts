/** Sentences for those who hear the page instead of seeing it, and figures as people write them. */
import type { AnswerKind, Counts } from "./protocol";
import type { Item } from "../annotator/model/exampleQueue";

export const DONE: Readonly<Record<AnswerKind, string>> = {
  accept: "Accepted",
  reject: "Rejected",
  ignore: "Ignored",
};

export const figure = (count: number): string => count.toLocaleString("en");

/** A probability in two places; one that would be nought is only small. */
export const likely = (probability: number): string =>
  probability < 0.005 ? "<.01" : probability.toFixed(2).replace(/^0/, "");

export const plural = (count: number, one: string): string =>
  `${figure(count)} ${one}${count === 1 ? "" : "s"}`;

export const progress = ({ total, open }: Counts): string =>
  `${figure(Math.max(0, total - open))} of ${figure(total)}`;

/** Says which example is shown and how far the work has come. */
export function standing(item: Item | null, counts: Counts): string {
  const done = `${progress(counts)} answered.`;
  if (item === null) return `No open example here. ${done}`;
  const { answer, spans } = item.state;
  const kind = answer === null ? "Open" : DONE[answer];
  return `${kind} example, ${plural(spans.length, "span")}. ${done}`;
}
