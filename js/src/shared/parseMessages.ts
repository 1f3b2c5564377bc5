/**
 * Parses what the kernel sends. It may be of an older or newer version of
 * nbner: whatever does not fit is left out, and the rest is used.
 */
import { asAnswer, asArray, asCount, asNumber, asRecord, asString, asStrings, type Fields } from "./parsePrimitives";
import type {
  Analysis,
  ConfidentReply,
  ConfidentRow,
  Counts,
  DailyTarget,
  ExampleRow,
  Excerpt,
  KernelMessage,
  LabelRow,
  LearningMessage,
  MisalignedSpan,
  NoticeMessage,
  Occurrence,
  Reply,
  Setup,
  Snapshot,
  SnapshotMessage,
  SpanDetails,
  Task,
  Version,
  WireSpan,
} from "./protocol";

/** Parse one example; return null if it cannot be displayed at all. */
export function parseTask(raw: unknown): Task | null {
  const from = asRecord(raw);
  if (typeof from.id !== "string" || !Array.isArray(from.tokens)) return null;
  const tokens = from.tokens.map((one) => [asString(asArray(one)[0]), asString(asArray(one)[1])] as const);
  const words = tokens.map(([word]) => word);
  const [spans, unfit] = parseSpans(from.spans, words);
  return {
    id: from.id,
    lead: asString(from.lead),
    tokens,
    spans,
    also: parseOverlapping(from.also, words.length),
    loose: [...asArray(from.loose).map(parseMisaligned), ...unfit],
    answer: asAnswer(from.answer),
    flagged: from.flagged === true,
    note: asString(from.note),
    meta: asRecord(from.meta),
    suggested: from.suggested === true,
    draft: from.draft === true,
    by: asString(from.by),
    ...(Array.isArray(from.versions) && { versions: parseVersions(from.versions, words) }),
    ...parseAnalysisSet(from.set),
    ...(typeof from.offer === "number" && { offer: from.offer }),
    ...parseDone(from),
    ...(Array.isArray(from.context) && { context: [asString(from.context[0]), asString(from.context[1])] as const }),
  };
}

/** Parse the annotators' versions of an example; versions without a known answer are left out. */
function parseVersions(raw: unknown, words: readonly string[]): Version[] {
  return asArray(raw).flatMap((one) => {
    const from = asRecord(one);
    const kind = asAnswer(from.answer);
    if (kind === null) return [];
    const { probability } = from;
    const version = { by: asString(from.by), answer: kind, spans: parseSpans(from.spans, words)[0] };
    return [{ ...version, ...(typeof probability === "number" && { probability }) }];
  });
}

/** Parse the set of an example; one whose level or size is no number is none. */
function parseAnalysisSet(raw: unknown): Pick<Task, "set"> {
  const { level, size, complete, current } = asRecord(raw);
  if (typeof level !== "number" || typeof size !== "number") return {};
  return { set: { level, size, complete: complete === true, current: current === true } };
}

/** Parse the examples of a list that can be displayed. */
export const parseTasks = (raw: unknown): Task[] =>
  asArray(raw)
    .map(parseTask)
    .filter((task) => task !== null);

/** Split spans into those that fit the tokens without overlap, and those that do not. */
export function parseSpans(raw: unknown, words: readonly string[]): [WireSpan[], MisalignedSpan[]] {
  const good: WireSpan[] = [];
  const unfit: MisalignedSpan[] = [];
  const ordered = asArray(raw)
    .map((one) => asArray(one))
    .sort((left, right) => Number(left[0]) - Number(right[0]));
  let free = 0;
  for (const [start, end, label, details] of ordered) {
    const [from, to] = [Number(start), Number(end)];
    const fits = Number.isInteger(from) && Number.isInteger(to) && from < to && to <= words.length;
    if (fits && from >= free) {
      good.push([from, to, asString(label), parseSpanDetails(details)]);
      free = to;
    } else {
      unfit.push({ text: words.slice(from, to).join(" "), label: asString(label) });
    }
  }
  return [good, unfit];
}

function parseSpanDetails(raw: unknown): SpanDetails {
  const { source, score, pattern } = asRecord(raw);
  return {
    ...(typeof source === "string" && { source }),
    ...(typeof score === "number" && { score }),
    ...(typeof pattern === "number" && { pattern }),
  };
}

/** Parse the suggestions that lost to one they overlap: each fits the tokens, but they may overlap each other. */
function parseOverlapping(raw: unknown, size: number): WireSpan[] {
  return asArray(raw).flatMap((one) => {
    const [start, end, label, details] = asArray(one);
    const [from, to] = [Number(start), Number(end)];
    const fits = Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from < to && to <= size;
    return fits ? [[from, to, asString(label), parseSpanDetails(details)] as const] : [];
  });
}

function parseMisaligned(raw: unknown): MisalignedSpan {
  const from = asRecord(raw);
  return { text: asString(from.text), label: asString(from.label) };
}

export function parseCounts(raw: unknown): Counts {
  const from = asRecord(raw);
  return {
    total: asCount(from.total),
    accept: asCount(from.accept),
    reject: asCount(from.reject),
    ignore: asCount(from.ignore),
    open: asCount(from.open),
  };
}

export function parseSnapshot(raw: unknown): Snapshot {
  const from = asRecord(raw);
  return {
    window: parseTasks(from.window),
    past: parseTasks(from.past),
    counts: parseCounts(from.counts),
  };
}

export function parseSetup(raw: unknown): Setup {
  const from = asRecord(raw);
  const labels = asArray(from.labels).filter((one) => typeof one === "string" && one !== "");
  return {
    key: asString(from.key),
    version: asString(from.version),
    dataset: asString(from.dataset),
    split: asString(from.split),
    mode: from.mode === "make-gold" ? "make-gold" : "manual",
    annotator: asString(from.annotator),
    labels: [...new Set(labels as string[])],
    colors: parseColors(from.colors),
    underlines: parseColors(from.underlines),
    sources: parseNames(from.sources),
    definitions: parseNames(from.definitions),
    ...(typeof from.guideline === "string" && { guideline: from.guideline }),
    keys: parseNames(from.keys),
    labelKeys: parseNames(from.labelKeys),
    relabels: from.relabels === true,
    ...(from.confident === true && { confident: true }),
    protocol: asCount(from.protocol),
    advises: from.advises === true,
    redecodes: from.redecodes === true,
    mends: from.mends === true,
    ...parseTargetOf(from),
  };
}

function parseTargetOf({ target }: Fields): { readonly target?: DailyTarget } {
  if (target === undefined) return {};
  const from = asRecord(target);
  return { target: { daily: asCount(from.daily), today: asCount(from.today), answered: asCount(from.answered) } };
}

const parseDone = ({ done }: Fields): { readonly done?: number } =>
  typeof done === "number" ? { done: asCount(done) } : {};

function parseNames(raw: unknown): Record<string, string> {
  const good = Object.entries(asRecord(raw)).filter(([, name]) => typeof name === "string");
  return Object.fromEntries(good) as Record<string, string>;
}

/** Parse label colors. They are written into a style, so only hexadecimal ones are accepted. */
function parseColors(raw: unknown): Record<string, string> {
  const good = Object.entries(asRecord(raw)).filter(
    ([, color]) => typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color),
  );
  return Object.fromEntries(good) as Record<string, string>;
}

/** Parse a message from the kernel; return null for types that this page does not know. */
export function parseMessage(raw: unknown): KernelMessage | null {
  const from = asRecord(raw);
  const re = typeof from.re === "string" ? { re: from.re } : {};
  switch (from.type) {
    case "saved":
      return {
        ...re,
        type: "saved",
        example: asString(from.example),
        answer: asAnswer(from.answer),
        spans: asArray(from.spans) as WireSpan[],
        flagged: from.flagged === true,
        note: asString(from.note),
        ...parseDone(from),
        counts: parseCounts(from.counts),
        ...parseTargetOf(from),
        next: parseTasks(from.next),
      };
    case "failed":
      return {
        ...re,
        type: "failed",
        message: asString(from.message, "The kernel could not take this."),
        retry: from.retry !== false,
      };
    case "tasks":
      return { ...re, type: "tasks", tasks: parseTasks(from.tasks), counts: parseCounts(from.counts) };
    case "snapshot":
    case "refresh":
      return { ...re, ...parseSnapshotMessage(from, from.type) };
    case "show":
      return {
        ...re,
        type: "show",
        tasks: parseTasks([from.task]),
        counts: parseCounts(from.counts),
        ...(from.follow === true && { follow: true }),
        ...parseTurn(from),
      };
    default: {
      const reply = parseReply(from, parseTasks(from.tasks), parseCounts(from.counts));
      return reply === null ? null : { ...re, ...reply };
    }
  }
}

function parseSnapshotMessage(from: Fields, type: SnapshotMessage["type"]): SnapshotMessage {
  return {
    type,
    ...parseSnapshot(from),
    ...("setup" in from && { setup: parseSetup(from.setup) }),
    ...parseTargetOf(from),
    ...(from.ahead === true && { ahead: true }),
    ...(from.keep === true && { keep: true }),
    ...parseTurn(from),
  };
}

const parseTurn = ({ turn }: Fields): { readonly turn?: number } =>
  typeof turn === "number" ? { turn: asCount(turn) } : {};

/** Parse a reply to a request about other examples than the one shown; return null for other types. */
function parseReply(
  from: Fields,
  tasks: readonly Task[],
  counts: Counts,
): Reply | NoticeMessage | null {
  switch (from.type) {
    case "listed":
      return { type: "listed", rows: asArray(from.rows).map(parseExampleRow), total: asCount(from.total) };
    case "places":
      return { type: "places", places: asArray(from.places).map(parseOccurrence), more: from.more === true };
    case "analyses":
      return { type: "analyses", example: asString(from.example), analyses: asArray(from.analyses).map(parseAnalysis) };
    case "applied":
      return {
        type: "applied",
        bulk: asString(from.bulk),
        count: asCount(from.count),
        left: asCount(from.left),
        tasks,
        counts,
      };
    case "learning":
      return parseLearning(from);
    case "labels":
      return {
        type: "labels",
        rows: asArray(from.rows).map(parseLabelRow),
        text: asString(from.text),
        undo: asString(from.undo),
      };
    case "confident":
      return parseConfident(from);
    case "guideline":
      return { type: "guideline", text: asString(from.text), version: asString(from.version) };
    case "notice":
      return { type: "notice", text: asString(from.text), detail: asString(from.detail), stays: true };
    default:
      return null;
  }
}

function parseConfident(from: Fields): ConfidentReply {
  return {
    type: "confident",
    state: CONFIDENT_STATES.find((one) => one === from.state) ?? "failed",
    number: asCount(from.number),
    checked: asCount(from.checked),
    pending: asCount(from.pending),
    rows: asArray(from.rows).map(parseConfidentRow),
    total: asCount(from.total),
    spans: asCount(from.spans),
    wrong: asNumber(from.wrong) ?? 0,
    missed: asNumber(from.missed) ?? 0,
    notes: asString(from.notes),
    text: asString(from.text),
    undo: asString(from.undo),
  };
}

const CONFIDENT_STATES = ["computing", "ready", "stopped", "failed"] as const;

function parseConfidentRow(raw: unknown): ConfidentRow {
  const from = asRecord(raw);
  return {
    id: asString(from.id),
    parts: asArray(from.parts).map((part) => {
      const [words, label] = asArray(part);
      return [asString(words), asString(label)] as const;
    }),
    lowest: asNumber(from.lowest) ?? 0,
    spans: asCount(from.spans),
    wrong: asNumber(from.wrong) ?? 0,
    missed: asNumber(from.missed) ?? 0,
  };
}

function parseLabelRow(raw: unknown): LabelRow {
  const from = asRecord(raw);
  return { label: asString(from.label), spans: asCount(from.spans), examples: asCount(from.examples) };
}

function parseLearning(from: Fields): LearningMessage {
  return {
    type: "learning",
    state: LEARNING_STATES.find((one) => one === from.state) ?? "closed",
    text: asString(from.text),
    figures: asString(from.figures),
    offer: asString(from.offer),
    choice: asString(from.choice),
    detail: asString(from.detail),
  };
}

const LEARNING_STATES = ["waiting", "training", "ready", "failed", "stopped", "closed"] as const;

function parseAnalysis(raw: unknown): Analysis {
  const { probability, spans } = asRecord(raw);
  return {
    probability: asNumber(probability) ?? 0,
    spans: asArray(spans) as WireSpan[],
  };
}

const parseExcerpt = (from: Fields): Excerpt => ({
  left: asString(from.left),
  hit: asString(from.hit),
  right: asString(from.right),
});

function parseExampleRow(raw: unknown): ExampleRow {
  const from = asRecord(raw);
  return {
    ...parseExcerpt(from),
    id: asString(from.id),
    answer: asAnswer(from.answer),
    flagged: from.flagged === true,
    note: asString(from.note),
    by: asString(from.by),
    labels: asStrings(from.labels),
    score: asNumber(from.score),
  };
}

function parseOccurrence(raw: unknown): Occurrence {
  const from = asRecord(raw);
  return {
    ...parseExcerpt(from),
    example: asString(from.example),
    start: asCount(from.start),
    end: asCount(from.end),
    problem: asString(from.problem),
  };
}
