/**
 * Keeps the page supplied with examples, and takes in what the kernel says.
 *
 * News never takes away what a person is at work on; where they are not at
 * work, the page follows what was done elsewhere.
 */
import { Transport, REPLY_TIMEOUT, type MessageHandler, type ReplyContext } from "./transport";
import type { AnswerStore } from "./answerStore";
import type { Environment, Unsubscribe } from "../../shared/environment";
import type {
  AnswerMessage,
  Counts,
  FailedMessage,
  SnapshotMessage,
  KernelMessage,
  NoticeMessage,
  KernelRequest,
  SavedMessage,
  ShowMessage,
  Snapshot,
  TasksMessage,
  Task,
} from "../../shared/protocol";
import { PendingRequests } from "./pendingRequests";
import { parseSpans } from "../../shared/parseMessages";
import { isOpen, type QueueItem } from "./exampleQueue";
import { fromWire } from "./spans";

/** How many examples the page holds, and from when on it asks for more by itself. */
export const WINDOW_SIZE = 12;
const LOW_WATER = 6;

/** Where the example is shown that one works on. */
export interface ExampleLoaderContext {
  readonly shown: QueueItem | null;
  show(item: QueueItem | null): void;
  changed(what: "spans" | "answer" | "progress" | "save"): void;
  /** Shows an example out of turn. */
  showDetached(item: QueueItem): void;
  notify(notice: NoticeMessage): void;
  /** Does several things as one change. */
  batch(work: () => void): void;
}

export class ExampleLoader implements MessageHandler {
  /** Why the kernel could not hand out examples. */
  problem: string | null = null;
  readonly transport: Transport;
  readonly requests: PendingRequests;
  private kernelCounts: Counts;
  /** How many examples were open when the kernel had none to hand out. */
  private exhaustedAt: number | null = null;
  private isPastExhausted = false;
  private stopRetry: Unsubscribe | null = null;
  private onPastLoaded: (() => void) | null = null;

  constructor(
    private readonly answers: AnswerStore,
    private readonly context: ExampleLoaderContext,
    private readonly host: Environment,
    snapshot: Snapshot,
  ) {
    this.kernelCounts = snapshot.counts;
    this.transport = new Transport(host.connection, answers.outbox, host.clock, host.newId, this);
    this.requests = new PendingRequests(this.transport);
    answers.queue.rebuild(snapshot.window, snapshot.past);
  }

  get counts(): Counts {
    return this.answers.adjustCounts(this.kernelCounts);
  }

  dispose(): void {
    this.transport.dispose();
    this.stopRetry?.();
  }

  openIds(): readonly string[] {
    return this.answers.queue.open.map(({ id }) => id);
  }

  savingChanged(): void {
    this.context.changed("save");
  }

  handle(message: KernelMessage, regarding: ReplyContext): void {
    this.context.batch(() => this.handleMessage(message, regarding));
  }

  private handleMessage(message: KernelMessage, { answer, request }: ReplyContext): void {
    if ("counts" in message) this.kernelCounts = message.counts;
    const isAnswered = this.requests.resolve(request, message);
    if (!isAnswered) this.handleUnrequested(message, answer, request);
    this.requests.sendUnsent();
    this.context.changed("progress");
  }

  private handleUnrequested(message: KernelMessage, answer: AnswerMessage | null, request: KernelRequest | null): void {
    switch (message.type) {
      case "failed":
        return this.handleFailure(message, answer, request !== null);
      case "notice":
        return this.context.notify(message);
      case "saved":
      case "tasks":
      case "snapshot":
      case "refresh":
      case "show":
        this.problem = null;
        this.handleExamples(message, answer !== null, request?.type ?? null);
        this.fillWindow();
    }
  }

  private handleExamples(
    message: SavedMessage | TasksMessage | SnapshotMessage | ShowMessage,
    isOwn: boolean,
    asked: KernelRequest["type"] | null,
  ): void {
    if (message.type === "saved") this.handleSaved(message, isOwn);
    else if (message.type === "tasks") this.handleTasks(message.tasks, asked);
    else if (message.type === "show") this.showDetached(message.tasks);
    else this.rebuild(message);
  }

  /** Asks for examples that are not at hand, whatever their place. */
  fetchByIds(examples: readonly string[], then: () => void): void {
    this.requests.replace({ type: "find", examples }, (reply) => {
      if (reply.type === "failed") this.problem = reply.message;
      if (reply.type !== "tasks") return;
      this.mergeTasks(reply.tasks);
      then();
    });
  }

  /** Brings examples up to date, or takes them in beside those that one leafs through. */
  mergeTasks(tasks: readonly Task[]): void {
    const { shown } = this.context;
    this.answers.queue.addDetached(tasks, (item) => item === shown || this.answers.hasUnsentWork(item));
    this.context.changed("spans");
    this.context.changed("answer");
  }

  private showDetached(tasks: readonly Task[]): void {
    this.mergeTasks(tasks);
    const item = this.answers.queue.get(tasks[0]?.id ?? "");
    if (item !== null) this.context.showDetached(item);
  }

  /** Takes over everything as the kernel has it now. */
  rebuild(fresh: Snapshot & { readonly ahead?: true }): void {
    const { shown } = this.context;
    const wasOpen = shown !== null && isOpen(shown);
    const words = shown?.task.tokens;
    this.kernelCounts = fresh.counts;
    this.exhaustedAt = null;
    this.isPastExhausted = false;
    this.answers.queue.rebuild(fresh.window, fresh.past);
    const still = shown === null ? null : this.answers.queue.get(shown.id);
    if (fresh.ahead === true && still !== null) this.answers.queue.moveToFront(still);
    if (still === null || (wasOpen && !isOpen(still))) {
      this.context.show(this.answers.queue.openAfter(null));
    } else if (still.task.tokens !== words || still !== shown) {
      this.context.show(still);
    }
    this.context.changed("spans");
    this.context.changed("answer");
  }

  /** Asks for examples before the window runs out. */
  fillWindow(): void {
    const here = this.answers.queue.open.length;
    const { open } = this.counts;
    if (here >= LOW_WATER || open <= here || open === this.exhaustedAt) return;
    const waiting = this.answers.outbox.entries.map(({ message }) => message.example);
    const have = [...new Set([...this.openIds(), ...waiting])];
    this.transport.request({ type: "fetch", have, want: WINDOW_SIZE - here });
  }

  /** Asks for older answers before undo or leafing back comes to the end of those at hand. */
  loadPast(): boolean {
    const { total, open } = this.counts;
    const { decidedCount, firstDecided } = this.answers.queue;
    if (decidedCount >= LOW_WATER || this.isPastExhausted || total - open <= decidedCount) return false;
    this.transport.request({ type: "past", before: firstDecided?.id ?? null, want: WINDOW_SIZE });
    return true;
  }

  /** Does something once older answers are at hand; tells whether there may be any. */
  afterPastLoaded(then: () => void): boolean {
    if (!this.loadPast()) return false;
    this.onPastLoaded = then;
    return true;
  }

  private handleSaved(message: SavedMessage, own: boolean): void {
    if (!own) this.applyRemoteAnswer(message);
    this.appendTasks(message.next);
  }

  private handleTasks(tasks: readonly Task[], asked: KernelRequest["type"] | null): void {
    if (asked === "past") {
      // The kernel gives older answers newest first.
      this.isPastExhausted = !this.answers.queue.prepend([...tasks].reverse());
      this.context.changed("answer");
      const then = this.onPastLoaded;
      this.onPastLoaded = null;
      then?.();
    } else if (!this.appendTasks(tasks)) {
      this.exhaustedAt = this.counts.open;
    }
  }

  private appendTasks(tasks: readonly Task[]): boolean {
    const added = this.answers.queue.append(tasks);
    if (this.context.shown === null && added) this.context.show(this.answers.queue.openAfter(null));
    return added;
  }

  /** Somebody else has spoken: another page, or code in a cell. */
  private applyRemoteAnswer(message: SavedMessage): void {
    const { answers: ledger, context: stage } = this;
    const item = ledger.queue.get(message.example);
    if (item === null || ledger.hasUnsentWork(item)) return;
    const wasOpen = isOpen(item);
    const words = item.task.tokens.map(([word]) => word);
    const spans = fromWire(parseSpans(message.spans, words)[0]);
    const { answer, flagged, note } = message;
    ledger.acceptRemote(item, { spans, answer, flagged, note });
    stage.changed("spans");
    stage.changed("answer");
    if (ledger.hasUnsentWork(stage.shown)) return;
    if (item.isDetached) return;
    if (item === stage.shown && wasOpen && !isOpen(item)) stage.show(ledger.queue.openAfter(item));
    else if (!wasOpen && isOpen(item)) stage.show(item);
  }

  private handleFailure(message: FailedMessage, refused: AnswerMessage | null, isQuestion: boolean): void {
    if (refused !== null) this.reopen(refused.example);
    if (!isQuestion) return;
    this.problem = message.message;
    this.stopRetry?.();
    this.stopRetry = this.host.clock.setTimer(REPLY_TIMEOUT, () => this.fillWindow());
  }

  private reopen(example: string): void {
    const item = this.answers.queue.get(example);
    if (item === null || this.answers.outbox.hasExample(example)) return;
    this.answers.reopen(item);
    if (!this.answers.hasUnsentWork(this.context.shown)) this.context.show(item);
    this.context.changed("answer");
  }
}
