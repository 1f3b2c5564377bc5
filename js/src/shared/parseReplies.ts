/** Reads what the kernel replies to questions about other examples than the one shown. */
import type { Analyses, Analysis, Applied, Counts, Excerpt, Listed, Notice, Place, Places, Row, Task, WireSpan } from "./protocol";
import { answer, fields, list, text, texts, whole, type Fields } from "./parsePrimitives";

/** Reads a reply; null if it is none of these. */
export function readReply(
  from: Fields,
  tasks: readonly Task[],
  counts: Counts,
): Listed | Places | Applied | Analyses | Notice | null {
  switch (from.type) {
    case "listed":
      return { type: "listed", rows: list(from.rows).map(readRow), total: whole(from.total) };
    case "places":
      return { type: "places", places: list(from.places).map(readPlace), more: from.more === true };
    case "analyses":
      return { type: "analyses", example: text(from.example), analyses: list(from.analyses).map(readAnalysis) };
    case "applied":
      return {
        type: "applied",
        bulk: text(from.bulk),
        count: whole(from.count),
        left: whole(from.left),
        tasks,
        counts,
      };
    case "notice":
      return { type: "notice", text: text(from.text), detail: text(from.detail), stays: true };
    default:
      return null;
  }
}

function readAnalysis(raw: unknown): Analysis {
  const { probability, spans } = fields(raw);
  return {
    probability: typeof probability === "number" ? probability : 0,
    spans: list(spans) as WireSpan[],
  };
}

const readExcerpt = (from: Fields): Excerpt => ({
  left: text(from.left),
  hit: text(from.hit),
  right: text(from.right),
});

function readRow(raw: unknown): Row {
  const from = fields(raw);
  return {
    ...readExcerpt(from),
    id: text(from.id),
    answer: answer(from.answer),
    flagged: from.flagged === true,
    note: text(from.note),
    by: text(from.by),
    labels: texts(from.labels),
    score: typeof from.score === "number" ? from.score : null,
  };
}

function readPlace(raw: unknown): Place {
  const from = fields(raw);
  return {
    ...readExcerpt(from),
    example: text(from.example),
    start: whole(from.start),
    end: whole(from.end),
    problem: text(from.problem),
  };
}
