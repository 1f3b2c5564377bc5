/**
 * The words of a search and what they mean: `is:open`, `label:ORG`, `by:ann`,
 * `sort:unsure`; everything else is looked for in the texts.
 */
import type { Filter } from "../../shared/protocol";

/** Words that stand for one condition each, with what a button calls them. */
export const CONDITIONS = [
  { word: "is:open", name: "open", filter: { answer: "open" } },
  { word: "is:accepted", name: "accepted", filter: { answer: "accept" } },
  { word: "is:rejected", name: "rejected", filter: { answer: "reject" } },
  { word: "is:ignored", name: "ignored", filter: { answer: "ignore" } },
  { word: "is:flagged", name: "flagged", filter: { flagged: true } },
  { word: "is:noted", name: "with a note", filter: { noted: true } },
  { word: "sort:unsure", name: "least sure first", filter: { order: "unsure" } },
] as const;

const OTHERS: Readonly<Record<string, Filter>> = { "is:answered": { answer: "answered" } };

/** Of two of these the later one counts: an example has one answer. */
const ANSWERS: readonly string[] = ["is:open", "is:accepted", "is:rejected", "is:ignored", "is:answered"];

const meaning = new Map<string, Filter>([
  ...CONDITIONS.map(({ word, filter }) => [word, filter] as const),
  ...Object.entries(OTHERS),
]);

/** Cuts a search into its words; quotes hold several together. */
export function wordsOf(query: string): string[] {
  return query.match(/\w+:"[^"]*"|"[^"]*"|\S+/g) ?? [];
}

export function filterOf(query: string): Filter {
  const texts: string[] = [];
  let filter: Filter = {};
  for (const word of wordsOf(query)) {
    const named = meaning.get(word.toLowerCase());
    const [, key, value] = /^(label|by):"?([^"]+)"?$/.exec(word) ?? [];
    if (named !== undefined) filter = { ...filter, ...named };
    else if (key === "label") filter = { ...filter, label: value as string };
    else if (key === "by") filter = { ...filter, annotator: value as string };
    else texts.push(word.replaceAll('"', ""));
  }
  const text = texts.join(" ").trim();
  return text === "" ? filter : { ...filter, text };
}

/** Adds a condition to a search, or takes it out again. */
export function toggled(query: string, word: string): string {
  const words = wordsOf(query);
  if (words.includes(word)) return words.filter((one) => one !== word).join(" ");
  const rivals = ANSWERS.includes(word) ? ANSWERS : word.startsWith("label:") ? labelsIn(words) : [];
  return [...words.filter((one) => !rivals.includes(one)), word].join(" ");
}

export const labelWord = (label: string): string =>
  /^[^\s":]+$/.test(label) ? `label:${label}` : `label:"${label}"`;

const labelsIn = (words: readonly string[]): string[] =>
  words.filter((word) => word.startsWith("label:"));
