/**
 * The model's second thoughts on an example in make-gold: its next best
 * analyses to leaf through, what it makes of the rest once a person has fixed
 * a part, and how sure a suggestion must be to be shown.
 *
 * What a person has touched is fixed, and what they have taken off is
 * forbidden: the kernel searches among the analyses that agree with both. An
 * answer that comes after the person has gone on is dropped.
 */
import type { AnswerStore } from "./answerStore";
import type { Analysis, KernelMessage, NoticeMessage, Setup } from "../../shared/protocol";
import { isOpen, type QueueItem } from "./exampleQueue";
import { parseSpans } from "../../shared/parseMessages";
import {
  fromWire,
  hasSpan,
  overlapping,
  sameSpan,
  sameSpans,
  spanAt,
  toWire,
  type Span,
  type Spans,
} from "./spans";
import type { ExampleLoader } from "./exampleLoader";
import { NO_NOTICE } from "./bulkEditor";
import { formatProbability, pluralize } from "../../shared/format";

/** How many analyses there are to leaf through. */
export const LIST_SIZE = 8;

export interface KBestContext {
  readonly setup: Setup;
  readonly shown: QueueItem | null;
  changed(part: "spans" | "answer" | "progress" | "advice"): void;
  notify(notice: NoticeMessage): void;
  announce(words: string): void;
}

/** The analyses of one example, and which of them is shown. */
interface CandidateList {
  readonly item: QueueItem;
  readonly candidates: readonly { readonly probability: number; readonly spans: Spans }[];
  readonly index: number;
}

export class KBest {
  /** Suggestions that are less sure are not shown. */
  threshold = 0;
  private list: CandidateList | null = null;
  /** Spans that a model has proposed and nobody has made. */
  private readonly proposed = new WeakSet<Span>();
  /** Suggestions that a person has taken off, while the example is at hand. */
  private readonly removed = new WeakMap<QueueItem, Spans>();

  constructor(
    private readonly answers: AnswerStore,
    private readonly loader: ExampleLoader,
    private readonly context: KBestContext,
  ) {}

  /** Whether a span is as a model has proposed it. */
  isProposed(item: QueueItem, span: Span): boolean {
    return this.proposed.has(span) || spanAt(item.suggestions, span.start) === span;
  }

  /** Which analysis is shown; null before one has leafed through them. */
  get position(): { readonly at: number; readonly of: number; readonly probability: number } | null {
    const book = this.listFor(this.context.shown);
    const leaf = book?.candidates[book.index];
    if (book === null || leaf === undefined || !sameSpans(leaf.spans, book.item.state.spans)) return null;
    return { at: book.index + 1, of: book.candidates.length, probability: leaf.probability };
  }

  /** Whether a span is not in the model's best analysis. */
  differsFromBest(span: Span): boolean {
    const best = this.position === null ? undefined : this.list?.candidates[0];
    return best !== undefined && !hasSpan(best.spans, span);
  }

  /** How many suggestions of an example are not sure enough to be shown. */
  hiddenCount(item: QueueItem | null): number {
    return item === null || !isOpen(item) ? 0 : item.suggestions.filter((one) => !this.isConfident(one)).length;
  }

  /** Whether there are suggestions whose confidence is known. */
  get hasConfidence(): boolean {
    const { open } = this.answers.queue;
    return open.some(({ suggestions }) => suggestions.some(({ score }) => score !== undefined));
  }

  /** Hides the suggestions that are less sure, in every example that nobody has touched. */
  setThreshold(threshold: number): void {
    this.threshold = Math.min(1, Math.max(0, threshold));
    this.applyThreshold(this.context.shown);
    this.context.changed("advice");
    const hidden = this.hiddenCount(this.context.shown);
    this.context.announce(`${pluralize(hidden, "suggestion")} below ${this.threshold.toFixed(2)} hidden here`);
  }

  /** Takes off what is not sure enough, or puts it back; not where a person is at work. */
  applyThreshold(item: QueueItem | null): void {
    if (item === null || !isOpen(item) || this.answers.hasUnsentWork(item) || item.task.draft) return;
    if (item.suggestions.length === 0) return;
    const spans = item.suggestions.filter((one) => this.isConfident(one));
    if (sameSpans(spans, item.state.spans)) return;
    item.state = item.stored = { ...item.state, spans };
    this.context.changed("spans");
  }

  /** Shows the analysis before or after in the model's list. */
  step(by: 1 | -1): void {
    const item = this.context.shown;
    if (item === null || !isOpen(item) || !this.context.setup.advises) return;
    const book = this.listFor(item);
    if (book !== null && this.position !== null) return this.showCandidate(book, book.index + by);
    const asked = item.state.spans;
    this.request(item, LIST_SIZE, (leaves) => {
      if (this.context.shown !== item || item.state.spans !== asked) return;
      const at = leaves.findIndex(({ spans }) => sameSpans(spans, asked));
      this.list = { item, candidates: leaves, index: at };
      this.showCandidate(this.list, at + by, false);
    });
  }

  /** Has the rest of an example searched again after a person has changed a part of it. */
  redecode(item: QueueItem, before: Spans): void {
    this.recordRemoved(item, before);
    if (!this.context.setup.redecodes || !isOpen(item)) return;
    const asked = item.state.spans;
    this.request(item, 1, ([best]) => {
      const isStill = this.context.shown === item && item.state.spans === asked;
      if (!isStill || best === undefined) return;
      this.applyRedecoded(item, best.spans.filter((one) => this.isShown(item, one)));
    });
  }

  private isConfident = ({ score }: Span): boolean => score === undefined || score >= this.threshold;

  private isShown(item: QueueItem, span: Span): boolean {
    return this.isConfident(span) || hasSpan(item.state.spans, span);
  }

  private listFor(item: QueueItem | null): CandidateList | null {
    return this.list !== null && this.list.item === item ? this.list : null;
  }

  /** Keeps what was taken off, and lets go of what has come back. */
  private recordRemoved(item: QueueItem, before: Spans): void {
    const { spans } = item.state;
    const gone = before.filter((one) => this.isProposed(item, one) && !hasSpan(spans, one));
    const known = this.removed.get(item) ?? [];
    const news = gone.filter((one) => !known.some((old) => sameSpan(old, one)));
    this.removed.set(item, [...known.filter((one) => !hasSpan(spans, one)), ...news]);
  }

  private request(item: QueueItem, want: number, then: (leaves: CandidateList["candidates"]) => void): void {
    const fixed = item.state.spans.filter((one) => !this.isProposed(item, one));
    // What a fixed span lies across cannot come back anyway.
    const off = (this.removed.get(item) ?? []).filter((one) => overlapping(fixed, one).length === 0);
    const [forced, forbidden] = [toWire(fixed), toWire(off)];
    this.loader.requests.replace(
      { type: "analyses", example: item.id, want, forced, forbidden },
      (reply) => this.handleReply(item, reply, then),
    );
  }

  private handleReply(item: QueueItem, reply: KernelMessage, then: (leaves: CandidateList["candidates"]) => void): void {
    if (reply.type === "failed") this.context.notify({ ...NO_NOTICE, text: reply.message });
    if (reply.type !== "analyses" || reply.example !== item.id) return;
    then(reply.analyses.map((one) => this.candidateFrom(item, one)));
  }

  /** Reads an analysis; a span that stands already stays the one it is. */
  private candidateFrom(item: QueueItem, { probability, spans }: Analysis): CandidateList["candidates"][number] {
    const words = item.task.tokens.map(([word]) => word);
    const read = fromWire(parseSpans(spans, words)[0]).map((span) => {
      const there = spanAt(item.state.spans, span.start);
      if (there !== null && sameSpan(there, span)) return there;
      this.proposed.add(span);
      return span;
    });
    return { probability, spans: read };
  }

  private applyRedecoded(item: QueueItem, spans: Spans): void {
    const { spans: before } = item.state;
    if (sameSpans(before, spans)) return;
    const come = spans.filter((one) => !hasSpan(before, one)).length;
    const gone = before.filter((one) => !hasSpan(spans, one)).length;
    this.answers.amend(item, { ...item.state, spans });
    this.list = null;
    this.changedSpans();
    const count = pluralize(Math.max(come, gone), "suggestion");
    this.context.notify({ ...NO_NOTICE, text: `The model has changed ${count} to fit.` });
  }

  private showCandidate(book: CandidateList, at: number, isFurther = true): void {
    const leaf = book.candidates[at];
    if (leaf === undefined) {
      this.context.changed("advice");
      return this.context.announce(at < 0 ? "This is the best analysis" : "There is no further analysis");
    }
    const { item } = book;
    this.list = { ...book, index: at };
    const state = { ...item.state, spans: leaf.spans };
    // Leafing on is one step with what went before it: undo goes back to where it began.
    if (isFurther) this.answers.amend(item, state);
    else this.answers.record(item, state);
    this.changedSpans();
    const place = `Analysis ${at + 1} of ${book.candidates.length}`;
    this.context.announce(`${place}, probability ${formatProbability(leaf.probability)}`);
  }

  private changedSpans(): void {
    for (const part of ["spans", "answer", "progress", "advice"] as const) this.context.changed(part);
  }
}
