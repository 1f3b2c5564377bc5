/**
 * The model's second thoughts on an example in make-gold: its next best
 * analyses to leaf through, what it makes of the rest once a person has fixed
 * a part, and how sure a suggestion must be to be shown.
 *
 * What a person has touched is fixed, and what they have taken off is
 * forbidden: the kernel searches among the analyses that agree with both. An
 * answer that comes after the person has gone on is dropped.
 */
import type { Ledger } from "./answerStore";
import type { Analysis, Incoming, Notice, Setup } from "../../shared/protocol";
import { isOpen, type Item } from "./exampleQueue";
import { readSpans } from "../../shared/parseMessages";
import {
  fromWire,
  has,
  overlapping,
  same,
  sameSpans,
  spanAt,
  toWire,
  type Span,
  type Spans,
} from "./spans";
import type { Supply } from "./exampleLoader";
import { QUIET } from "./bulkEditor";
import { likely, plural } from "../../shared/format";

/** How many analyses there are to leaf through. */
export const LEAVES = 8;

export interface Lectern {
  readonly setup: Setup;
  readonly shown: Item | null;
  changed(part: "spans" | "answer" | "progress" | "advice"): void;
  notice(notice: Notice): void;
  say(words: string): void;
}

/** The analyses of one example, and which of them is shown. */
interface Book {
  readonly item: Item;
  readonly leaves: readonly { readonly probability: number; readonly spans: Spans }[];
  readonly at: number;
}

export class Advice {
  /** Suggestions that are less sure are not shown. */
  threshold = 0;
  private book: Book | null = null;
  /** Spans that a model has proposed and nobody has made. */
  private readonly proposed = new WeakSet<Span>();
  /** Suggestions that a person has taken off, while the example is at hand. */
  private readonly takenOff = new WeakMap<Item, Spans>();

  constructor(
    private readonly ledger: Ledger,
    private readonly supply: Supply,
    private readonly lectern: Lectern,
  ) {}

  /** Whether a span is as a model has proposed it. */
  isProposed(item: Item, span: Span): boolean {
    return this.proposed.has(span) || spanAt(item.suggestions, span.start) === span;
  }

  /** Which analysis is shown; null before one has leafed through them. */
  get place(): { readonly at: number; readonly of: number; readonly probability: number } | null {
    const book = this.bookOf(this.lectern.shown);
    const leaf = book?.leaves[book.at];
    if (book === null || leaf === undefined || !sameSpans(leaf.spans, book.item.state.spans)) return null;
    return { at: book.at + 1, of: book.leaves.length, probability: leaf.probability };
  }

  /** Whether a span is not in the model's best analysis. */
  isOther(span: Span): boolean {
    const best = this.place === null ? undefined : this.book?.leaves[0];
    return best !== undefined && !has(best.spans, span);
  }

  /** How many suggestions of an example are not sure enough to be shown. */
  hidden(item: Item | null): number {
    return item === null || !isOpen(item) ? 0 : item.suggestions.filter((one) => !this.isSure(one)).length;
  }

  /** Whether there are suggestions whose confidence is known. */
  get isGraded(): boolean {
    const { open } = this.ledger.queue;
    return open.some(({ suggestions }) => suggestions.some(({ score }) => score !== undefined));
  }

  /** Hides the suggestions that are less sure, in every example that nobody has touched. */
  setThreshold(threshold: number): void {
    this.threshold = Math.min(1, Math.max(0, threshold));
    this.sift(this.lectern.shown);
    this.lectern.changed("advice");
    const hidden = this.hidden(this.lectern.shown);
    this.lectern.say(`${plural(hidden, "suggestion")} below ${this.threshold.toFixed(2)} hidden here`);
  }

  /** Takes off what is not sure enough, or puts it back; not where a person is at work. */
  sift(item: Item | null): void {
    if (item === null || !isOpen(item) || this.ledger.isTouched(item) || item.task.draft) return;
    if (item.suggestions.length === 0) return;
    const spans = item.suggestions.filter((one) => this.isSure(one));
    if (sameSpans(spans, item.state.spans)) return;
    item.state = item.stored = { ...item.state, spans };
    this.lectern.changed("spans");
  }

  /** Shows the analysis before or after in the model's list. */
  leaf(by: 1 | -1): void {
    const item = this.lectern.shown;
    if (item === null || !isOpen(item) || !this.lectern.setup.advises) return;
    const book = this.bookOf(item);
    if (book !== null && this.place !== null) return this.turnTo(book, book.at + by);
    const asked = item.state.spans;
    this.ask(item, LEAVES, (leaves) => {
      if (this.lectern.shown !== item || item.state.spans !== asked) return;
      const at = leaves.findIndex(({ spans }) => sameSpans(spans, asked));
      this.book = { item, leaves, at };
      this.turnTo(this.book, at + by, false);
    });
  }

  /** Has the rest of an example searched again after a person has changed a part of it. */
  correct(item: Item, before: Spans): void {
    this.remember(item, before);
    if (!this.lectern.setup.redecodes || !isOpen(item)) return;
    const asked = item.state.spans;
    this.ask(item, 1, ([best]) => {
      const isStill = this.lectern.shown === item && item.state.spans === asked;
      if (!isStill || best === undefined) return;
      this.takeOver(item, best.spans.filter((one) => this.isShown(item, one)));
    });
  }

  private isSure = ({ score }: Span): boolean => score === undefined || score >= this.threshold;

  private isShown(item: Item, span: Span): boolean {
    return this.isSure(span) || has(item.state.spans, span);
  }

  private bookOf(item: Item | null): Book | null {
    return this.book !== null && this.book.item === item ? this.book : null;
  }

  /** Keeps what was taken off, and lets go of what has come back. */
  private remember(item: Item, before: Spans): void {
    const { spans } = item.state;
    const gone = before.filter((one) => this.isProposed(item, one) && !has(spans, one));
    const known = this.takenOff.get(item) ?? [];
    const news = gone.filter((one) => !known.some((old) => same(old, one)));
    this.takenOff.set(item, [...known.filter((one) => !has(spans, one)), ...news]);
  }

  private ask(item: Item, want: number, then: (leaves: Book["leaves"]) => void): void {
    const fixed = item.state.spans.filter((one) => !this.isProposed(item, one));
    // What a fixed span lies across cannot come back anyway.
    const off = (this.takenOff.get(item) ?? []).filter((one) => overlapping(fixed, one).length === 0);
    const [forced, forbidden] = [toWire(fixed), toWire(off)];
    this.supply.questions.putInstead(
      { type: "analyses", example: item.id, want, forced, forbidden },
      (reply) => this.hear(item, reply, then),
    );
  }

  private hear(item: Item, reply: Incoming, then: (leaves: Book["leaves"]) => void): void {
    if (reply.type === "failed") this.lectern.notice({ ...QUIET, text: reply.message });
    if (reply.type !== "analyses" || reply.example !== item.id) return;
    then(reply.analyses.map((one) => this.read(item, one)));
  }

  /** Reads an analysis; a span that stands already stays the one it is. */
  private read(item: Item, { probability, spans }: Analysis): Book["leaves"][number] {
    const words = item.task.tokens.map(([word]) => word);
    const read = fromWire(readSpans(spans, words)[0]).map((span) => {
      const there = spanAt(item.state.spans, span.start);
      if (there !== null && same(there, span)) return there;
      this.proposed.add(span);
      return span;
    });
    return { probability, spans: read };
  }

  private takeOver(item: Item, spans: Spans): void {
    const { spans: before } = item.state;
    if (sameSpans(before, spans)) return;
    const come = spans.filter((one) => !has(before, one)).length;
    const gone = before.filter((one) => !has(spans, one)).length;
    this.ledger.amend(item, { ...item.state, spans });
    this.book = null;
    this.changedSpans();
    const count = plural(Math.max(come, gone), "suggestion");
    this.lectern.notice({ ...QUIET, text: `The model has changed ${count} to fit.` });
  }

  private turnTo(book: Book, at: number, isFurther = true): void {
    const leaf = book.leaves[at];
    if (leaf === undefined) {
      this.lectern.changed("advice");
      return this.lectern.say(at < 0 ? "This is the best analysis" : "There is no further analysis");
    }
    const { item } = book;
    this.book = { ...book, at };
    const state = { ...item.state, spans: leaf.spans };
    // Leafing on is one step with what went before it: undo goes back to where it began.
    if (isFurther) this.ledger.amend(item, state);
    else this.ledger.record(item, state);
    this.changedSpans();
    const place = `Analysis ${at + 1} of ${book.leaves.length}`;
    this.lectern.say(`${place}, probability ${likely(leaf.probability)}`);
  }

  private changedSpans(): void {
    for (const part of ["spans", "answer", "progress", "advice"] as const) this.lectern.changed(part);
  }
}
