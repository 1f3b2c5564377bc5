/**
 * The query language of the example list: `is:open`, `label:ORG`, `by:ann`,
 * `sort:unsure`; all other words are searched for in the texts.
 */
import type { ExampleFilter } from "../../shared/protocol";

/** Terms that have a button of their own, with its name. */
export const QUICK_FILTERS = [
  { term: "is:open", name: "open", filter: { answer: "open" } },
  { term: "is:accepted", name: "accepted", filter: { answer: "accept" } },
  { term: "is:rejected", name: "rejected", filter: { answer: "reject" } },
  { term: "is:ignored", name: "ignored", filter: { answer: "ignore" } },
  { term: "is:flagged", name: "flagged", filter: { flagged: true } },
  { term: "is:noted", name: "with a note", filter: { noted: true } },
  { term: "sort:unsure", name: "least sure first", filter: { order: "unsure" } },
] as const;

const FILTER_BY_TERM = new Map<string, ExampleFilter>([
  ...QUICK_FILTERS.map(({ term, filter }) => [term, filter] as const),
  ["is:answered", { answer: "answered" }],
]);

/** Terms that exclude each other: an example has one answer. */
const ANSWER_TERMS: readonly string[] = ["is:open", "is:accepted", "is:rejected", "is:ignored", "is:answered"];

/** Split a query at white space, but not inside quotes. */
export function splitQuery(query: string): string[] {
  return query.match(/\w+:"[^"]*"|"[^"]*"|\S+/g) ?? [];
}

export function parseQuery(query: string): ExampleFilter {
  const texts: string[] = [];
  let filter: ExampleFilter = {};
  for (const term of splitQuery(query)) {
    const named = FILTER_BY_TERM.get(term.toLowerCase());
    const [, key, value] = /^(label|by):"?([^"]+)"?$/.exec(term) ?? [];
    if (named !== undefined) filter = { ...filter, ...named };
    else if (key === "label") filter = { ...filter, label: value as string };
    else if (key === "by") filter = { ...filter, annotator: value as string };
    else texts.push(term.replaceAll('"', ""));
  }
  const text = texts.join(" ").trim();
  return text === "" ? filter : { ...filter, text };
}

/** Add a term to a query in place of those it excludes, or remove it where it is present. */
export function toggleTerm(query: string, term: string): string {
  const terms = splitQuery(query);
  if (terms.includes(term)) return terms.filter((one) => one !== term).join(" ");
  const excluded = ANSWER_TERMS.includes(term)
    ? ANSWER_TERMS
    : term.startsWith("label:")
      ? terms.filter((one) => one.startsWith("label:"))
      : [];
  return [...terms.filter((one) => !excluded.includes(one)), term].join(" ");
}

export const labelTerm = (label: string): string =>
  /^[^\s":]+$/.test(label) ? `label:${label}` : `label:"${label}"`;
