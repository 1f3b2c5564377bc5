/** Open texts whose every suggestion is probable: listed with the errors to expect, and accepted as one act. */
import type { Environment, Unsubscribe } from "../../shared/environment";
import type { ConfidentAction, ConfidentReply, ConfidentRow, KernelMessage } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import type { PendingRequests } from "./transport";

/** Rows that the kernel sends at a time. */
const PAGE_SIZE = 50;
/** Milliseconds between two questions how far the list is. */
const POLL = 300;
/** What a key makes of the lowest probability. */
const STEPS = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999] as const;

interface ConfidentTextsState {
  /** The lowest probability of a suggestion. */
  probability: number;
  /** The last reply; null before there is one. */
  reply: ConfidentReply | null;
  rows: readonly ConfidentRow[];
  activeIndex: number;
  /** The texts that stay open, by their ids. */
  unticked: ReadonlyMap<string, ConfidentRow>;
  problem: string;
}

export class ConfidentTexts {
  readonly state = reactive<ConfidentTextsState>({
    probability: 0.95,
    reply: null,
    rows: [],
    activeIndex: 0,
    unticked: new Map(),
    problem: "",
  });
  private isOpen = false;
  /** Whether an act waits for its reply. */
  private isActing = false;
  private stopTimer: Unsubscribe | null = null;

  constructor(
    private readonly requests: PendingRequests,
    private readonly environment: Pick<Environment, "clock" | "newId">,
  ) {}

  get isComputing(): boolean {
    const { reply, problem } = this.state;
    return reply === null ? problem === "" : reply.state === "computing";
  }

  /** What is ticked: texts, their suggested spans, and the errors to expect. */
  get ticked(): { readonly texts: number; readonly spans: number; readonly wrong: number; readonly missed: number } {
    const { reply } = this.state;
    const sum = { texts: reply?.total ?? 0, spans: reply?.spans ?? 0, wrong: reply?.wrong ?? 0, missed: reply?.missed ?? 0 };
    for (const row of this.listedUnticked) {
      sum.texts -= 1;
      sum.spans -= row.spans;
      sum.wrong -= row.wrong;
      sum.missed -= row.missed;
    }
    // What is left of sums of fractions may be below nothing.
    return { ...sum, wrong: Math.max(0, sum.wrong), missed: Math.max(0, sum.missed) };
  }

  get canAccept(): boolean {
    return this.state.reply !== null && !this.isComputing && !this.requests.isWaiting("confident") && this.ticked.texts > 0;
  }

  open(): void {
    this.isOpen = true;
    this.state.reply = null;
    this.state.problem = "";
    this.state.rows = [];
    this.state.activeIndex = 0;
    this.state.unticked = new Map();
    this.send("start");
  }

  /** End what is being computed; the list goes on from there when it is opened again. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.stopTimer?.();
    if (this.isComputing) this.stop();
  }

  stop(): void {
    this.send("stop");
  }

  resume(): void {
    this.send("start");
  }

  setProbability(probability: number): void {
    if (!(probability > 0 && probability <= 1) || probability === this.state.probability) return;
    this.state.probability = probability;
    this.send("list");
  }

  /** Take the next higher or lower probability. */
  stepProbability(by: 1 | -1): void {
    const { probability } = this.state;
    const next =
      by > 0 ? STEPS.find((step) => step > probability) : [...STEPS].reverse().find((step) => step < probability);
    if (next !== undefined) this.setProbability(next);
  }

  setActive(index: number): void {
    this.state.activeIndex = Math.max(0, Math.min(index, this.state.rows.length - 1));
    if (this.state.activeIndex > this.state.rows.length - PAGE_SIZE / 2) this.loadMore();
  }

  /** Request the rows behind those that are loaded. */
  loadMore(): void {
    const { rows, reply } = this.state;
    if (this.requests.isWaiting("confident") || this.isComputing || rows.length >= (reply?.total ?? 0)) return;
    this.send("list", rows.length);
  }

  isTicked(row: ConfidentRow): boolean {
    return !this.state.unticked.has(row.id);
  }

  toggleRow(index: number): void {
    const row = this.state.rows[index];
    if (row === undefined) return;
    this.setActive(index);
    const unticked = new Map(this.state.unticked);
    if (!unticked.delete(row.id)) unticked.set(row.id, row);
    this.state.unticked = unticked;
  }

  accept(): void {
    if (!this.canAccept) return;
    const unticked = this.listedUnticked.map(({ id }) => id);
    this.send("accept", 0, { bulk: this.environment.newId(), number: this.state.reply?.number ?? 0, unticked });
  }

  undo(): void {
    const bulk = this.state.reply?.undo ?? "";
    if (bulk !== "" && !this.requests.isWaiting("confident")) this.send("undo", 0, { bulk });
  }

  /** The unticked texts that the list holds at this probability. */
  private get listedUnticked(): readonly ConfidentRow[] {
    return [...this.state.unticked.values()].filter(({ lowest }) => lowest >= this.state.probability);
  }

  private send(action: ConfidentAction, offset = 0, rest: object = {}): void {
    const { probability } = this.state;
    this.stopTimer?.();
    const request = { type: "confident", do: action, probability, offset, want: PAGE_SIZE, ...rest } as const;
    const onReply = (reply: KernelMessage): void => {
      if (action === "accept" || action === "undo") this.isActing = false;
      this.handleReply(reply, offset);
    };
    this.isActing ||= action === "accept" || action === "undo";
    // A question how far the list is, or for another one, replaces the last one; never an act.
    if (action === "list" && !this.isActing) this.requests.replace(request, onReply);
    else this.requests.add(request, onReply);
  }

  private handleReply(reply: KernelMessage, offset: number): void {
    if (reply.type === "failed") {
      this.state.problem = reply.message;
      // The list that is there now is shown beside why this one was refused.
      if (this.isOpen && this.state.reply !== null) this.pollSoon();
    }
    if (reply.type !== "confident") return;
    this.state.problem = reply.state === "failed" ? reply.text : "";
    const isMore = offset > 0 && reply.number === this.state.reply?.number;
    if (!isMore && offset > 0) return this.send("list");
    this.state.rows = isMore ? [...this.state.rows.slice(0, offset), ...reply.rows] : reply.rows;
    this.state.reply = reply;
    this.state.activeIndex = Math.max(0, Math.min(this.state.activeIndex, this.state.rows.length - 1));
    if (this.isOpen && reply.state === "computing") this.pollSoon();
  }

  private pollSoon(): void {
    this.stopTimer?.();
    this.stopTimer = this.environment.clock.setTimer(POLL, () => this.send("list"));
  }
}
