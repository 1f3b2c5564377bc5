import type { Spans } from "../src/annotator/model/spans";

/** Return a generator of reproducible random numbers (mulberry32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}

export const LABELS = ["ORG", "PERSON", "GPE"] as const;

/** Return random spans over a number of tokens: sorted, without overlap. */
export function randomSpans(random: (below: number) => number, size: number): Spans {
  const spans = [];
  for (let token = random(4); token < size; token += random(4)) {
    const end = Math.min(size, token + 1 + random(3));
    spans.push({ start: token, end, label: LABELS[random(3)] as string });
    token = end;
  }
  return spans;
}
