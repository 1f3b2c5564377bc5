/** Writes answers as Prodigy's JSONL, which `session.add` reads. */
import type { Task } from "../shared/protocol";
import { textOf, type StoredAnswer } from "./standInKernel";

/** Return one line an answered example; offsets are in code points, as in Python. */
export function exportLines(tasks: readonly Task[], answers: readonly StoredAnswer[]): string {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const lines = answers.flatMap(({ example, answer, spans, flagged, note }) => {
    const task = byId.get(example);
    if (task === undefined || answer === null) return [];
    const places = placesOf(task);
    const written = spans.map(([start, end, label]) => ({
      start: places[start]?.[0],
      end: places[end - 1]?.[1],
      label,
      token_start: start,
      token_end: end - 1,
    }));
    const tokens = task.tokens.map(([text, space], id) => ({ text, id, start: places[id]?.[0], end: places[id]?.[1], ws: space !== "" }));
    const row = { text: textOf(task), tokens, spans: written, answer, ...(flagged && { flagged }), ...(note !== "" && { note }) };
    return [JSON.stringify(row)];
  });
  return lines.map((line) => `${line}\n`).join("");
}

/** Return where each token begins and ends, in code points. */
function placesOf(task: Task): readonly (readonly [number, number])[] {
  const length = (text: string): number => [...text].length;
  let at = length(task.lead);
  return task.tokens.map(([text, space]) => {
    const [start, end] = [at, at + length(text)];
    at = end + length(space);
    return [start, end] as const;
  });
}
