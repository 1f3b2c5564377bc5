/**
 * What travels between the page and the kernel.
 *
 * Offsets are token indices, half-open. Every message from the page has an id
 * and gets exactly one reply, which names that id as `re`.
 */

export type AnswerKind = "accept" | "reject" | "ignore";
/** `null`: nobody has decided, or a decision was taken back. */
export type Answer = AnswerKind | null;

export interface SpanDetails {
  readonly source?: string;
  readonly score?: number;
}
export type WireSpan = readonly [number, number, string, SpanDetails?];

export interface LooseSpan {
  readonly text: string;
  readonly label: string;
}

/** One example. The text is `lead` and then every token with what follows it. */
export interface Task {
  readonly id: string;
  readonly lead: string;
  readonly tokens: readonly (readonly [string, string])[];
  readonly spans: readonly WireSpan[];
  /** Spans that do not begin and end with a token: shown in words, never dropped. */
  readonly loose: readonly LooseSpan[];
  readonly answer: Answer;
  readonly flagged: boolean;
  readonly note: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly suggested: boolean;
  readonly by: string;
}

export interface Counts {
  readonly total: number;
  readonly accept: number;
  readonly reject: number;
  readonly ignore: number;
  readonly open: number;
}

export interface Setup {
  readonly key: string;
  readonly version: string;
  readonly dataset: string;
  readonly split: string;
  readonly mode: "manual" | "make-gold";
  readonly annotator: string;
  readonly labels: readonly string[];
  readonly colors: Readonly<Record<string, string>>;
}

/** `past` is oldest first: its last is what was answered last. */
export interface Snapshot {
  readonly window: readonly Task[];
  readonly past: readonly Task[];
  readonly counts: Counts;
}

/** An answer as it is kept until it is acknowledged; `have` is added when it is sent. */
export interface AnswerMessage {
  readonly type: "answer";
  readonly id: string;
  readonly example: string;
  readonly answer: Answer;
  readonly spans: readonly WireSpan[];
  readonly flagged: boolean;
  readonly note: string;
  readonly seconds: number;
}

export type Request =
  | { readonly type: "fetch"; readonly have: readonly string[]; readonly want: number }
  | { readonly type: "past"; readonly before: string | null; readonly want: number }
  | { readonly type: "hello" };

/** What an answer made of its example, for the page that gave it and for all others. */
export interface Saved {
  readonly type: "saved";
  readonly re?: string;
  readonly example: string;
  readonly answer: Answer;
  readonly spans: readonly WireSpan[];
  readonly flagged: boolean;
  readonly note: string;
  readonly counts: Counts;
  readonly next: readonly Task[];
}

export interface Failed {
  readonly type: "failed";
  readonly re?: string;
  readonly message: string;
  /** Whether the same message may be taken later. */
  readonly retry: boolean;
}

export interface Tasks {
  readonly type: "tasks";
  readonly re?: string;
  readonly tasks: readonly Task[];
  readonly counts: Counts;
}

export interface Fresh extends Snapshot {
  readonly type: "snapshot" | "refresh";
  readonly re?: string;
  readonly setup?: Setup;
}

export type Incoming = Saved | Failed | Tasks | Fresh;
