/** What the kernel tells of a run, once, and what can be read off it; offsets are token indices. */

/** `[action, probability, cost]`; the cost is null where no gold is known. */
export type ActionChoice = readonly [action: number, probability: number, cost: number | null];

/** `[rank before, action, score, flags]`; the first two are -1 before the first token. */
export type BeamHypothesis = readonly [before: number, action: number, score: number, flags: number];

export const GREEDY = 1;
export const BEST = 2;
export const GOLD = 4;

export type Entity = readonly [start: number, end: number, label: string];

export interface ParserTrace {
  readonly version: string;
  readonly lead: string;
  /** Each token with what follows it. */
  readonly tokens: readonly (readonly [text: string, gap: string])[];
  readonly actions: readonly string[];
  readonly colors: Readonly<Record<string, string>>;
  /** For each token the valid actions, the chosen one first. */
  readonly steps: readonly (readonly ActionChoice[])[];
  /** What the beam holds before each token, and after the last. */
  readonly beams: readonly (readonly BeamHypothesis[])[];
  readonly found: readonly Entity[];
  readonly gold: readonly Entity[] | null;
  readonly score: number;
  readonly width: number;
  readonly note: string;
}

export interface ParserState {
  readonly closed: readonly Entity[];
  readonly open: readonly [start: number, label: string] | null;
}

export const actionLabel = (action: string): string => action.slice(2);
export const actionName = (run: ParserTrace, action: number): string => run.actions[action] ?? "";
export const tokenText = (run: ParserTrace, token: number): string => run.tokens[token]?.[0].trim() || "␣";

export function textOfRange(run: ParserTrace, start: number, end: number): string {
  const tokens = run.tokens.slice(start, end);
  return tokens.map(([text, gap], i) => (i < tokens.length - 1 ? text + gap : text)).join("");
}

/** What greedy search has closed and opened before a token. */
export function greedyStateAt(run: ParserTrace, token: number): ParserState {
  const current = run.found.find(([start, end]) => start < token && token < end);
  return {
    closed: run.found.filter(([, end]) => end <= token),
    open: current === undefined ? null : [current[0], current[2]],
  };
}

/** What one sequence of the beam has closed and opened before a token. */
export function beamStateAt(run: ParserTrace, token: number, rank: number): ParserState {
  const taken: string[] = [];
  let at = rank;
  for (let step = token; step > 0; step -= 1) {
    const [before, action] = run.beams[step]?.[at] ?? [-1, -1];
    taken.unshift(actionName(run, action));
    at = before;
  }
  return replayActions(taken);
}

function replayActions(actions: readonly string[]): ParserState {
  const closed: Entity[] = [];
  let open: ParserState["open"] = null;
  actions.forEach((action, token) => {
    const label: string = open?.[1] ?? actionLabel(action);
    if (/^[LU]/.test(action) && label) closed.push([open?.[0] ?? token, token + 1, label]);
    if (action.startsWith("B")) open = [token, label];
    else if (!action.startsWith("I")) open = null;
  });
  return { closed, open };
}

const sameEntity = (left: Entity, right: Entity): boolean =>
  left[0] === right[0] && left[1] === right[1] && left[2] === right[2];

export const includesEntity = (entity: Entity, others: readonly Entity[]): boolean =>
  others.some((other) => sameEntity(entity, other));

export const isCostly = (choice: ActionChoice | undefined): boolean =>
  choice !== undefined && choice[2] !== null && choice[2] > 0;
export const isZeroCost = (choice: ActionChoice): boolean => choice[2] !== null && choice[2] <= 0;

/** The tokens at which the chosen action costs something of the gold. */
export const costlyTokens = (run: ParserTrace): readonly number[] =>
  run.steps.flatMap((choices, token) => (isCostly(choices[0]) ? [token] : []));

/** The token at which greedy search left the sequence that is the beam's best in the end. */
export function divergenceToken(run: ParserTrace): number | null {
  const [best] = run.beams.at(-1) ?? [];
  if (best === undefined || (best[3] & GREEDY) !== 0 || best[2] <= run.score) return null;
  const left = run.beams.findIndex((beam) => beam.some(([, , , flags]) => (flags & BEST) !== 0 && (flags & GREEDY) === 0));
  // A sequence that no longer is the greedy one has parted from it one token before.
  return left < 1 ? null : left - 1;
}

/** A probability in two places; one that would be nought is only small. */
export const formatShare = (probability: number): string =>
  probability < 0.005 ? "<0.01" : probability.toFixed(2);

/** What a word's decision is, in words. */
export function describeStep(run: ParserTrace, token: number): string {
  const choices = run.steps[token];
  const chosen = choices?.[0];
  if (choices === undefined || chosen === undefined) return describeResult(run);
  const says = `“${tokenText(run, token)}”: ${actionName(run, chosen[0])} is chosen, ${formatShare(chosen[1])}.`;
  if (chosen[2] === null) return says;
  if (!isCostly(chosen)) return `${says} It costs nothing of the gold.`;
  const free = choices.filter(isZeroCost).map(([action]) => actionName(run, action));
  const others = free.length > 0 ? `${free.join(" or ")} would cost nothing.` : "No action would cost nothing.";
  return `${says} It costs gold: ${others}`;
}

function describeResult(run: ParserTrace): string {
  const count = run.found.length;
  const found = `All ${run.tokens.length} words are decided: ${count} ${count === 1 ? "entity" : "entities"} found.`;
  if (run.gold === null) return found;
  const right = run.found.filter((one) => includesEntity(one, run.gold ?? [])).length;
  return `${found} ${right} of them right, of ${run.gold.length} in the gold.`;
}
