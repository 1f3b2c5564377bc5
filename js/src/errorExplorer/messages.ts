/** The messages of the error explorer, and parsers for what the kernel sends. */
import { asArray, asBoolean, asCount, asNumber, asRecord, asString, asStrings } from "../shared/parsePrimitives";

/** A reference to a cell of the matrix (null is "nothing"), to a bar of error rates, or to all errors. */
export type CellRef =
  | { readonly gold: string | null; readonly predicted: string | null; readonly borders: boolean }
  | { readonly factor: string; readonly bucket: string }
  | Readonly<Record<string, never>>;

export interface FindingFilter {
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
  /** Names of the predicates that code has set: here they can only be removed. */
  readonly predicates: readonly string[];
}

/** Row and column (a label's index, `NO_LABEL` or `WRONG_BORDERS`), count, and how many have other borders. */
export type MatrixCell = readonly [row: number, column: number, count: number, moved: number];
export const NO_LABEL = -1;
export const WRONG_BORDERS = -2;

export interface Overview {
  readonly names: readonly [string, string];
  readonly title: string;
  readonly headline: string;
  readonly notices: readonly string[];
  readonly labels: readonly string[];
  readonly cells: readonly MatrixCell[];
  readonly total: number;
  readonly errors: number;
  readonly conditions: FindingFilter;
  readonly judged: number;
  readonly changes: boolean;
  readonly undoes: boolean;
  readonly splits: readonly string[];
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly factors: readonly (readonly [string, string])[];
}

/** A segment of a text: its characters, its label or "", and whether the row is about it. */
export type Segment = readonly [text: string, label: string, isTarget: boolean];

/** One side of the comparison, such as gold or prediction, and the text with its spans. */
export interface FindingSide {
  readonly name: string;
  readonly segments: readonly Segment[];
}

export interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly split: string;
  readonly judged: string;
  readonly probability: number | null;
  readonly sides: readonly FindingSide[];
  /** Whether it has been fixed since it was listed. */
  readonly isFixed: boolean;
}

/** The error rate of the spans in one bucket, with the ends of its interval; null where undefined. */
export type ErrorRate = readonly [
  name: string,
  spans: number,
  errors: number,
  rate: number | null,
  low: number | null,
  high: number | null,
  shareOfErrors: number | null,
];

export interface ErrorRates {
  readonly factor: string;
  readonly description: string;
  readonly rates: readonly ErrorRate[];
}

export interface FindingsReply {
  readonly offset: number;
  readonly total: number;
  readonly rows: readonly Finding[];
  /** The examples of all rows, also of those that are not loaded yet; sent with the first rows only. */
  readonly ids: readonly string[];
}

export function parseOverview(raw: unknown): Overview {
  const from = asRecord(raw);
  const names = asStrings(from.names);
  const columns = Object.entries(asRecord(from.columns)).map(([name, values]) => [name, asStrings(values)]);
  return {
    names: [names[0] ?? "gold", names[1] ?? "predicted"],
    title: asString(from.title),
    headline: asString(from.headline),
    notices: asStrings(from.notices),
    labels: asStrings(from.labels),
    cells: asArray(from.cells).map((one) => {
      const [row, column, count, moved] = asArray(one).map(Number);
      return [row ?? NO_LABEL, column ?? NO_LABEL, count ?? 0, moved ?? 0] as const;
    }),
    total: asCount(from.total),
    errors: asCount(from.errors),
    conditions: parseFilter(from.conditions),
    judged: asCount(from.judged),
    changes: from.changes === true,
    undoes: from.undoes === true,
    splits: asStrings(from.splits),
    columns: Object.fromEntries(columns) as Record<string, string[]>,
    factors: asArray(from.factors).map((one) => {
      const [name, words] = asStrings(one);
      return [name ?? "", words ?? ""] as const;
    }),
  };
}

export function parseFilter(raw: unknown): FindingFilter {
  const from = asRecord(raw);
  const meta = Object.entries(asRecord(from.meta)).filter(([, value]) => typeof value === "string");
  return {
    labels: asStrings(from.labels),
    shortest: asNumber(from.shortest),
    longest: asNumber(from.longest),
    seen: asBoolean(from.seen),
    least: asNumber(from.least),
    most: asNumber(from.most),
    split: typeof from.split === "string" ? from.split : null,
    text: asString(from.text),
    meta: Object.fromEntries(meta) as Record<string, string>,
    judged: asBoolean(from.judged),
    predicates: asStrings(from.predicates),
  };
}

export function parseCellRef(raw: unknown): CellRef {
  const { gold, predicted, borders, factor, bucket } = asRecord(raw);
  if (typeof factor === "string" && typeof bucket === "string") return { factor, bucket };
  if (gold === undefined && predicted === undefined) return {};
  const label = (one: unknown): string | null => (typeof one === "string" ? one : null);
  return { gold: label(gold), predicted: label(predicted), borders: borders === true };
}

export function parseFindings(raw: unknown): FindingsReply {
  const from = asRecord(raw);
  const rows = asArray(from.rows).map(parseFinding);
  return { offset: asCount(from.offset), total: asCount(from.total), rows, ids: asStrings(from.ids) };
}

function parseFinding(raw: unknown): Finding {
  const from = asRecord(raw);
  return {
    id: asString(from.id),
    kind: asString(from.kind),
    split: asString(from.split),
    judged: asString(from.judged),
    probability: asNumber(from.probability),
    sides: asArray(from.sides).map((side) => {
      const [name, pieces] = asArray(side);
      return { name: asString(name), segments: asArray(pieces).map(parseSegment) };
    }),
    isFixed: false,
  };
}

function parseSegment(raw: unknown): Segment {
  const [text, label, isTarget] = asArray(raw);
  return [asString(text), asString(label), isTarget === true];
}

export function parseErrorRates(raw: unknown): ErrorRates {
  const from = asRecord(raw);
  return {
    factor: asString(from.factor),
    description: asString(from.words),
    rates: asArray(from.bars).map((one) => {
      const [name, n, errors, ...rest] = asArray(one);
      const [rate, low, high, share] = rest.map(asNumber);
      return [asString(name), asCount(n), asCount(errors), rate ?? null, low ?? null, high ?? null, share ?? null];
    }),
  };
}
