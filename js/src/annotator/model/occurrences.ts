/**
 * Every occurrence of some words, in the example shown and in those to come:
 * shown first, one line each, and changed as one step.
 */
import type { BulkEdit, Excerpt, KernelMessage, Occurrence, OccurrenceAction } from "../../shared/protocol";
import type { TokenRange } from "../../shared/tokens";
import type { QueueItem } from "./exampleQueue";
import { conflictAt, excerpt, findOccurrences, wordsInRange } from "./occurrenceSearch";
import type { PendingRequests } from "./pendingRequests";
import { addSpan, removeOverlapping, type Spans } from "./spans";

/** Lines that are shown from coming examples. */
const MAX_UPCOMING = 200;

export interface OccurrenceRow extends Excerpt {
  /** The example, where it is not the one shown. */
  readonly example: string | null;
  readonly range: TokenRange;
  /** Why it stays as it is; empty where it can be changed. */
  readonly problem: string;
  isChecked: boolean;
}

/** Carries the changes out. */
export interface BulkApplier {
  /** Sends unsent edits ahead, so that the kernel finds the spans as they are. */
  sendDrafts(): void;
  /** Changes the example shown, and others with it, as one step. */
  apply(after: Spans, bulk: Omit<BulkEdit, "bulk"> | null): void;
}

export interface OccurrencesContext {
  readonly shown: QueueItem | null;
  readonly setup: { readonly mends: boolean };
  changed(part: "panel"): void;
}

export class Occurrences {
  action: OccurrenceAction = "label";
  label = "";
  phrase = "";
  isCaseSensitive = true;
  /** Whether the examples to come are searched too. */
  includeUpcoming = false;
  activeIndex = 0;
  /** How many have the label already. */
  labeledCount = 0;
  hasMore = false;
  problem = "";
  private words: readonly string[] = [];
  private currentRows: OccurrenceRow[] = [];
  private upcomingRows: OccurrenceRow[] = [];

  constructor(
    private readonly questions: PendingRequests,
    private readonly context: OccurrencesContext,
    private readonly bulkApplier: BulkApplier,
  ) {}

  get rows(): readonly OccurrenceRow[] {
    return this.includeUpcoming ? [...this.currentRows, ...this.upcomingRows] : this.currentRows;
  }

  get checkedRows(): readonly OccurrenceRow[] {
    return this.rows.filter((line) => line.isChecked);
  }

  get isWaiting(): boolean {
    return this.includeUpcoming && this.questions.isWaiting("occurrences");
  }

  /** Looks for the words of a stretch; tells whether there are any to look for. */
  start(take: OccurrenceAction, stretch: TokenRange, label: string): boolean {
    const tokens = this.context.shown?.task.tokens ?? [];
    this.words = wordsInRange(tokens, stretch);
    this.action = take;
    this.label = label;
    this.phrase = this.words.join(" ");
    if (this.words.length > 0) this.search();
    return this.words.length > 0;
  }

  setIncludeUpcoming(far: boolean): void {
    this.includeUpcoming = far;
    this.search();
  }

  setCaseSensitive(cased: boolean): void {
    this.isCaseSensitive = cased;
    this.search();
  }

  setActive(index: number): void {
    this.activeIndex = Math.max(0, Math.min(index, this.rows.length - 1));
    this.context.changed("panel");
  }

  toggleRow(index = this.activeIndex): void {
    const line = this.rows[index];
    if (line !== undefined && line.problem === "") line.isChecked = !line.isChecked;
    this.setActive(index);
  }

  /** Ticks all that can be, or none if all are. */
  toggleAll(): void {
    const free = this.rows.filter(({ problem }) => problem === "");
    const ticked = !free.every((line) => line.isChecked);
    free.forEach((line) => (line.isChecked = ticked));
    this.context.changed("panel");
  }

  /** Changes what is ticked; tells how many places that are. */
  apply(): number {
    const { checkedRows: ticked, action: take, label } = this;
    const item = this.context.shown;
    if (item === null || ticked.length === 0) return 0;
    const change = (spans: Spans, { range: place }: OccurrenceRow): Spans =>
      take === "label" ? addSpan(spans, { ...place, label }) : removeOverlapping(spans, place);
    const after = ticked.filter(({ example }) => example === null).reduce(change, item.state.spans);
    const places = ticked.flatMap(({ example, range: { start, end } }) =>
      example === null ? [] : [[example, start, end] as const],
    );
    this.bulkApplier.apply(after, places.length === 0 ? null : { label, take, places });
    return ticked.length;
  }

  private search(): void {
    this.activeIndex = 0;
    this.upcomingRows = [];
    this.hasMore = false;
    this.problem = "";
    this.searchCurrent();
    if (this.includeUpcoming) this.searchUpcoming();
    this.context.changed("panel");
  }

  private searchCurrent(): void {
    const item = this.context.shown;
    const tokens = item?.task.tokens ?? [];
    const places = findOccurrences(tokens, this.words, this.isCaseSensitive);
    const spans = item?.state.spans ?? [];
    const { mends } = this.context.setup;
    const found = places.map((place) => conflictAt(spans, place, this.label, this.action, mends));
    this.currentRows = places.flatMap((place, i) => {
      const problem = found[i] ?? null;
      if (problem === null) return [];
      const ticked = problem === "";
      return [{ ...excerpt(tokens, place), example: null, range: place, problem, isChecked: ticked }];
    });
    this.labeledCount = this.action === "label" ? found.filter((one) => one === null).length : 0;
  }

  private searchUpcoming(): void {
    const { words, label, action: take, isCaseSensitive: cased } = this;
    this.bulkApplier.sendDrafts();
    const besides = this.context.shown?.id ?? "";
    const request = { type: "occurrences", words, label, take, cased, besides, want: MAX_UPCOMING } as const;
    this.questions.replace(request, (reply) => this.handleReply(reply));
  }

  private handleReply(reply: KernelMessage): void {
    if (reply.type === "failed") this.problem = reply.message;
    if (reply.type === "places") {
      this.upcomingRows = reply.places.map(rowOf);
      this.hasMore = reply.more;
    }
    this.context.changed("panel");
  }
}

function rowOf({ example, start, end, problem, left, hit, right }: Occurrence): OccurrenceRow {
  return { left, hit, right, example, range: { start, end }, problem, isChecked: problem === "" };
}
