/**
 * Carries answers and questions to the kernel until it has replied.
 *
 * The kernel takes messages in the order they were sent. So when it replies to
 * one, whatever was sent before and has no reply was lost on the way, and is
 * sent again. When it says nothing for too long, a small question is put to it
 * now and then: its reply settles what of the rest has to be sent again, and a
 * busy kernel finds no heap of repeated answers when it comes back.
 */
import type { Outbox } from "./outbox";
import type { Clock, Off, Port } from "../../shared/environment";
import type { Answer, AnswerMessage, Incoming, Request } from "../../shared/protocol";
import { readIncoming } from "../../shared/parseMessages";
import { describe, type SaveState } from "./saveStatus";

/** How long a reply may take before the page says that nothing is saved. */
export const PATIENCE = 8_000;
const LONGEST_WAIT = 30_000;
const FIRST_RETRY = 2_000;

/** What a message from the kernel is a reply to; both null when nobody asked here. */
export interface Regarding {
  readonly answer: AnswerMessage | null;
  readonly request: Request | null;
}

export interface Receiver {
  /** Ids of the examples in the window, for the kernel to fill it up. */
  have(): readonly string[];
  receive(message: Incoming, regarding: Regarding): void;
  savingChanged(): void;
}

export class Courier {
  /** The serial number under which each message was sent last; none while it waits to be retried. */
  private sent = new Map<string, number>();
  private requests = new Map<string, Request>();
  private serial = 0;
  private quietSince: number;
  private silent = false;
  private failure: string | null = null;
  private refusal: string | null = null;
  private wait = PATIENCE;
  private retryIn = FIRST_RETRY;
  private stopWatch: Off | null = null;
  private stopRetry: Off | null = null;
  private readonly offs: Off[];

  constructor(
    private readonly port: Port,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly newId: () => string,
    private readonly receiver: Receiver,
  ) {
    this.quietSince = clock.now();
    this.offs = [
      port.onMessage((raw) => this.take(raw)),
      port.onConnection(() => this.connectionChanged()),
      port.onWake(() => this.wake()),
    ];
  }

  get saving(): SaveState {
    return describe({
      pending: this.outbox.all.length,
      connected: this.port.connected(),
      silent: this.silent,
      failure: this.failure,
      refusal: this.refusal,
      durable: this.outbox.durable,
    });
  }

  /** Keeps an answer and sends it. */
  post(message: AnswerMessage, was: Answer): void {
    this.startWaiting();
    this.outbox.add(message, was, this.clock.now());
    this.refusal = null;
    this.send(message);
    this.watch();
    this.receiver.savingChanged();
  }

  /** Puts a question, unless one of its kind waits for its reply. */
  ask(request: Request): void {
    if (this.isAsking(request.type)) return;
    const id = this.newId();
    this.startWaiting();
    this.requests.set(id, request);
    this.transmit({ ...request, id }, id);
    this.watch();
  }

  isAsking(type: Request["type"]): boolean {
    return [...this.requests.values()].some((request) => request.type === type);
  }

  /** Sends everything again that is not acknowledged. */
  resend(): void {
    this.quietSince = this.clock.now();
    this.outbox.all.forEach(({ message }) => this.send(message));
    this.watch();
  }

  dispose(): void {
    this.offs.forEach((off) => off());
    this.stopWatch?.();
    this.stopRetry?.();
  }

  private send(message: AnswerMessage): void {
    this.transmit({ ...message, have: this.receiver.have() }, message.id);
  }

  private transmit(message: object, id: string): void {
    this.serial += 1;
    this.sent.set(id, this.serial);
    if (!this.port.connected()) return;
    try {
      this.port.send(message);
    } catch {
      // A closed connection: the answer stays in the outbox, and the watch will say so.
    }
  }

  private take(raw: unknown): void {
    const message = readIncoming(raw);
    if (message === null) return;
    this.hearLife();
    const regarding = this.settle(message);
    this.receiver.receive(message, regarding);
    this.watch();
    this.receiver.savingChanged();
  }

  private hearLife(): void {
    this.silent = false;
    this.wait = PATIENCE;
    this.quietSince = this.clock.now();
  }

  /** Finds what a message replies to and closes that. */
  private settle(message: Incoming): Regarding {
    const id = message.re;
    if (id === undefined) return { answer: null, request: null };
    const request = this.requests.get(id) ?? null;
    const serial = this.sent.get(id);
    this.requests.delete(id);
    this.sent.delete(id);
    const answer = message.type === "failed" ? this.fail(id, message) : this.acknowledge(id);
    if (serial !== undefined) this.sendLost(serial);
    return { answer, request };
  }

  private acknowledge(id: string): AnswerMessage | null {
    const answer = this.outbox.acknowledge(id);
    if (answer === null) return null;
    this.failure = null;
    this.refusal = null;
    this.retryIn = FIRST_RETRY;
    return answer;
  }

  private fail(id: string, { message, retry }: { message: string; retry: boolean }) {
    const isAnswer = this.outbox.all.some((letter) => letter.message.id === id);
    if (!isAnswer) return null;
    if (retry) {
      this.failure = message;
      this.retryLater();
      return null;
    }
    this.refusal = message;
    return this.outbox.refuse(id);
  }

  private retryLater(): void {
    if (this.stopRetry !== null) return;
    this.stopRetry = this.clock.after(this.retryIn, () => {
      this.stopRetry = null;
      this.retryIn = Math.min(2 * this.retryIn, LONGEST_WAIT);
      this.outbox.all
        .filter(({ message }) => !this.sent.has(message.id))
        .forEach(({ message }) => this.send(message));
      this.watch();
    });
  }

  /** Sends again what was sent before a message that has its reply, and has none itself. */
  private sendLost(serial: number): void {
    const isLost = (id: string): boolean => (this.sent.get(id) ?? Infinity) < serial;
    this.outbox.all
      .filter(({ message }) => isLost(message.id))
      .forEach(({ message }) => this.send(message));
    [...this.requests.keys()].filter(isLost).forEach((id) => this.requests.delete(id));
  }

  private get isDue(): boolean {
    return this.outbox.all.length > 0 || this.requests.size > 0;
  }

  /** A kernel that had nothing to say was not silent. */
  private startWaiting(): void {
    if (!this.isDue) this.quietSince = this.clock.now();
  }

  /** Looks again when patience would run out, as long as a reply is due. */
  private watch(): void {
    this.stopWatch?.();
    this.stopWatch = null;
    if (!this.isDue || !this.port.connected()) return;
    const left = Math.max(0, this.quietSince + this.wait - this.clock.now());
    this.stopWatch = this.clock.after(left, () => this.losePatience());
  }

  private losePatience(): void {
    this.silent = true;
    this.quietSince = this.clock.now();
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    this.requests.clear();
    this.ask({ type: "hello" });
    this.receiver.savingChanged();
  }

  /** A closed laptop is open again: a question settles what has to be sent again. */
  private wake(): void {
    if (!this.isDue) return;
    this.wait = PATIENCE;
    this.quietSince = this.clock.now();
    this.requests.clear();
    this.ask({ type: "hello" });
    this.watch();
  }

  private connectionChanged(): void {
    if (this.port.connected()) this.resend();
    this.watch();
    this.receiver.savingChanged();
  }
}
