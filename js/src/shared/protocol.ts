/**
 * The messages between page and kernel.
 *
 * Offsets are token indices, half-open. Every request from the page has an id
 * and gets exactly one reply, which repeats that id as `re`.
 */

/** The protocol's version: incremented with every change that breaks the other side. */
export const PROTOCOL = 2;

export type AnswerKind = "accept" | "reject" | "ignore";
/** Null where there is no decision, or it has been reverted. */
export type Answer = AnswerKind | null;

export interface SpanDetails {
  readonly source?: string;
  readonly score?: number;
  /** The line of the pattern in its file. */
  readonly pattern?: number;
}
export type WireSpan = readonly [number, number, string, SpanDetails?];

export interface MisalignedSpan {
  readonly text: string;
  readonly label: string;
}

/** One annotator's answer to an example on which several annotators differ, or one analysis of a set. */
export interface Version {
  readonly by: string;
  readonly answer: AnswerKind;
  readonly spans: readonly WireSpan[];
  /** Of an analysis. */
  readonly probability?: number;
}

/** The conformal set of an example: analyses that hold gold at a stated level. */
export interface AnalysisSet {
  readonly level: number;
  readonly size: number;
  /** Whether the list reaches the level. */
  readonly complete: boolean;
  /** Whether the model in use is the one that was calibrated; of another one's sets nothing else is known. */
  readonly current: boolean;
}

/** One example. Its text is `lead`, followed by all tokens with their white space. */
export interface Task {
  readonly id: string;
  readonly lead: string;
  readonly tokens: readonly (readonly [string, string])[];
  readonly spans: readonly WireSpan[];
  /** Suggestions that lost to an overlapping one: offered, but not marked. */
  readonly also: readonly WireSpan[];
  /** Spans that do not fit the tokens: listed below the text, never dropped. */
  readonly loose: readonly MisalignedSpan[];
  readonly answer: Answer;
  readonly flagged: boolean;
  readonly note: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly suggested: boolean;
  /** Whether it is an edit without a decision: only its spans with a source are suggestions. */
  readonly draft: boolean;
  readonly by: string;
  /** The annotators' versions, where the user adjudicates between them; the analyses of a short set. */
  readonly versions?: readonly Version[];
  /** Its set of analyses, where sets are reviewed. */
  readonly set?: AnalysisSet;
  /** Number of the suggestions: answers say which ones they were given to. */
  readonly offer?: number;
  /** How many tokens are done, of work that is to go on later. */
  readonly done?: number;
  /** Text before and after the example in its document: shown, not annotated. */
  readonly context?: readonly [string, string];
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
  /** Colors of the lines below spans; the label's own where one is missing. */
  readonly underlines?: Readonly<Record<string, string>>;
  /** Names for people of what suggests: of a model its time and its F. */
  readonly sources?: Readonly<Record<string, string>>;
  /** The definitions of labels that have one. */
  readonly definitions?: Readonly<Record<string, string>>;
  /** The version of the annotation guideline; empty where there is none. */
  readonly guideline?: string;
  /** The keys that the user has chosen for acts, and for labels, as chords; an empty one is none. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly labelKeys?: Readonly<Record<string, string>>;
  /** Whether the label set can be changed from the page. */
  readonly relabels?: boolean;
  /** Whether texts can be accepted in bulk, where the model is sure of them. */
  readonly confident?: boolean;
  readonly protocol: number;
  /** Whether the kernel can compute the k best analyses of an example. */
  readonly advises: boolean;
  /** Whether the rest of an example is decoded again after every edit of a span. */
  readonly redecodes: boolean;
  /** Whether gold is being corrected: spans over the same words may change their label too. */
  readonly mends: boolean;
  /** How many examples the annotator wants to decide today; absent without a target. */
  readonly target?: DailyTarget;
}

/** A target for today, and where the annotator stood when the kernel sent it. */
export interface DailyTarget {
  readonly daily: number;
  /** Examples decided today, in all splits. */
  readonly today: number;
  /** All examples decided in this split, by which the page's counts are compared. */
  readonly answered: number;
}

/** The upcoming examples and the latest answers, oldest first. */
export interface Snapshot {
  readonly window: readonly Task[];
  readonly past: readonly Task[];
  readonly counts: Counts;
}

/** An answer, as it is stored until it is acknowledged; `have` is added when it is sent. */
export interface AnswerMessage {
  readonly type: "answer";
  readonly id: string;
  readonly example: string;
  readonly answer: Answer;
  readonly spans: readonly WireSpan[];
  readonly flagged: boolean;
  readonly note: string;
  readonly seconds: number;
  /** How many tokens are done, without a decision. */
  readonly done?: number;
  /** The example's offer, where all of its suggestions were shown. */
  readonly offer?: number;
  /** The version of the guideline that the page had. */
  readonly guideline?: string;
}

export type KernelRequest =
  | { readonly type: "fetch"; readonly have: readonly string[]; readonly want: number }
  | { readonly type: "past"; readonly before: string | null; readonly want: number }
  | { readonly type: "hello"; readonly protocol?: number; readonly loaded?: true; readonly zone?: number }
  | { readonly type: "find"; readonly examples: readonly string[] }
  | { readonly type: "list"; readonly filter: ExampleFilter; readonly offset: number; readonly want: number }
  | ({ readonly type: "occurrences"; readonly besides: string; readonly want: number } & OccurrenceQuery)
  | { readonly type: "learning"; readonly do: LearningCommand }
  | { readonly type: "guideline" }
  | LabelsRequest
  | ConfidentRequest
  | AnalysesRequest
  | BulkRequest;

/** Lists the labels, or changes them. */
export interface LabelsRequest {
  readonly type: "labels";
  readonly do: LabelAction;
  readonly label: string;
  /** The new name, the label to merge into, or the color. */
  readonly to: string;
  /** All labels in their new order. */
  readonly order: readonly string[];
}
export type LabelAction = "list" | "add" | "rename" | "merge" | "recolor" | "reorder" | "undo";

/** Lists the open texts whose every suggestion is probable, accepts them as one act, or undoes that. */
export interface ConfidentRequest {
  readonly type: "confident";
  readonly do: ConfidentAction;
  /** The lowest probability of a suggestion. */
  readonly probability: number;
  readonly offset: number;
  readonly want: number;
  /** The number of the list that is shown. */
  readonly number?: number;
  /** The id of the act. */
  readonly bulk?: string;
  /** The texts that stay open. */
  readonly unticked?: readonly string[];
}
export type ConfidentAction = "start" | "list" | "stop" | "accept" | "undo";

/** What can be asked of the training behind the widget. */
export type LearningCommand = "start" | "stop" | "switch";

/** Requests the best analyses that contain all forced spans and no forbidden one. */
export interface AnalysesRequest {
  readonly type: "analyses";
  readonly example: string;
  readonly want: number;
  readonly forced: readonly WireSpan[];
  readonly forbidden: readonly WireSpan[];
}

/** Changes many occurrences in one transaction, or, with `undo`, changes them back. */
export interface BulkRequest extends BulkEdit {
  readonly type: "bulk";
  readonly undo: boolean;
  readonly have: readonly string[];
}

/** The filter of the example list; an absent property does not filter. */
export interface ExampleFilter {
  readonly answer?: AnswerKind | "open" | "answered";
  readonly flagged?: true;
  readonly noted?: true;
  readonly label?: string;
  readonly text?: string;
  readonly annotator?: string;
  /** Examples with the least confident suggestion first, where confidences are known. */
  readonly order?: "unsure";
}

/** The words to search for in other examples, as whole tokens, and the change to make there. */
export interface OccurrenceQuery {
  readonly words: readonly string[];
  readonly label: string;
  readonly take: OccurrenceAction;
  readonly cased: boolean;
}
export type OccurrenceAction = "label" | "unlabel";

/** Occurrences in open examples that are labelled or unlabelled in one transaction. */
export interface BulkEdit {
  readonly bulk: string;
  readonly label: string;
  readonly take: OccurrenceAction;
  readonly places: readonly (readonly [string, number, number])[];
}

/** The stored state of an example after an answer, sent to all pages. */
export interface SavedMessage {
  readonly type: "saved";
  readonly re?: string;
  readonly example: string;
  readonly answer: Answer;
  readonly spans: readonly WireSpan[];
  readonly flagged: boolean;
  readonly note: string;
  readonly done?: number;
  readonly counts: Counts;
  readonly target?: DailyTarget;
  readonly next: readonly Task[];
}

export interface FailedMessage {
  readonly type: "failed";
  readonly re?: string;
  readonly message: string;
  /** Whether the same message may succeed later. */
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
  readonly target?: DailyTarget;
  /** Whether code has put the window's examples at the head of the queue. */
  readonly ahead?: true;
  /** Whether open examples that were shown stay as they are, with their suggestions. */
  readonly keep?: true;
  /** How often code has chosen the example that is shown; the page's state repeats it. */
  readonly turn?: number;
}

/** Code has requested that an example is shown; none where no example is open. */
export interface ShowMessage {
  readonly type: "show";
  readonly re?: string;
  readonly tasks: readonly Task[];
  readonly counts: Counts;
  /** Whether code has only answered the example shown: unsent edits of it keep it in place. */
  readonly follow?: true;
  readonly turn?: number;
}

/** A part of a text with a match in it. */
export interface Excerpt {
  readonly left: string;
  readonly hit: string;
  readonly right: string;
}

/** One row of the example list. */
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

/** One occurrence in another example; `problem` is why it cannot be changed, or empty. */
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
  /** Whether there are more occurrences than these. */
  readonly more: boolean;
}

/** One complete set of spans, with its probability. */
export interface Analysis {
  readonly probability: number;
  readonly spans: readonly WireSpan[];
}

/** The k best analyses, best first. */
export interface AnalysesReply {
  readonly type: "analyses";
  readonly re?: string;
  readonly example: string;
  readonly analyses: readonly Analysis[];
}

/** How many examples have been changed, and how many were left because they had changed since. */
export interface BulkReply {
  readonly type: "applied";
  readonly re?: string;
  readonly bulk: string;
  readonly count: number;
  readonly left: number;
  readonly tasks: readonly Task[];
  readonly counts: Counts;
}

/** A notice about the kernel, such as a failed callback; empty to remove the last one. */
export interface NoticeMessage {
  readonly type: "notice";
  readonly re?: string;
  readonly text: string;
  readonly detail: string;
  /** Whether it stays until the kernel removes it. */
  readonly stays: boolean;
}

/** What is said of the training behind the widget. */
export interface LearningMessage {
  readonly type: "learning";
  readonly re?: string;
  readonly state: LearningState;
  /** Which model suggests, and what is happening. */
  readonly text: string;
  /** Precision and recall of the suggestions over the last answers; empty before there are some. */
  readonly figures: string;
  /** What another source does better; empty where none does. */
  readonly offer: string;
  /** What the command "switch" would do; empty where there is nothing to change. */
  readonly choice: string;
  readonly detail: string;
}
export type LearningState = "waiting" | "training" | "ready" | "failed" | "stopped" | "closed";

/** A label with its spans in current answers, and the examples that hold them. */
export interface LabelRow {
  readonly label: string;
  readonly spans: number;
  readonly examples: number;
}

/** The labels, what was done, and what can be taken back. */
export interface LabelsReply {
  readonly type: "labels";
  readonly re?: string;
  readonly rows: readonly LabelRow[];
  readonly text: string;
  readonly undo: string;
}

/** A text whose every suggestion is probable; `wrong` and `missed` are expected numbers of spans. */
export interface ConfidentRow {
  readonly id: string;
  /** Words with their label, which is empty outside of spans. */
  readonly parts: readonly (readonly [string, string])[];
  /** The lowest probability of a suggestion. */
  readonly lowest: number;
  readonly spans: number;
  readonly wrong: number;
  readonly missed: number;
}

/** A part of the list of such texts; `total` to `missed` are about all of it. */
export interface ConfidentReply {
  readonly type: "confident";
  readonly re?: string;
  readonly state: ConfidentState;
  readonly number: number;
  readonly checked: number;
  readonly pending: number;
  readonly rows: readonly ConfidentRow[];
  readonly total: number;
  readonly spans: number;
  readonly wrong: number;
  readonly missed: number;
  readonly notes: string;
  readonly text: string;
  readonly undo: string;
}
export type ConfidentState = "computing" | "ready" | "stopped" | "failed";

/** The annotation guideline as Markdown. */
export interface GuidelineReply {
  readonly type: "guideline";
  readonly re?: string;
  readonly text: string;
  readonly version: string;
}

export type KernelMessage = SavedMessage | FailedMessage | TasksMessage | SnapshotMessage | ShowMessage | Reply | NoticeMessage;
export type Reply = ListReply | OccurrencesReply | BulkReply | AnalysesReply | LearningMessage | GuidelineReply | LabelsReply | ConfidentReply;
