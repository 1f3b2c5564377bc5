/**
 * Reads what the kernel sends, which may come from an older or a newer version
 * of nbner: whatever does not fit is left out, and the rest is used.
 */
import { asAnswer, asRecord, asArray, asString, asCount, type Fields } from "./parsePrimitives";
import { parseReply } from "./parseReplies";
import type {
  Counts,
  SnapshotMessage,
  KernelMessage,
  MisalignedSpan,
  Setup,
  Snapshot,
  SpanDetails,
  Task,
  Version,
  WireSpan,
} from "./protocol";

/** Reads one example; null if it cannot be shown at all. */
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
  };
}

/** Reads what others say of an example; whoever says nothing that can be shown is left out. */
function parseVersions(raw: unknown, words: readonly string[]): Version[] {
  return asArray(raw).flatMap((one) => {
    const from = asRecord(one);
    const kind = asAnswer(from.answer);
    if (kind === null) return [];
    return [{ by: asString(from.by), answer: kind, spans: parseSpans(from.spans, words)[0] }];
  });
}

/** Reads the examples of a list that can be shown. */
export const parseTasks = (raw: unknown): Task[] =>
  asArray(raw)
    .map(parseTask)
    .filter((task) => task !== null);

/** Sorts spans into those that can stand on these words and those that cannot. */
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

/** Reads suggestions that lost to others: each fits the words, but they may overlap. */
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
    protocol: asCount(from.protocol),
    advises: from.advises === true,
    redecodes: from.redecodes === true,
    mends: from.mends === true,
  };
}

/** Colours end up in a style: only plain hexadecimal ones are let through. */
function parseColors(raw: unknown): Record<string, string> {
  const good = Object.entries(asRecord(raw)).filter(
    ([, color]) => typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color),
  );
  return Object.fromEntries(good) as Record<string, string>;
}

/** Reads a message from the kernel; null if it is none that this page knows. */
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
        counts: parseCounts(from.counts),
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
      return { ...re, ...parseFresh(from, from.type) };
    case "show":
      return { ...re, type: "show", tasks: parseTasks([from.task]), counts: parseCounts(from.counts) };
    default: {
      const reply = parseReply(from, parseTasks(from.tasks), parseCounts(from.counts));
      return reply === null ? null : { ...re, ...reply };
    }
  }
}

function parseFresh(from: Fields, type: SnapshotMessage["type"]): SnapshotMessage {
  return {
    type,
    ...parseSnapshot(from),
    ...("setup" in from && { setup: parseSetup(from.setup) }),
    ...(from.ahead === true && { ahead: true }),
  };
}
