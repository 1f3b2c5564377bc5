/**
 * Loads examples before they are needed, and applies what the kernel sends.
 *
 * A message never replaces unsent work of the user; where there is none, the
 * page follows what was done elsewhere.
 */
import type { Environment, Unsubscribe } from "../../shared/environment";
import { parseSpans } from "../../shared/parseMessages";
import type {
  AnswerMessage,
  Counts,
  DailyTarget,
  FailedMessage,
  KernelMessage,
  KernelRequest,
  SavedMessage,
  ShowMessage,
  Snapshot,
  SnapshotMessage,
  Task,
  TasksMessage,
} from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import type { AnswerStore } from "./answerStore";
import type { AnnotatorContext } from "./context";
import { isOpen, type QueueItem } from "./exampleQueue";
import { fromWire } from "./spans";
import { PendingRequests, REPLY_TIMEOUT, Transport, type MessageHandler, type ReplyContext } from "./transport";

/** How many open examples the page holds, and below how many it fetches more. */
export const WINDOW_SIZE = 12;
const LOW_WATER = 6;

type ExampleLoaderContext = Pick<AnnotatorContext, "shown" | "show" | "showDetached" | "notify" | "showLearning">;

export class ExampleLoader implements MessageHandler {
  readonly transport: Transport;
  readonly requests: PendingRequests;
  private readonly state: { problem: string | null; kernelCounts: Counts; target: DailyTarget | null; turn: number };
  /** How many examples were open when the kernel had no more of them to send. */
  private exhaustedAt: number | null = null;
  private isPastExhausted = false;
  private stopRetry: Unsubscribe | null = null;
  private onPastLoaded: (() => void) | null = null;

  constructor(
    private readonly context: ExampleLoaderContext,
    private readonly answers: AnswerStore,
    private readonly environment: Environment,
    snapshot: Snapshot,
  ) {
    this.state = reactive({ problem: null, kernelCounts: snapshot.counts, target: null, turn: 0 });
    const { connection, clock, newId } = environment;
    this.transport = new Transport(connection, answers.outbox, clock, newId, this);
    this.requests = new PendingRequests(this.transport);
    answers.queue.rebuild(snapshot.window, snapshot.past);
  }

  /** Why the kernel could not send examples; null where it could. */
  get problem(): string | null {
    return this.state.problem;
  }

  /** How often code has chosen the example that is shown, as far as the page has heard. */
  get turn(): number {
    return this.state.turn;
  }

  /** The target for today as the kernel counted last; null where there is none, or it has not said so. */
  get target(): DailyTarget | null {
    return this.state.target;
  }

  get counts(): Counts {
    return this.answers.adjustCounts(this.state.kernelCounts);
  }

  dispose(): void {
    this.transport.dispose();
    this.stopRetry?.();
  }

  openIds(): readonly string[] {
    return this.answers.queue.open.map(({ id }) => id);
  }

  handle(message: KernelMessage, { answer, request }: ReplyContext): void {
    if ("counts" in message) this.state.kernelCounts = message.counts;
    if ("target" in message && message.target !== undefined) this.state.target = message.target;
    if ("turn" in message && message.turn !== undefined) this.state.turn = message.turn;
    const isReply = this.requests.resolve(request, message);
    if (!isReply) this.handleUnrequested(message, answer, request);
    this.requests.sendUnsent();
  }

  /** Fetch examples that are not loaded, whatever their positions in the queue. */
  fetchByIds(examples: readonly string[], then: () => void): void {
    this.requests.replace({ type: "find", examples }, (reply) => {
      if (reply.type === "failed") this.state.problem = reply.message;
      if (reply.type !== "tasks") return;
      this.mergeTasks(reply.tasks);
      then();
    });
  }

  /** Update known examples, and keep unknown ones outside the order of browsing. */
  mergeTasks(tasks: readonly Task[]): void {
    const isNeeded = (item: QueueItem): boolean =>
      item === this.context.shown || this.answers.hasUnsentWork(item);
    this.answers.queue.addDetached(tasks, isNeeded);
  }

  /** Replace everything by the kernel's current state. */
  rebuild(fresh: Snapshot & { readonly ahead?: true; readonly keep?: true }): void {
    const { shown } = this.context;
    const wasOpen = shown !== null && isOpen(shown);
    const tokens = shown?.task.tokens;
    const { queue } = this.answers;
    this.state.kernelCounts = fresh.counts;
    this.exhaustedAt = null;
    this.isPastExhausted = false;
    queue.rebuild(fresh.window, fresh.past, fresh.keep);
    const still = shown === null ? null : queue.get(shown.id);
    if (still !== null && still === shown) still.wasShown = true;
    if (fresh.ahead === true && still !== null) queue.moveToFront(still);
    if (still === null || (wasOpen && !isOpen(still))) {
      this.context.show(queue.openAfter(null));
    } else if (still.task.tokens !== tokens || still !== shown) {
      this.context.show(still);
    }
  }

  /** Fetch examples before the window runs out. */
  fillWindow(): void {
    const openHere = this.answers.queue.open.length;
    const { open } = this.counts;
    if (openHere >= LOW_WATER || open <= openHere || open === this.exhaustedAt) return;
    const waiting = this.answers.outbox.entries.map(({ message }) => message.example);
    const have = [...new Set([...this.openIds(), ...waiting])];
    this.transport.request({ type: "fetch", have, want: WINDOW_SIZE - openHere });
  }

  /** Fetch older answers before undo or browsing back runs out of them; return whether any may come. */
  loadPast(): boolean {
    const { total, open } = this.counts;
    const { decidedCount, firstDecided } = this.answers.queue;
    if (decidedCount >= LOW_WATER || this.isPastExhausted || total - open <= decidedCount) return false;
    this.transport.request({ type: "past", before: firstDecided?.id ?? null, want: WINDOW_SIZE });
    return true;
  }

  /** Call back once older answers are loaded; return whether any may come. */
  afterPastLoaded(then: () => void): boolean {
    if (!this.loadPast()) return false;
    this.onPastLoaded = then;
    return true;
  }

  private handleUnrequested(
    message: KernelMessage,
    answer: AnswerMessage | null,
    request: KernelRequest | null,
  ): void {
    switch (message.type) {
      case "failed":
        return this.handleFailure(message, answer, request !== null);
      case "notice":
        return this.context.notify(message);
      case "learning":
        return this.context.showLearning(message);
      case "saved":
      case "tasks":
      case "snapshot":
      case "refresh":
      case "show":
        this.state.problem = null;
        this.handleExamples(message, answer !== null, request?.type ?? null);
        this.fillWindow();
    }
  }

  private handleExamples(
    message: SavedMessage | TasksMessage | SnapshotMessage | ShowMessage,
    isOwn: boolean,
    requested: KernelRequest["type"] | null,
  ): void {
    if (message.type === "saved") this.handleSaved(message, isOwn);
    else if (message.type === "tasks") this.handleTasks(message.tasks, requested);
    else if (message.type === "show") this.showTasks(message);
    else this.rebuild(message);
  }

  private showTasks({ tasks, follow }: ShowMessage): void {
    this.mergeTasks(tasks);
    const isAtWork = follow === true && this.answers.hasUnsentWork(this.context.shown);
    if (isAtWork) return;
    const item = this.answers.queue.get(tasks[0]?.id ?? "");
    if (item !== null) this.context.showDetached(item);
    else if (follow === true) this.context.show(this.answers.queue.openAfter(this.context.shown));
  }

  private handleSaved(message: SavedMessage, isOwn: boolean): void {
    if (!isOwn) this.applyRemoteAnswer(message);
    this.appendTasks(message.next);
  }

  private handleTasks(tasks: readonly Task[], requested: KernelRequest["type"] | null): void {
    if (requested === "past") {
      // The kernel sends older answers newest first.
      this.isPastExhausted = !this.answers.queue.prepend([...tasks].reverse());
      const then = this.onPastLoaded;
      this.onPastLoaded = null;
      then?.();
    } else if (!this.appendTasks(tasks)) {
      this.exhaustedAt = this.counts.open;
    }
  }

  private appendTasks(tasks: readonly Task[]): boolean {
    const { queue } = this.answers;
    const hasNew = queue.append(tasks);
    if (this.context.shown === null && hasNew) this.context.show(queue.openAfter(null));
    return hasNew;
  }

  /** Apply an answer given in another page, or by code in a cell. */
  private applyRemoteAnswer(message: SavedMessage): void {
    const { answers, context } = this;
    const item = answers.queue.get(message.example);
    if (item === null || answers.hasUnsentWork(item)) return;
    const wasOpen = isOpen(item);
    const words = item.task.tokens.map(([text]) => text);
    const spans = fromWire(parseSpans(message.spans, words)[0]);
    const { answer, flagged, note } = message;
    answers.acceptRemote(item, { spans, answer, flagged, note, done: message.done ?? 0 });
    if (answers.hasUnsentWork(context.shown) || item.isDetached) return;
    if (item === context.shown && wasOpen && !isOpen(item)) context.show(answers.queue.openAfter(item));
    else if (!wasOpen && isOpen(item)) context.show(item);
  }

  private handleFailure(message: FailedMessage, refused: AnswerMessage | null, isReply: boolean): void {
    if (refused !== null) this.reopen(refused.example);
    if (!isReply) return;
    this.state.problem = message.message;
    this.stopRetry?.();
    this.stopRetry = this.environment.clock.setTimer(REPLY_TIMEOUT, () => this.fillWindow());
  }

  private reopen(example: string): void {
    const item = this.answers.queue.get(example);
    if (item === null || this.answers.outbox.hasExample(example)) return;
    this.answers.reopen(item);
    if (!this.answers.hasUnsentWork(this.context.shown)) this.context.show(item);
  }
}
