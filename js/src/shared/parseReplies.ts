/** Reads what the kernel replies to questions about other examples than the one shown. */
import type { AnalysesReply, Analysis, BulkReply, Counts, Excerpt, ListReply, NoticeMessage, Occurrence, OccurrencesReply, ExampleRow, Task, WireSpan } from "./protocol";
import { asAnswer, asRecord, asArray, asString, asStrings, asCount, type Fields } from "./parsePrimitives";

/** Reads a reply; null if it is none of these. */
export function parseReply(
  from: Fields,
  tasks: readonly Task[],
  counts: Counts,
): ListReply | OccurrencesReply | BulkReply | AnalysesReply | NoticeMessage | null {
  switch (from.type) {
    case "listed":
      return { type: "listed", rows: asArray(from.rows).map(parseRow), total: asCount(from.total) };
    case "places":
      return { type: "places", places: asArray(from.places).map(parsePlace), more: from.more === true };
    case "analyses":
      return { type: "analyses", example: asString(from.example), analyses: asArray(from.analyses).map(parseAnalysis) };
    case "applied":
      return {
        type: "applied",
        bulk: asString(from.bulk),
        count: asCount(from.count),
        left: asCount(from.left),
        tasks,
        counts,
      };
    case "notice":
      return { type: "notice", text: asString(from.text), detail: asString(from.detail), stays: true };
    default:
      return null;
  }
}

function parseAnalysis(raw: unknown): Analysis {
  const { probability, spans } = asRecord(raw);
  return {
    probability: typeof probability === "number" ? probability : 0,
    spans: asArray(spans) as WireSpan[],
  };
}

const parseExcerpt = (from: Fields): Excerpt => ({
  left: asString(from.left),
  hit: asString(from.hit),
  right: asString(from.right),
});

function parseRow(raw: unknown): ExampleRow {
  const from = asRecord(raw);
  return {
    ...parseExcerpt(from),
    id: asString(from.id),
    answer: asAnswer(from.answer),
    flagged: from.flagged === true,
    note: asString(from.note),
    by: asString(from.by),
    labels: asStrings(from.labels),
    score: typeof from.score === "number" ? from.score : null,
  };
}

function parsePlace(raw: unknown): Occurrence {
  const from = asRecord(raw);
  return {
    ...parseExcerpt(from),
    example: asString(from.example),
    start: asCount(from.start),
    end: asCount(from.end),
    problem: asString(from.problem),
  };
}
