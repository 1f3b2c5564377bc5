/** What the kernel tells of a run, once, and what can be read off it; offsets are token indices. */

/** `[action, probability, cost]`; the cost is null where no gold is known. */
export type Choice = readonly [action: number, probability: number, cost: number | null];

/** `[rank before, action, score, flags]`; the first two are -1 before the first token. */
export type Held = readonly [before: number, action: number, score: number, flags: number];

export const GREEDY = 1;
export const BEST = 2;
export const GOLD = 4;

export type Entity = readonly [start: number, end: number, label: string];

export interface Run {
  readonly version: string;
  readonly lead: string;
  /** Each token with what follows it. */
  readonly tokens: readonly (readonly [text: string, gap: string])[];
  readonly actions: readonly string[];
  readonly colors: Readonly<Record<string, string>>;
  /** For each token the valid actions, the chosen one first. */
  readonly steps: readonly (readonly Choice[])[];
  /** What the beam holds before each token, and after the last. */
  readonly beams: readonly (readonly Held[])[];
  readonly found: readonly Entity[];
  readonly gold: readonly Entity[] | null;
  readonly score: number;
  readonly width: number;
  readonly note: string;
}

export interface Analysis {
  readonly closed: readonly Entity[];
  readonly open: readonly [start: number, label: string] | null;
}

export const labelOf = (action: string): string => action.slice(2);
export const nameOf = (run: Run, action: number): string => run.actions[action] ?? "";
export const wordOf = (run: Run, token: number): string => run.tokens[token]?.[0].trim() || "␣";

export function wordsOf(run: Run, start: number, end: number): string {
  const tokens = run.tokens.slice(start, end);
  return tokens.map(([text, gap], i) => (i < tokens.length - 1 ? text + gap : text)).join("");
}

/** What greedy search has closed and opened before a token. */
export function greedyAt(run: Run, token: number): Analysis {
  const current = run.found.find(([start, end]) => start < token && token < end);
  return {
    closed: run.found.filter(([, end]) => end <= token),
    open: current === undefined ? null : [current[0], current[2]],
  };
}

/** What one sequence of the beam has closed and opened before a token. */
export function analysisAt(run: Run, token: number, rank: number): Analysis {
  const taken: string[] = [];
  let at = rank;
  for (let step = token; step > 0; step -= 1) {
    const [before, action] = run.beams[step]?.[at] ?? [-1, -1];
    taken.unshift(nameOf(run, action));
    at = before;
  }
  return read(taken);
}

function read(actions: readonly string[]): Analysis {
  const closed: Entity[] = [];
  let open: Analysis["open"] = null;
  actions.forEach((action, token) => {
    const label: string = open?.[1] ?? labelOf(action);
    if (/^[LU]/.test(action) && label) closed.push([open?.[0] ?? token, token + 1, label]);
    if (action.startsWith("B")) open = [token, label];
    else if (!action.startsWith("I")) open = null;
  });
  return { closed, open };
}

const same = (left: Entity, right: Entity): boolean =>
  left[0] === right[0] && left[1] === right[1] && left[2] === right[2];

export const isAmong = (entity: Entity, others: readonly Entity[]): boolean =>
  others.some((other) => same(entity, other));

export const costs = (choice: Choice | undefined): boolean =>
  choice !== undefined && choice[2] !== null && choice[2] > 0;
export const isFree = (choice: Choice): boolean => choice[2] !== null && choice[2] <= 0;

/** The tokens at which the chosen action costs something of the gold. */
export const mistakesOf = (run: Run): readonly number[] =>
  run.steps.flatMap((choices, token) => (costs(choices[0]) ? [token] : []));

/** The token at which greedy search left the sequence that is the beam's best in the end. */
export function lostAt(run: Run): number | null {
  const [best] = run.beams.at(-1) ?? [];
  if (best === undefined || (best[3] & GREEDY) !== 0 || best[2] <= run.score) return null;
  const left = run.beams.findIndex((beam) => beam.some(([, , , flags]) => (flags & BEST) !== 0 && (flags & GREEDY) === 0));
  // A sequence that no longer is the greedy one has parted from it one token before.
  return left < 1 ? null : left - 1;
}

/** A probability in two places; one that would be nought is only small. */
export const shareOf = (probability: number): string =>
  probability < 0.005 ? "<0.01" : probability.toFixed(2);

/** What a word's decision is, in words. */
export function saidAt(run: Run, token: number): string {
  const choices = run.steps[token];
  const chosen = choices?.[0];
  if (choices === undefined || chosen === undefined) return finished(run);
  const says = `“${wordOf(run, token)}”: ${nameOf(run, chosen[0])} is chosen, ${shareOf(chosen[1])}.`;
  if (chosen[2] === null) return says;
  if (!costs(chosen)) return `${says} It costs nothing of the gold.`;
  const free = choices.filter(isFree).map(([action]) => nameOf(run, action));
  const others = free.length > 0 ? `${free.join(" or ")} would cost nothing.` : "No action would cost nothing.";
  return `${says} It costs gold: ${others}`;
}

function finished(run: Run): string {
  const count = run.found.length;
  const found = `All ${run.tokens.length} words are decided: ${count} ${count === 1 ? "entity" : "entities"} found.`;
  if (run.gold === null) return found;
  const right = run.found.filter((one) => isAmong(one, run.gold ?? [])).length;
  return `${found} ${right} of them right, of ${run.gold.length} in the gold.`;
}
