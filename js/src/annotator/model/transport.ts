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
import type { Clock, Unsubscribe, KernelConnection } from "../../shared/environment";
import type { Answer, AnswerMessage, KernelMessage, KernelRequest } from "../../shared/protocol";
import { parseMessage } from "../../shared/parseMessages";
import { describeSaveStatus, type SaveStatus } from "./saveStatus";

/** How long a reply may take before the page says that nothing is saved. */
export const REPLY_TIMEOUT = 8_000;
const MAX_WAIT = 30_000;
const FIRST_RETRY = 2_000;

/** What a message from the kernel is a reply to; both null when nobody asked here. */
export interface ReplyContext {
  readonly answer: AnswerMessage | null;
  readonly request: KernelRequest | null;
}

export interface MessageHandler {
  /** Ids of the examples in the window, for the kernel to fill it up. */
  openIds(): readonly string[];
  handle(message: KernelMessage, regarding: ReplyContext): void;
  savingChanged(): void;
}

export class Transport {
  /** The serial number under which each message was sent last; none while it waits to be retried. */
  private sent = new Map<string, number>();
  private requests = new Map<string, KernelRequest>();
  private serial = 0;
  private lastHeardAt: number;
  private isSilent = false;
  private failure: string | null = null;
  private refusal: string | null = null;
  private wait = REPLY_TIMEOUT;
  private retryIn = FIRST_RETRY;
  private stopTimeout: Unsubscribe | null = null;
  private stopRetry: Unsubscribe | null = null;
  private readonly unsubscribers: Unsubscribe[];

  constructor(
    private readonly port: KernelConnection,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly newId: () => string,
    private readonly handler: MessageHandler,
  ) {
    this.lastHeardAt = clock.now();
    this.unsubscribers = [
      port.onMessage((raw) => this.receive(raw)),
      port.onConnectionChange(() => this.connectionChanged()),
      port.onWake(() => this.onWake()),
    ];
  }

  get saveStatus(): SaveStatus {
    return describeSaveStatus({
      pending: this.outbox.entries.length,
      connected: this.port.isConnected(),
      silent: this.isSilent,
      failure: this.failure,
      refusal: this.refusal,
      durable: this.outbox.isDurable,
    });
  }

  /** Keeps an answer and sends it. */
  sendAnswer(message: AnswerMessage, was: Answer): void {
    this.startReplyWait();
    this.outbox.add(message, was, this.clock.now());
    this.refusal = null;
    this.send(message);
    this.restartTimeout();
    this.handler.savingChanged();
  }

  /** Puts a question, unless one of its kind waits for its reply. */
  request(request: KernelRequest): void {
    if (this.isRequesting(request.type)) return;
    const id = this.newId();
    this.startReplyWait();
    this.requests.set(id, request);
    this.transmit({ ...request, id }, id);
    this.restartTimeout();
  }

  isRequesting(type: KernelRequest["type"]): boolean {
    return [...this.requests.values()].some((request) => request.type === type);
  }

  /** Sends everything again that is not acknowledged. */
  resendAll(): void {
    this.lastHeardAt = this.clock.now();
    this.outbox.entries.forEach(({ message }) => this.send(message));
    this.restartTimeout();
  }

  dispose(): void {
    this.unsubscribers.forEach((off) => off());
    this.stopTimeout?.();
    this.stopRetry?.();
  }

  private send(message: AnswerMessage): void {
    this.transmit({ ...message, have: this.handler.openIds() }, message.id);
  }

  private transmit(message: object, id: string): void {
    this.serial += 1;
    this.sent.set(id, this.serial);
    if (!this.port.isConnected()) return;
    try {
      this.port.send(message);
    } catch {
      // A closed connection: the answer stays in the outbox, and the watch will say so.
    }
  }

  private receive(raw: unknown): void {
    const message = parseMessage(raw);
    if (message === null) return;
    this.markAlive();
    const regarding = this.matchReply(message);
    this.handler.handle(message, regarding);
    this.restartTimeout();
    this.handler.savingChanged();
  }

  private markAlive(): void {
    this.isSilent = false;
    this.wait = REPLY_TIMEOUT;
    this.lastHeardAt = this.clock.now();
  }

  /** Finds what a message replies to and closes that. */
  private matchReply(message: KernelMessage): ReplyContext {
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
    const isAnswer = this.outbox.entries.some((letter) => letter.message.id === id);
    if (!isAnswer) return null;
    if (retry) {
      this.failure = message;
      this.retryLater();
      return null;
    }
    this.refusal = message;
    return this.outbox.discard(id);
  }

  private retryLater(): void {
    if (this.stopRetry !== null) return;
    this.stopRetry = this.clock.setTimer(this.retryIn, () => {
      this.stopRetry = null;
      this.retryIn = Math.min(2 * this.retryIn, MAX_WAIT);
      this.outbox.entries
        .filter(({ message }) => !this.sent.has(message.id))
        .forEach(({ message }) => this.send(message));
      this.restartTimeout();
    });
  }

  /** Sends again what was sent before a message that has its reply, and has none itself. */
  private sendLost(serial: number): void {
    const isLost = (id: string): boolean => (this.sent.get(id) ?? Infinity) < serial;
    this.outbox.entries
      .filter(({ message }) => isLost(message.id))
      .forEach(({ message }) => this.send(message));
    [...this.requests.keys()].filter(isLost).forEach((id) => this.requests.delete(id));
  }

  private get isReplyDue(): boolean {
    return this.outbox.entries.length > 0 || this.requests.size > 0;
  }

  /** A kernel that had nothing to say was not silent. */
  private startReplyWait(): void {
    if (!this.isReplyDue) this.lastHeardAt = this.clock.now();
  }

  /** Looks again when patience would run out, as long as a reply is due. */
  private restartTimeout(): void {
    this.stopTimeout?.();
    this.stopTimeout = null;
    if (!this.isReplyDue || !this.port.isConnected()) return;
    const left = Math.max(0, this.lastHeardAt + this.wait - this.clock.now());
    this.stopTimeout = this.clock.setTimer(left, () => this.onTimeout());
  }

  private onTimeout(): void {
    this.isSilent = true;
    this.lastHeardAt = this.clock.now();
    this.wait = Math.min(2 * this.wait, MAX_WAIT);
    this.requests.clear();
    this.request({ type: "hello" });
    this.handler.savingChanged();
  }

  /** A closed laptop is open again: a question settles what has to be sent again. */
  private onWake(): void {
    if (!this.isReplyDue) return;
    this.wait = REPLY_TIMEOUT;
    this.lastHeardAt = this.clock.now();
    this.requests.clear();
    this.request({ type: "hello" });
    this.restartTimeout();
  }

  private connectionChanged(): void {
    if (this.port.isConnected()) this.resendAll();
    this.restartTimeout();
    this.handler.savingChanged();
  }
}
