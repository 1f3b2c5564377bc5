/** Where a stretch's words stand again in a text: pure functions of tokens. */
import type { Excerpt, OccurrenceAction } from "../../shared/protocol";
import type { TokenRange } from "../../shared/tokens";
import { overlapping, type Spans } from "./spans";

type Tokens = readonly (readonly [string, string])[];

/** Tokens to either side of a hit. */
const AROUND = 8;

const isBlank = (word: string): boolean => word.trim() === "";

/** The words of a stretch, without the white space between them. */
export const wordsInRange = (tokens: Tokens, { start, end }: TokenRange): string[] =>
  tokens.slice(start, end).flatMap(([word]) => (isBlank(word) ? [] : [word]));

/** Every place where these words follow each other as whole tokens; none overlaps another. */
export function findOccurrences(tokens: Tokens, words: readonly string[], cased: boolean): TokenRange[] {
  const fold = (word: string): string => (cased ? word : word.toLowerCase());
  const wanted = words.map(fold);
  const found: TokenRange[] = [];
  for (let start = 0; start < tokens.length; start += 1) {
    if (fold(tokens[start]?.[0] ?? "") !== wanted[0]) continue;
    const end = endOf(tokens, start, wanted, fold);
    if (end === null) continue;
    found.push({ start, end });
    start = end - 1;
  }
  return found;
}

function endOf(
  tokens: Tokens,
  start: number,
  wanted: readonly string[],
  fold: (word: string) => string,
): number | null {
  let at = start;
  for (const word of wanted) {
    while (at > start && at < tokens.length && isBlank(tokens[at]?.[0] ?? "")) at += 1;
    if (fold(tokens[at]?.[0] ?? "") !== word) return null;
    at += 1;
  }
  return at;
}

export function excerpt(tokens: Tokens, { start, end }: TokenRange): Excerpt {
  const write = (from: number, to: number): string =>
    tokens
      .slice(Math.max(0, from), to)
      .map(([word, gap]) => word + gap)
      .join("");
  const hit = write(start, end - 1) + (tokens[end - 1]?.[0] ?? "");
  const gap = tokens[end - 1]?.[1] ?? "";
  return { left: write(start - AROUND, start), hit, right: gap + write(end, end + AROUND) };
}

/**
 * Why a place is to be left as it is: a word for people, empty where it can be
 * changed, null where there is nothing to change.
 */
export function conflictAt(
  spans: Spans,
  place: TokenRange,
  label: string,
  take: OccurrenceAction,
  relabels = false,
): string | null {
  const over = overlapping(spans, place);
  const isHere = (one: TokenRange): boolean => one.start === place.start && one.end === place.end;
  const isSame = over.some((one) => isHere(one) && one.label === label);
  if (take === "unlabel") return isSame ? "" : null;
  if (isSame) return null;
  // Where gold is mended, another label of just these words may change.
  const there = relabels ? over.filter((one) => !isHere(one)) : over;
  return there.length === 0 ? "" : `holds ${there.map((one) => one.label).join(", ")}`;
}
