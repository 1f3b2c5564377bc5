/**
 * Reads what the kernel sends, which may come from an older or a newer version
 * of nbner: whatever does not fit is left out, and the rest is used.
 */
import { answer, fields, list, text, whole, type Fields } from "./parsePrimitives";
import { readReply } from "./parseReplies";
import type {
  Counts,
  Fresh,
  Incoming,
  LooseSpan,
  Setup,
  Snapshot,
  SpanDetails,
  Task,
  Version,
  WireSpan,
} from "./protocol";

/** Reads one example; null if it cannot be shown at all. */
export function readTask(raw: unknown): Task | null {
  const from = fields(raw);
  if (typeof from.id !== "string" || !Array.isArray(from.tokens)) return null;
  const tokens = from.tokens.map((one) => [text(list(one)[0]), text(list(one)[1])] as const);
  const words = tokens.map(([word]) => word);
  const [spans, unfit] = readSpans(from.spans, words);
  return {
    id: from.id,
    lead: text(from.lead),
    tokens,
    spans,
    also: readAlso(from.also, words.length),
    loose: [...list(from.loose).map(readLoose), ...unfit],
    answer: answer(from.answer),
    flagged: from.flagged === true,
    note: text(from.note),
    meta: fields(from.meta),
    suggested: from.suggested === true,
    draft: from.draft === true,
    by: text(from.by),
    ...(Array.isArray(from.versions) && { versions: readVersions(from.versions, words) }),
  };
}

/** Reads what others say of an example; whoever says nothing that can be shown is left out. */
function readVersions(raw: unknown, words: readonly string[]): Version[] {
  return list(raw).flatMap((one) => {
    const from = fields(one);
    const kind = answer(from.answer);
    if (kind === null) return [];
    return [{ by: text(from.by), answer: kind, spans: readSpans(from.spans, words)[0] }];
  });
}

/** Reads the examples of a list that can be shown. */
export const readTasks = (raw: unknown): Task[] =>
  list(raw)
    .map(readTask)
    .filter((task) => task !== null);

/** Sorts spans into those that can stand on these words and those that cannot. */
export function readSpans(raw: unknown, words: readonly string[]): [WireSpan[], LooseSpan[]] {
  const good: WireSpan[] = [];
  const unfit: LooseSpan[] = [];
  const ordered = list(raw)
    .map((one) => list(one))
    .sort((left, right) => Number(left[0]) - Number(right[0]));
  let free = 0;
  for (const [start, end, label, details] of ordered) {
    const [from, to] = [Number(start), Number(end)];
    const fits = Number.isInteger(from) && Number.isInteger(to) && from < to && to <= words.length;
    if (fits && from >= free) {
      good.push([from, to, text(label), readDetails(details)]);
      free = to;
    } else {
      unfit.push({ text: words.slice(from, to).join(" "), label: text(label) });
    }
  }
  return [good, unfit];
}

function readDetails(raw: unknown): SpanDetails {
  const { source, score, pattern } = fields(raw);
  return {
    ...(typeof source === "string" && { source }),
    ...(typeof score === "number" && { score }),
    ...(typeof pattern === "number" && { pattern }),
  };
}

/** Reads suggestions that lost to others: each fits the words, but they may overlap. */
function readAlso(raw: unknown, size: number): WireSpan[] {
  return list(raw).flatMap((one) => {
    const [start, end, label, details] = list(one);
    const [from, to] = [Number(start), Number(end)];
    const fits = Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from < to && to <= size;
    return fits ? [[from, to, text(label), readDetails(details)] as const] : [];
  });
}

function readLoose(raw: unknown): LooseSpan {
  const from = fields(raw);
  return { text: text(from.text), label: text(from.label) };
}

export function readCounts(raw: unknown): Counts {
  const from = fields(raw);
  return {
    total: whole(from.total),
    accept: whole(from.accept),
    reject: whole(from.reject),
    ignore: whole(from.ignore),
    open: whole(from.open),
  };
}

export function readSnapshot(raw: unknown): Snapshot {
  const from = fields(raw);
  return {
    window: readTasks(from.window),
    past: readTasks(from.past),
    counts: readCounts(from.counts),
  };
}

export function readSetup(raw: unknown): Setup {
  const from = fields(raw);
  const labels = list(from.labels).filter((one) => typeof one === "string" && one !== "");
  return {
    key: text(from.key),
    version: text(from.version),
    dataset: text(from.dataset),
    split: text(from.split),
    mode: from.mode === "make-gold" ? "make-gold" : "manual",
    annotator: text(from.annotator),
    labels: [...new Set(labels as string[])],
    colors: readColors(from.colors),
    protocol: whole(from.protocol),
    advises: from.advises === true,
    redecodes: from.redecodes === true,
    mends: from.mends === true,
  };
}

/** Colours end up in a style: only plain hexadecimal ones are let through. */
function readColors(raw: unknown): Record<string, string> {
  const good = Object.entries(fields(raw)).filter(
    ([, color]) => typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color),
  );
  return Object.fromEntries(good) as Record<string, string>;
}

/** Reads a message from the kernel; null if it is none that this page knows. */
export function readIncoming(raw: unknown): Incoming | null {
  const from = fields(raw);
  const re = typeof from.re === "string" ? { re: from.re } : {};
  switch (from.type) {
    case "saved":
      return {
        ...re,
        type: "saved",
        example: text(from.example),
        answer: answer(from.answer),
        spans: list(from.spans) as WireSpan[],
        flagged: from.flagged === true,
        note: text(from.note),
        counts: readCounts(from.counts),
        next: readTasks(from.next),
      };
    case "failed":
      return {
        ...re,
        type: "failed",
        message: text(from.message, "The kernel could not take this."),
        retry: from.retry !== false,
      };
    case "tasks":
      return { ...re, type: "tasks", tasks: readTasks(from.tasks), counts: readCounts(from.counts) };
    case "snapshot":
    case "refresh":
      return { ...re, ...readFresh(from, from.type) };
    case "show":
      return { ...re, type: "show", tasks: readTasks([from.task]), counts: readCounts(from.counts) };
    default: {
      const reply = readReply(from, readTasks(from.tasks), readCounts(from.counts));
      return reply === null ? null : { ...re, ...reply };
    }
  }
}

function readFresh(from: Fields, type: Fresh["type"]): Fresh {
  return {
    type,
    ...readSnapshot(from),
    ...("setup" in from && { setup: readSetup(from.setup) }),
    ...(from.ahead === true && { ahead: true }),
  };
}
