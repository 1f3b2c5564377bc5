/**
 * What travels between the page and the kernel.
 *
 * Offsets are token indices, half-open. Every message from the page has an id
 * and gets exactly one reply, which names that id as `re`.
 */

/** Counts up when messages change in a way that the other side must know. */
export const PROTOCOL = 2;

export type AnswerKind = "accept" | "reject" | "ignore";
/** `null`: nobody has decided, or a decision was taken back. */
export type Answer = AnswerKind | null;

export interface SpanDetails {
  readonly source?: string;
  readonly score?: number;
  /** Line of the pattern in its file. */
  readonly pattern?: number;
}
export type WireSpan = readonly [number, number, string, SpanDetails?];

export interface MisalignedSpan {
  readonly text: string;
  readonly label: string;
}

/** What one annotator says of an example on which several differ. */
export interface Version {
  readonly by: string;
  readonly answer: AnswerKind;
  readonly spans: readonly WireSpan[];
}

/** One example. The text is `lead` and then every token with what follows it. */
export interface Task {
  readonly id: string;
  readonly lead: string;
  readonly tokens: readonly (readonly [string, string])[];
  readonly spans: readonly WireSpan[];
  /** Suggestions that lost to one they overlap: on offer, not marked. */
  readonly also: readonly WireSpan[];
  /** Spans that do not begin and end with a token: shown in words, never dropped. */
  readonly loose: readonly MisalignedSpan[];
  readonly answer: Answer;
  readonly flagged: boolean;
  readonly note: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly suggested: boolean;
  /** Somebody's work in progress: of its spans only those with a source are suggestions. */
  readonly draft: boolean;
  readonly by: string;
  /** What others say of it; only where somebody decides between them. */
  readonly versions?: readonly Version[];
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
  readonly protocol: number;
  /** Whether the kernel can search an example again. */
  readonly advises: boolean;
  /** Whether it does so after every change of a span. */
  readonly redecodes: boolean;
  /** Whether gold is mended: another label of the same words may change with all of them. */
  readonly mends: boolean;
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

export type KernelRequest =
  | { readonly type: "fetch"; readonly have: readonly string[]; readonly want: number }
  | { readonly type: "past"; readonly before: string | null; readonly want: number }
  | { readonly type: "hello"; readonly protocol?: number }
  | { readonly type: "find"; readonly examples: readonly string[] }
  | { readonly type: "list"; readonly filter: ExampleFilter; readonly offset: number; readonly want: number }
  | ({ readonly type: "occurrences"; readonly besides: string; readonly want: number } & OccurrenceQuery)
  | AnalysesRequest
  | BulkRequest;

/** Asks for the best analyses that hold some spans and do not hold others. */
export interface AnalysesRequest {
  readonly type: "analyses";
  readonly example: string;
  readonly want: number;
  readonly forced: readonly WireSpan[];
  readonly forbidden: readonly WireSpan[];
}

/** Changes many places as one, or, with `undo`, changes them back. */
export interface BulkRequest extends BulkEdit {
  readonly type: "bulk";
  readonly undo: boolean;
  readonly have: readonly string[];
}

/** Which examples a list shows; what is left out does not matter. */
export interface ExampleFilter {
  readonly answer?: AnswerKind | "open" | "answered";
  readonly flagged?: true;
  readonly noted?: true;
  readonly label?: string;
  readonly text?: string;
  readonly annotator?: string;
  /** The least sure suggestion first, where a confidence is known. */
  readonly order?: "unsure";
}

/** What to look for in other examples, as whole tokens, and what to do where it is found. */
export interface OccurrenceQuery {
  readonly words: readonly string[];
  readonly label: string;
  readonly take: OccurrenceAction;
  readonly cased: boolean;
}
export type OccurrenceAction = "label" | "unlabel";

/** Many places in open examples, labelled or unlabelled as one. */
export interface BulkEdit {
  readonly bulk: string;
  readonly label: string;
  readonly take: OccurrenceAction;
  readonly places: readonly (readonly [string, number, number])[];
}

/** What an answer made of its example, for the page that gave it and for all others. */
export interface SavedMessage {
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

export interface FailedMessage {
  readonly type: "failed";
  readonly re?: string;
  readonly message: string;
  /** Whether the same message may be taken later. */
  readonly retry: boolean;
}

export interface TasksMessage {
  readonly type: "tasks";
  readonly re?: string;
  readonly tasks: readonly Task[];
  readonly counts: Counts;
}

export interface SnapshotMessage extends Snapshot {
  readonly type: "snapshot" | "refresh";
  readonly re?: string;
  readonly setup?: Setup;
  /** Code has put examples at the head of the queue: they come next. */
  readonly ahead?: true;
}

/** Code asks for an example to be shown. */
export interface ShowMessage {
  readonly type: "show";
  readonly re?: string;
  readonly tasks: readonly Task[];
  readonly counts: Counts;
}

/** A piece of text with what is meant in it. */
export interface Excerpt {
  readonly left: string;
  readonly hit: string;
  readonly right: string;
}

/** One line of a list of examples. */
export interface ExampleRow extends Excerpt {
  readonly id: string;
  readonly answer: Answer;
  readonly flagged: boolean;
  readonly note: string;
  readonly by: string;
  readonly labels: readonly string[];
  readonly score: number | null;
}

export interface ListReply {
  readonly type: "listed";
  readonly re?: string;
  readonly rows: readonly ExampleRow[];
  readonly total: number;
}

/** One place in another example; `problem` says why it had better be left as it is. */
export interface Occurrence extends Excerpt {
  readonly example: string;
  readonly start: number;
  readonly end: number;
  readonly problem: string;
}

export interface OccurrencesReply {
  readonly type: "places";
  readonly re?: string;
  readonly places: readonly Occurrence[];
  /** There are more than these. */
  readonly more: boolean;
}

/** One complete set of spans, with what the model thinks of it. */
export interface Analysis {
  readonly probability: number;
  readonly spans: readonly WireSpan[];
}

/** Best first. */
export interface AnalysesReply {
  readonly type: "analyses";
  readonly re?: string;
  readonly example: string;
  readonly analyses: readonly Analysis[];
}

/** Many places have been changed, or changed back; `left` were not, for they have changed since. */
export interface BulkReply {
  readonly type: "applied";
  readonly re?: string;
  readonly bulk: string;
  readonly count: number;
  readonly left: number;
  readonly tasks: readonly Task[];
  readonly counts: Counts;
}

/** What a person should know of what goes on in the kernel; empty when it is over. */
export interface NoticeMessage {
  readonly type: "notice";
  readonly re?: string;
  readonly text: string;
  readonly detail: string;
  /** Whether it stands until the kernel says that it is over. */
  readonly stays: boolean;
}

export type KernelMessage = SavedMessage | FailedMessage | TasksMessage | SnapshotMessage | ShowMessage | Reply | NoticeMessage;
export type Reply = ListReply | OccurrencesReply | BulkReply | AnalysesReply;
