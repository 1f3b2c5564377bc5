/** Finds words inside the text of one example, as ranges of tokens. */
import type { Task } from "../../shared/protocol";
import type { TokenRange } from "../../shared/tokens";

/** How many matches are found at most: the field says "1,000 or more". */
export const MAX_MATCHES = 1_000;

/** Return the ranges of tokens that hold a text, whatever its case; in the order of the text. */
export function findInText({ lead, tokens }: Pick<Task, "lead" | "tokens">, query: string): TokenRange[] {
  const wanted = query.trim();
  if (wanted === "") return [];
  const pattern = new RegExp(escapeForPattern(wanted).replace(/\s+/gu, "\\s+"), "giu");
  const ends: number[] = [];
  let text = lead;
  for (const [word, gap] of tokens) {
    ends.push(text.length + word.length);
    text += word + gap;
  }
  const found: TokenRange[] = [];
  let token = 0;
  for (const match of text.matchAll(pattern)) {
    // Tokens before the match end at or before its first character.
    while (token < ends.length && (ends[token] as number) <= match.index) token += 1;
    let end = token;
    while (end < ends.length && (ends[end] as number) < match.index + match[0].length) end += 1;
    const range = { start: token, end: Math.min(end + 1, tokens.length) };
    const last = found.at(-1);
    if (range.start < range.end && !(last?.start === range.start && last.end === range.end)) found.push(range);
    if (found.length === MAX_MATCHES) break;
  }
  return found;
}

const escapeForPattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/gu, "\\$&");

/** Return the index of the match to show: the next or previous one from a token, or else the first or last. */
export function matchFrom(matches: readonly TokenRange[], token: number | null, by: 1 | -1): number {
  const from = token ?? (by === 1 ? -1 : Number.MAX_SAFE_INTEGER);
  if (by === 1) {
    const next = matches.findIndex(({ start }) => start > from);
    return next < 0 ? 0 : next;
  }
  const following = matches.findIndex(({ start }) => start >= from);
  return (following <= 0 ? matches.length : following) - 1;
}
