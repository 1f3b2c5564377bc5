/** What the kernel tells an error explorer, read with care: all of it is data. */
import { fields, list, text, texts, whole } from "../shared/parsePrimitives";

/** A place of the matrix (null is "nothing"), a bar of a picture, or all that is wrong. */
export type At =
  | { readonly gold: string | null; readonly predicted: string | null; readonly borders: boolean }
  | { readonly factor: string; readonly bucket: string }
  | Readonly<Record<string, never>>;

export interface Conditions {
  readonly labels: readonly string[];
  readonly shortest: number | null;
  readonly longest: number | null;
  readonly seen: boolean | null;
  readonly least: number | null;
  readonly most: number | null;
  readonly split: string | null;
  readonly text: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly judged: boolean | null;
  /** Names of those that code has set: they can only be taken off here. */
  readonly predicates: readonly string[];
}

/** Row and column (`NOTHING`, `BORDERS` or a label's index), count, and those with other borders too. */
export type Cell = readonly [number, number, number, number];
export const NOTHING = -1;
export const BORDERS = -2;

export interface State {
  readonly names: readonly [string, string];
  readonly title: string;
  readonly headline: string;
  readonly notices: readonly string[];
  readonly labels: readonly string[];
  readonly cells: readonly Cell[];
  readonly total: number;
  readonly errors: number;
  readonly conditions: Conditions;
  readonly judged: number;
  readonly changes: boolean;
  readonly undoes: boolean;
  readonly splits: readonly string[];
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly factors: readonly (readonly [string, string])[];
}

/** A piece of a text: its characters, its label or "", and whether it is what the row is about. */
export type Piece = readonly [string, string, boolean];

/** Who says it, and the text with what they say. */
export interface Side {
  readonly name: string;
  readonly pieces: readonly Piece[];
}

export interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly split: string;
  readonly judged: string;
  readonly probability: number | null;
  readonly sides: readonly Side[];
  /** It has been mended since it was opened, and stays in sight. */
  readonly isGone: boolean;
}

/** Name, spans, errors, rate, the ends of its interval, and the share of all errors. */
export type Bar = readonly [string, number, number, Figure, Figure, Figure, Figure];
/** null where it is undefined. */
type Figure = number | null;

export interface Bars {
  readonly factor: string;
  readonly words: string;
  readonly bars: readonly Bar[];
}

export interface Opened {
  readonly offset: number;
  readonly total: number;
  readonly rows: readonly Finding[];
  /** The examples of all rows, also of those that are not there yet; at the first rows only. */
  readonly ids: readonly string[];
}

const number = (raw: unknown): number | null =>
  typeof raw === "number" && Number.isFinite(raw) ? raw : null;
const flag = (raw: unknown): boolean | null => (typeof raw === "boolean" ? raw : null);

export function readState(raw: unknown): State {
  const from = fields(raw);
  const names = texts(from.names);
  const columns = Object.entries(fields(from.columns)).map(([name, values]) => [name, texts(values)]);
  return {
    names: [names[0] ?? "gold", names[1] ?? "predicted"],
    title: text(from.title),
    headline: text(from.headline),
    notices: texts(from.notices),
    labels: texts(from.labels),
    cells: list(from.cells).map((one) => {
      const [row, column, count, moved] = list(one).map(Number);
      return [row ?? NOTHING, column ?? NOTHING, count ?? 0, moved ?? 0] as const;
    }),
    total: whole(from.total),
    errors: whole(from.errors),
    conditions: readConditions(from.conditions),
    judged: whole(from.judged),
    changes: from.changes === true,
    undoes: from.undoes === true,
    splits: texts(from.splits),
    columns: Object.fromEntries(columns) as Record<string, string[]>,
    factors: list(from.factors).map((one) => {
      const [name, words] = texts(one);
      return [name ?? "", words ?? ""] as const;
    }),
  };
}

export function readConditions(raw: unknown): Conditions {
  const from = fields(raw);
  const meta = Object.entries(fields(from.meta)).filter(([, value]) => typeof value === "string");
  return {
    labels: texts(from.labels),
    shortest: number(from.shortest),
    longest: number(from.longest),
    seen: flag(from.seen),
    least: number(from.least),
    most: number(from.most),
    split: typeof from.split === "string" ? from.split : null,
    text: text(from.text),
    meta: Object.fromEntries(meta) as Record<string, string>,
    judged: flag(from.judged),
    predicates: texts(from.predicates),
  };
}

export function readAt(raw: unknown): At {
  const { gold, predicted, borders, factor, bucket } = fields(raw);
  if (typeof factor === "string" && typeof bucket === "string") return { factor, bucket };
  if (gold === undefined && predicted === undefined) return {};
  const label = (one: unknown): string | null => (typeof one === "string" ? one : null);
  return { gold: label(gold), predicted: label(predicted), borders: borders === true };
}

export function readOpened(raw: unknown): Opened {
  const from = fields(raw);
  const rows = list(from.rows).map(readFinding);
  return { offset: whole(from.offset), total: whole(from.total), rows, ids: texts(from.ids) };
}

function readFinding(raw: unknown): Finding {
  const from = fields(raw);
  return {
    id: text(from.id),
    kind: text(from.kind),
    split: text(from.split),
    judged: text(from.judged),
    probability: number(from.probability),
    sides: list(from.sides).map((side) => {
      const [name, pieces] = list(side);
      return { name: text(name), pieces: list(pieces).map(readPiece) };
    }),
    isGone: false,
  };
}

function readPiece(raw: unknown): Piece {
  const [words, label, isMeant] = list(raw);
  return [text(words), text(label), isMeant === true];
}

export function readBars(raw: unknown): Bars {
  const from = fields(raw);
  return {
    factor: text(from.factor),
    words: text(from.words),
    bars: list(from.bars).map((one) => {
      const [name, n, errors, ...rest] = list(one);
      const [rate, low, high, share] = rest.map(number);
      return [text(name), whole(n), whole(errors), rate ?? null, low ?? null, high ?? null, share ?? null];
    }),
  };
}
