/**
 * The words of a search and what they mean: `is:open`, `label:ORG`, `by:ann`,
 * `sort:unsure`; everything else is looked for in the texts.
 */
import type { ExampleFilter } from "../../shared/protocol";

/** Words that stand for one condition each, with what a button calls them. */
export const QUICK_FILTERS = [
  { word: "is:open", name: "open", filter: { answer: "open" } },
  { word: "is:accepted", name: "accepted", filter: { answer: "accept" } },
  { word: "is:rejected", name: "rejected", filter: { answer: "reject" } },
  { word: "is:ignored", name: "ignored", filter: { answer: "ignore" } },
  { word: "is:flagged", name: "flagged", filter: { flagged: true } },
  { word: "is:noted", name: "with a note", filter: { noted: true } },
  { word: "sort:unsure", name: "least sure first", filter: { order: "unsure" } },
] as const;

const MORE_TERMS: Readonly<Record<string, ExampleFilter>> = { "is:answered": { answer: "answered" } };

/** Of two of these the later one counts: an example has one answer. */
const ANSWER_TERMS: readonly string[] = ["is:open", "is:accepted", "is:rejected", "is:ignored", "is:answered"];

const FILTER_BY_TERM = new Map<string, ExampleFilter>([
  ...QUICK_FILTERS.map(({ word, filter }) => [word, filter] as const),
  ...Object.entries(MORE_TERMS),
]);

/** Cuts a search into its words; quotes hold several together. */
export function splitQuery(query: string): string[] {
  return query.match(/\w+:"[^"]*"|"[^"]*"|\S+/g) ?? [];
}

export function parseQuery(query: string): ExampleFilter {
  const texts: string[] = [];
  let filter: ExampleFilter = {};
  for (const word of splitQuery(query)) {
    const named = FILTER_BY_TERM.get(word.toLowerCase());
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
export function toggleTerm(query: string, word: string): string {
  const words = splitQuery(query);
  if (words.includes(word)) return words.filter((one) => one !== word).join(" ");
  const rivals = ANSWER_TERMS.includes(word) ? ANSWER_TERMS : word.startsWith("label:") ? labelTermsIn(words) : [];
  return [...words.filter((one) => !rivals.includes(one)), word].join(" ");
}

export const labelTerm = (label: string): string =>
  /^[^\s":]+$/.test(label) ? `label:${label}` : `label:"${label}"`;

const labelTermsIn = (words: readonly string[]): string[] =>
  words.filter((word) => word.startsWith("label:"));
