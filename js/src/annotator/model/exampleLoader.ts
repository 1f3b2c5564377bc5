/**
 * Keeps the page supplied with examples, and takes in what the kernel says.
 *
 * News never takes away what a person is at work on; where they are not at
 * work, the page follows what was done elsewhere.
 */
import { Courier, PATIENCE, type Receiver, type Regarding } from "./transport";
import type { Ledger } from "./answerStore";
import type { Host, Off } from "../../shared/environment";
import type {
  AnswerMessage,
  Counts,
  Failed,
  Fresh,
  Incoming,
  Notice,
  Request,
  Saved,
  Show,
  Snapshot,
  Tasks,
  Task,
} from "../../shared/protocol";
import { Questions } from "./pendingRequests";
import { readSpans } from "../../shared/parseMessages";
import { isOpen, type Item } from "./exampleQueue";
import { fromWire } from "./spans";

/** How many examples the page holds, and from when on it asks for more by itself. */
export const WINDOW = 12;
const LOW = 6;

/** Where the example is shown that one works on. */
export interface Stage {
  readonly shown: Item | null;
  show(item: Item | null): void;
  changed(what: "spans" | "answer" | "progress" | "save"): void;
  /** Shows an example out of turn. */
  visit(item: Item): void;
  notice(notice: Notice): void;
  /** Does several things as one change. */
  batch(work: () => void): void;
}

export class Supply implements Receiver {
  /** Why the kernel could not hand out examples. */
  problem: string | null = null;
  readonly courier: Courier;
  readonly questions: Questions;
  private kernelCounts: Counts;
  /** How many examples were open when the kernel had none to hand out. */
  private dryAt: number | null = null;
  private pastIsDry = false;
  private stopRetry: Off | null = null;
  private onPast: (() => void) | null = null;

  constructor(
    private readonly ledger: Ledger,
    private readonly stage: Stage,
    private readonly host: Host,
    snapshot: Snapshot,
  ) {
    this.kernelCounts = snapshot.counts;
    this.courier = new Courier(host.port, ledger.outbox, host.clock, host.newId, this);
    this.questions = new Questions(this.courier);
    ledger.queue.rebuild(snapshot.window, snapshot.past);
  }

  get counts(): Counts {
    return this.ledger.count(this.kernelCounts);
  }

  dispose(): void {
    this.courier.dispose();
    this.stopRetry?.();
  }

  have(): readonly string[] {
    return this.ledger.queue.open.map(({ id }) => id);
  }

  savingChanged(): void {
    this.stage.changed("save");
  }

  receive(message: Incoming, regarding: Regarding): void {
    this.stage.batch(() => this.take(message, regarding));
  }

  private take(message: Incoming, { answer, request }: Regarding): void {
    if ("counts" in message) this.kernelCounts = message.counts;
    const isAnswered = this.questions.settle(request, message);
    if (!isAnswered) this.takeNews(message, answer, request);
    this.questions.pump();
    this.stage.changed("progress");
  }

  private takeNews(message: Incoming, answer: AnswerMessage | null, request: Request | null): void {
    switch (message.type) {
      case "failed":
        return this.fail(message, answer, request !== null);
      case "notice":
        return this.stage.notice(message);
      case "saved":
      case "tasks":
      case "snapshot":
      case "refresh":
      case "show":
        this.problem = null;
        this.takeExamples(message, answer !== null, request?.type ?? null);
        this.topUp();
    }
  }

  private takeExamples(
    message: Saved | Tasks | Fresh | Show,
    isOwn: boolean,
    asked: Request["type"] | null,
  ): void {
    if (message.type === "saved") this.takeSaved(message, isOwn);
    else if (message.type === "tasks") this.takeTasks(message.tasks, asked);
    else if (message.type === "show") this.takeGuests(message.tasks);
    else this.restart(message);
  }

  /** Asks for examples that are not at hand, whatever their place. */
  find(examples: readonly string[], then: () => void): void {
    this.questions.putInstead({ type: "find", examples }, (reply) => {
      if (reply.type === "failed") this.problem = reply.message;
      if (reply.type !== "tasks") return;
      this.takeIn(reply.tasks);
      then();
    });
  }

  /** Brings examples up to date, or takes them in beside those that one leafs through. */
  takeIn(tasks: readonly Task[]): void {
    const { shown } = this.stage;
    this.ledger.queue.visit(tasks, (item) => item === shown || this.ledger.isTouched(item));
    this.stage.changed("spans");
    this.stage.changed("answer");
  }

  private takeGuests(tasks: readonly Task[]): void {
    this.takeIn(tasks);
    const item = this.ledger.queue.get(tasks[0]?.id ?? "");
    if (item !== null) this.stage.visit(item);
  }

  /** Takes over everything as the kernel has it now. */
  restart(fresh: Snapshot & { readonly ahead?: true }): void {
    const { shown } = this.stage;
    const wasOpen = shown !== null && isOpen(shown);
    const words = shown?.task.tokens;
    this.kernelCounts = fresh.counts;
    this.dryAt = null;
    this.pastIsDry = false;
    this.ledger.queue.rebuild(fresh.window, fresh.past);
    const still = shown === null ? null : this.ledger.queue.get(shown.id);
    if (fresh.ahead === true && still !== null) this.ledger.queue.lead(still);
    if (still === null || (wasOpen && !isOpen(still))) {
      this.stage.show(this.ledger.queue.openAfter(null));
    } else if (still.task.tokens !== words || still !== shown) {
      this.stage.show(still);
    }
    this.stage.changed("spans");
    this.stage.changed("answer");
  }

  /** Asks for examples before the window runs out. */
  topUp(): void {
    const here = this.ledger.queue.open.length;
    const { open } = this.counts;
    if (here >= LOW || open <= here || open === this.dryAt) return;
    const waiting = this.ledger.outbox.all.map(({ message }) => message.example);
    const have = [...new Set([...this.have(), ...waiting])];
    this.courier.ask({ type: "fetch", have, want: WINDOW - here });
  }

  /** Asks for older answers before undo or leafing back comes to the end of those at hand. */
  lookBack(): boolean {
    const { total, open } = this.counts;
    const { decidedCount, firstDecided } = this.ledger.queue;
    if (decidedCount >= LOW || this.pastIsDry || total - open <= decidedCount) return false;
    this.courier.ask({ type: "past", before: firstDecided?.id ?? null, want: WINDOW });
    return true;
  }

  /** Does something once older answers are at hand; tells whether there may be any. */
  afterLookingBack(then: () => void): boolean {
    if (!this.lookBack()) return false;
    this.onPast = then;
    return true;
  }

  private takeSaved(message: Saved, own: boolean): void {
    if (!own) this.hear(message);
    this.extend(message.next);
  }

  private takeTasks(tasks: readonly Task[], asked: Request["type"] | null): void {
    if (asked === "past") {
      // The kernel gives older answers newest first.
      this.pastIsDry = !this.ledger.queue.prepend([...tasks].reverse());
      this.stage.changed("answer");
      const then = this.onPast;
      this.onPast = null;
      then?.();
    } else if (!this.extend(tasks)) {
      this.dryAt = this.counts.open;
    }
  }

  private extend(tasks: readonly Task[]): boolean {
    const added = this.ledger.queue.append(tasks);
    if (this.stage.shown === null && added) this.stage.show(this.ledger.queue.openAfter(null));
    return added;
  }

  /** Somebody else has spoken: another page, or code in a cell. */
  private hear(message: Saved): void {
    const { ledger, stage } = this;
    const item = ledger.queue.get(message.example);
    if (item === null || ledger.isTouched(item)) return;
    const wasOpen = isOpen(item);
    const words = item.task.tokens.map(([word]) => word);
    const spans = fromWire(readSpans(message.spans, words)[0]);
    const { answer, flagged, note } = message;
    ledger.adopt(item, { spans, answer, flagged, note });
    stage.changed("spans");
    stage.changed("answer");
    if (ledger.isTouched(stage.shown)) return;
    if (item.isVisiting) return;
    if (item === stage.shown && wasOpen && !isOpen(item)) stage.show(ledger.queue.openAfter(item));
    else if (!wasOpen && isOpen(item)) stage.show(item);
  }

  private fail(message: Failed, refused: AnswerMessage | null, isQuestion: boolean): void {
    if (refused !== null) this.reopen(refused.example);
    if (!isQuestion) return;
    this.problem = message.message;
    this.stopRetry?.();
    this.stopRetry = this.host.clock.after(PATIENCE, () => this.topUp());
  }

  private reopen(example: string): void {
    const item = this.ledger.queue.get(example);
    if (item === null || this.ledger.outbox.holds(example)) return;
    this.ledger.reopen(item);
    if (!this.ledger.isTouched(this.stage.shown)) this.stage.show(item);
    this.stage.changed("answer");
  }
}
