/**
 * Use of the model while an example is corrected: browsing its k best analyses,
 * re-decoding the rest of the text after an edit, and hiding suggestions below
 * a confidence threshold.
 *
 * Spans that the user has added or changed are forced, and those they have
 * removed are forbidden: the kernel searches among the analyses that agree with
 * both. Replies that arrive after a further edit are dropped.
 */
import { formatProbability, pluralize } from "../../shared/format";
import { parseSpans } from "../../shared/parseMessages";
import type { Analysis, KernelMessage } from "../../shared/protocol";
import { computed, reactive } from "../../shared/reactive";
import type { AnswerStore } from "./answerStore";
import { NO_NOTICE, type AnnotatorContext } from "./context";
import type { ExampleLoader } from "./exampleLoader";
import { isOpen, type QueueItem } from "./exampleQueue";
import { fromWire, hasSpan, overlapping, sameSpan, sameSpans, spanAt, toWire, type Span, type Spans } from "./spans";

/** How many analyses are requested for browsing. */
export const LIST_SIZE = 8;

type KBestContext = Pick<AnnotatorContext, "setup" | "shown" | "notify" | "announce">;

interface Candidate {
  readonly probability: number;
  readonly spans: Spans;
}

/** The k best analyses of one example, and the index of the one shown. */
interface CandidateList {
  readonly item: QueueItem;
  readonly candidates: readonly Candidate[];
  readonly index: number;
}

export class KBest {
  private readonly state = reactive<{ threshold: number; list: CandidateList | null }>({ threshold: 0, list: null });
  /** Spans that the model has proposed and the user has not changed. */
  private readonly proposed = new WeakSet<Span>();
  /** Suggestions that the user has removed from an example. */
  private readonly removed = new WeakMap<QueueItem, Spans>();
  private readonly bestSpans = computed(() =>
    this.position === null ? null : (this.state.list?.candidates[0]?.spans ?? null),
  );

  constructor(
    private readonly context: KBestContext,
    private readonly answers: AnswerStore,
    private readonly loader: ExampleLoader,
  ) {}

  /** The confidence below which suggestions are hidden. */
  get threshold(): number {
    return this.state.threshold;
  }

  /** Return whether a span is as the model has proposed it. */
  isProposed(item: QueueItem, span: Span): boolean {
    return this.proposed.has(span) || spanAt(item.suggestions, span.start) === span;
  }

  /** The position of the analysis shown, counted from 1; null while none of the list is shown. */
  get position(): { readonly at: number; readonly of: number; readonly probability: number } | null {
    const list = this.listFor(this.context.shown);
    const candidate = list?.candidates[list.index];
    if (list === null || candidate === undefined) return null;
    if (!sameSpans(candidate.spans, list.item.state.spans)) return null;
    return { at: list.index + 1, of: list.candidates.length, probability: candidate.probability };
  }

  /** Return whether a span is missing from the best analysis, while another one is shown. */
  differsFromBest(span: Span): boolean {
    const best = this.bestSpans.value;
    return best !== null && !hasSpan(best, span);
  }

  /** Return how many suggestions of an open example are below the threshold. */
  hiddenCount(item: QueueItem | null): number {
    if (item === null || !isOpen(item)) return 0;
    return item.suggestions.filter((one) => !this.isConfident(one)).length;
  }

  /** Whether any loaded suggestion has a confidence. */
  get hasConfidence(): boolean {
    const { open } = this.answers.queue;
    return open.some(({ suggestions }) => suggestions.some(({ score }) => score !== undefined));
  }

  /** Hide suggestions below a confidence, in every example without unsent work. */
  setThreshold(threshold: number): void {
    this.state.threshold = Math.min(1, Math.max(0, threshold));
    this.applyThreshold(this.context.shown);
    const hidden = this.hiddenCount(this.context.shown);
    this.context.announce(`${pluralize(hidden, "suggestion")} below ${this.threshold.toFixed(2)} hidden here`);
  }

  /** Remove the suggestions below the threshold and restore the others, unless there is work on the example. */
  applyThreshold(item: QueueItem | null): void {
    if (item === null || !isOpen(item) || this.answers.hasUnsentWork(item) || item.task.draft) return;
    if (item.suggestions.length === 0) return;
    const spans = item.suggestions.filter((one) => this.isConfident(one));
    item.isWhole = spans.length === item.suggestions.length;
    if (!sameSpans(spans, item.state.spans)) item.state = item.stored = { ...item.state, spans };
  }

  /** Show the analysis before or after in the model's list; request the list on the first call. */
  step(by: 1 | -1): void {
    const item = this.context.shown;
    if (item === null || !isOpen(item) || !this.context.setup.advises) return;
    const list = this.listFor(item);
    if (list !== null && this.position !== null) return this.showCandidate(list, list.index + by);
    const { spans } = item.state;
    this.request(item, LIST_SIZE, (candidates) => {
      if (this.context.shown !== item || item.state.spans !== spans) return;
      const index = candidates.findIndex((candidate) => sameSpans(candidate.spans, spans));
      this.state.list = { item, candidates, index };
      this.showCandidate(this.state.list, index + by, false);
    });
  }

  /** Have the rest of an example decoded again after the user has edited a part of it. */
  redecode(item: QueueItem, before: Spans): void {
    this.recordRemoved(item, before);
    if (!this.context.setup.redecodes || !isOpen(item)) return;
    const { spans } = item.state;
    this.request(item, 1, ([best]) => {
      const isCurrent = this.context.shown === item && item.state.spans === spans;
      if (!isCurrent || best === undefined) return;
      this.applyRedecoded(item, best.spans.filter((one) => this.isConfident(one) || hasSpan(spans, one)));
    });
  }

  private isConfident({ score }: Span): boolean {
    return score === undefined || score >= this.threshold;
  }

  private listFor(item: QueueItem | null): CandidateList | null {
    return this.state.list !== null && this.state.list.item === item ? this.state.list : null;
  }

  /** Record which proposed spans an edit has removed, and forget those it has restored. */
  recordRemoved(item: QueueItem, before: Spans): void {
    const { spans } = item.state;
    const gone = before.filter((one) => this.isProposed(item, one) && !hasSpan(spans, one));
    const known = this.removed.get(item) ?? [];
    const added = gone.filter((one) => !known.some((old) => sameSpan(old, one)));
    this.removed.set(item, [...known.filter((one) => !hasSpan(spans, one)), ...added]);
  }

  private request(item: QueueItem, want: number, then: (candidates: readonly Candidate[]) => void): void {
    const edited = item.state.spans.filter((one) => !this.isProposed(item, one));
    // What a forced span overlaps cannot come back anyway.
    const removed = (this.removed.get(item) ?? []).filter((one) => overlapping(edited, one).length === 0);
    const [forced, forbidden] = [toWire(edited), toWire(removed)];
    this.loader.requests.replace(
      { type: "analyses", example: item.id, want, forced, forbidden },
      (reply) => this.handleReply(item, reply, then),
    );
  }

  private handleReply(
    item: QueueItem,
    reply: KernelMessage,
    then: (candidates: readonly Candidate[]) => void,
  ): void {
    if (reply.type === "failed") this.context.notify({ ...NO_NOTICE, text: reply.message });
    if (reply.type !== "analyses" || reply.example !== item.id) return;
    then(reply.analyses.map((one) => this.candidateFrom(item, one)));
  }

  /** Convert an analysis; a span that is shown already keeps its identity. */
  private candidateFrom(item: QueueItem, { probability, spans }: Analysis): Candidate {
    const words = item.task.tokens.map(([text]) => text);
    const parsed = fromWire(parseSpans(spans, words)[0]).map((span) => {
      const shown = spanAt(item.state.spans, span.start);
      if (shown !== null && sameSpan(shown, span)) return shown;
      this.proposed.add(span);
      return span;
    });
    return { probability, spans: parsed };
  }

  private applyRedecoded(item: QueueItem, spans: Spans): void {
    const before = item.state.spans;
    if (sameSpans(before, spans)) return;
    const added = spans.filter((one) => !hasSpan(before, one)).length;
    const removed = before.filter((one) => !hasSpan(spans, one)).length;
    this.answers.amend(item, { ...item.state, spans });
    this.state.list = null;
    const count = pluralize(Math.max(added, removed), "suggestion");
    this.context.notify({ ...NO_NOTICE, text: `The model has changed ${count} to fit.` });
  }

  private showCandidate(list: CandidateList, index: number, isRepeated = true): void {
    const candidate = list.candidates[index];
    if (candidate === undefined) {
      return this.context.announce(index < 0 ? "This is the best analysis" : "There is no further analysis");
    }
    const { item } = list;
    this.state.list = { ...list, index };
    const state = { ...item.state, spans: candidate.spans };
    // Further steps through the list join the first one: undo goes back to where it began.
    if (isRepeated) this.answers.amend(item, state);
    else this.answers.record(item, state);
    const position = `Analysis ${index + 1} of ${list.candidates.length}`;
    this.context.announce(`${position}, probability ${formatProbability(candidate.probability)}`);
  }
}
