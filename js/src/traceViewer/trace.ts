/** A trace of the parser, as the kernel sends it, and what is computed from it. Offsets are token indices. */
import { textOfRange, type Token } from "../shared/tokens";

/** A valid action; its cost is null where no gold is known. */
export type ActionChoice = readonly [action: number, probability: number, cost: number | null];

/** A sequence in the beam: the rank of the one it extends, its last action (-1 before the first token), score, flags. */
export type BeamHypothesis = readonly [before: number, action: number, score: number, flags: number];

export const GREEDY = 1;
export const BEST = 2;
export const GOLD = 4;

export type Entity = readonly [start: number, end: number, label: string];

export interface ParserTrace {
  readonly version: string;
  readonly lead: string;
  readonly tokens: readonly Token[];
  readonly actions: readonly string[];
  readonly colors: Readonly<Record<string, string>>;
  readonly underlines: Readonly<Record<string, string>>;
  /** For each token the valid actions, the chosen one first. */
  readonly steps: readonly (readonly ActionChoice[])[];
  /** The beam before each token, and after the last. */
  readonly beams: readonly (readonly BeamHypothesis[])[];
  readonly found: readonly Entity[];
  readonly gold: readonly Entity[] | null;
  readonly score: number;
  readonly width: number;
  readonly note: string;
}

/** The entities that the parser has closed, and the one that is open. */
export interface ParserState {
  readonly closed: readonly Entity[];
  readonly open: readonly [start: number, label: string] | null;
}

export const actionLabel = (action: string): string => action.slice(2);
export const actionName = (trace: ParserTrace, action: number): string => trace.actions[action] ?? "";
export const tokenText = (trace: ParserTrace, token: number): string => trace.tokens[token]?.[0].trim() || "␣";

export const textBetween = (trace: ParserTrace, start: number, end: number): string =>
  textOfRange(trace.tokens, { start, end });

/** Return the state of greedy search before a token. */
export function greedyStateAt(trace: ParserTrace, token: number): ParserState {
  const current = trace.found.find(([start, end]) => start < token && token < end);
  return {
    closed: trace.found.filter(([, end]) => end <= token),
    open: current === undefined ? null : [current[0], current[2]],
  };
}

/** Return the state of one sequence of the beam before a token. */
export function beamStateAt(trace: ParserTrace, token: number, rank: number): ParserState {
  const taken: string[] = [];
  let at = rank;
  for (let step = token; step > 0; step -= 1) {
    const [before, action] = trace.beams[step]?.[at] ?? [-1, -1];
    taken.unshift(actionName(trace, action));
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

/** Return the tokens at which the chosen action loses something of the gold. */
export const costlyTokens = (trace: ParserTrace): readonly number[] =>
  trace.steps.flatMap((choices, token) => (isCostly(choices[0]) ? [token] : []));

/** Return the token at which greedy search left the sequence that is the beam's best in the end; null if it did not. */
export function divergenceToken(trace: ParserTrace): number | null {
  const [best] = trace.beams.at(-1) ?? [];
  if (best === undefined || (best[3] & GREEDY) !== 0 || best[2] <= trace.score) return null;
  const left = trace.beams.findIndex((beam) => beam.some(([, , , flags]) => (flags & BEST) !== 0 && (flags & GREEDY) === 0));
  // A sequence that is no longer the greedy one has diverged from it one token before.
  return left < 1 ? null : left - 1;
}

/** Format a probability with two decimals; below 0.005 as "<0.01". */
export const formatShare = (probability: number): string =>
  probability < 0.005 ? "<0.01" : probability.toFixed(2);

/** Describe the decision on a token, or the result after the last one. */
export function describeStep(trace: ParserTrace, token: number): string {
  const choices = trace.steps[token];
  const chosen = choices?.[0];
  if (choices === undefined || chosen === undefined) return describeResult(trace);
  const says = `“${tokenText(trace, token)}”: ${actionName(trace, chosen[0])} is chosen, ${formatShare(chosen[1])}.`;
  if (chosen[2] === null) return says;
  if (!isCostly(chosen)) return `${says} It costs nothing of the gold.`;
  const free = choices.filter(isZeroCost).map(([action]) => actionName(trace, action));
  const others = free.length > 0 ? `${free.join(" or ")} would cost nothing.` : "No action would cost nothing.";
  return `${says} It costs gold: ${others}`;
}

function describeResult(trace: ParserTrace): string {
  const count = trace.found.length;
  const found = `All ${trace.tokens.length} words are decided: ${count} ${count === 1 ? "entity" : "entities"} found.`;
  if (trace.gold === null) return found;
  const right = trace.found.filter((one) => includesEntity(one, trace.gold ?? [])).length;
  return `${found} ${right} of them right, of ${trace.gold.length} in the gold.`;
}
