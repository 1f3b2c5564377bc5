/**
 * Delivers answers and requests to the kernel until it has replied.
 *
 * The kernel processes messages in the order they were sent. So when it replies
 * to one, every message that was sent earlier and has no reply was lost, and is
 * sent again. When it is silent for too long, a small request is sent from time
 * to time: its reply settles what else has to be sent again, and a kernel that
 * was busy does not find a pile of repeated answers.
 */
import type { Clock, KernelConnection, Unsubscribe } from "../../shared/environment";
import { parseMessage } from "../../shared/parseMessages";
import type { Answer, AnswerMessage, KernelMessage, KernelRequest } from "../../shared/protocol";
import { batch, reactive } from "../../shared/reactive";
import type { Outbox } from "./outbox";
import { describeSaveStatus, type SaveConditions, type SaveStatus } from "./saveStatus";

/** Milliseconds without a reply after which answers count as not saved. */
export const REPLY_TIMEOUT = 8_000;
const MAX_WAIT = 30_000;
const FIRST_RETRY = 2_000;

/** The message that a message from the kernel replies to; both null if it replies to none. */
export interface ReplyContext {
  readonly answer: AnswerMessage | null;
  readonly request: KernelRequest | null;
}

export interface MessageHandler {
  /** Return the ids of the loaded open examples, for the kernel to send the next ones. */
  openIds(): readonly string[];
  handle(message: KernelMessage, repliesTo: ReplyContext): void;
}

export class Transport {
  private readonly state = reactive<Omit<SaveConditions, "pending" | "isDurable">>({
    isConnected: true,
    isSilent: false,
    failure: null,
    refusal: null,
  });
  /** The serial number of the last sending of each message; none while it waits to be retried. */
  private sent = new Map<string, number>();
  private requests = new Map<string, KernelRequest>();
  private serial = 0;
  private lastHeardAt: number;
  private wait = REPLY_TIMEOUT;
  private retryIn = FIRST_RETRY;
  private stopTimeout: Unsubscribe | null = null;
  private stopRetry: Unsubscribe | null = null;
  private readonly unsubscribers: Unsubscribe[];

  constructor(
    private readonly connection: KernelConnection,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly newId: () => string,
    private readonly handler: MessageHandler,
  ) {
    this.lastHeardAt = clock.now();
    this.state.isConnected = connection.isConnected();
    this.unsubscribers = [
      connection.onMessage((raw) => batch(() => this.receive(raw))),
      connection.onConnectionChange(() => batch(() => this.onConnectionChange())),
      connection.onWake(() => this.onWake()),
    ];
  }

  get saveStatus(): SaveStatus {
    return describeSaveStatus({
      ...this.state,
      pending: this.outbox.entries.length,
      isDurable: this.outbox.isDurable,
    });
  }

  /** Store an answer in the outbox and send it. */
  sendAnswer(message: AnswerMessage, was: Answer): void {
    this.startReplyWait();
    this.outbox.add(message, was, this.clock.now());
    this.state.refusal = null;
    this.transmitAnswer(message);
    this.restartTimeout();
  }

  /** Send a request, unless one of its type waits for its reply. */
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

  /** Send all unacknowledged answers again. */
  resendAll(): void {
    this.lastHeardAt = this.clock.now();
    this.outbox.entries.forEach(({ message }) => this.transmitAnswer(message));
    this.restartTimeout();
  }

  dispose(): void {
    this.unsubscribers.forEach((unsubscribe) => unsubscribe());
    this.stopTimeout?.();
    this.stopRetry?.();
  }

  private transmitAnswer(message: AnswerMessage): void {
    this.transmit({ ...message, have: this.handler.openIds() }, message.id);
  }

  private transmit(message: object, id: string): void {
    this.serial += 1;
    this.sent.set(id, this.serial);
    if (!this.connection.isConnected()) return;
    try {
      this.connection.send(message);
    } catch {
      // The connection is closed: the answer stays in the outbox until the timeout reports it.
    }
  }

  private receive(raw: unknown): void {
    const message = parseMessage(raw);
    if (message === null) return;
    this.markAlive();
    const repliesTo = this.matchReply(message);
    this.handler.handle(message, repliesTo);
    this.restartTimeout();
  }

  private markAlive(): void {
    this.state.isSilent = false;
    this.wait = REPLY_TIMEOUT;
    this.lastHeardAt = this.clock.now();
  }

  /** Find the message that is replied to, and close it. */
  private matchReply(message: KernelMessage): ReplyContext {
    const id = message.re;
    if (id === undefined) return { answer: null, request: null };
    const request = this.requests.get(id) ?? null;
    const serial = this.sent.get(id);
    this.requests.delete(id);
    this.sent.delete(id);
    const answer = message.type === "failed" ? this.fail(id, message) : this.acknowledge(id);
    if (serial !== undefined) this.resendLost(serial);
    return { answer, request };
  }

  private acknowledge(id: string): AnswerMessage | null {
    const answer = this.outbox.acknowledge(id);
    if (answer === null) return null;
    this.state.failure = null;
    this.state.refusal = null;
    this.retryIn = FIRST_RETRY;
    return answer;
  }

  private fail(id: string, { message, retry }: { message: string; retry: boolean }): AnswerMessage | null {
    const isAnswer = this.outbox.entries.some((entry) => entry.message.id === id);
    if (!isAnswer) return null;
    if (retry) {
      this.state.failure = message;
      this.retryLater();
      return null;
    }
    this.state.refusal = message;
    return this.outbox.refuse(id, message);
  }

  private retryLater(): void {
    if (this.stopRetry !== null) return;
    this.stopRetry = this.clock.setTimer(this.retryIn, () => {
      this.stopRetry = null;
      this.retryIn = Math.min(2 * this.retryIn, MAX_WAIT);
      this.outbox.entries
        .filter(({ message }) => !this.sent.has(message.id))
        .forEach(({ message }) => this.transmitAnswer(message));
      this.restartTimeout();
    });
  }

  /** Send again what was sent before a message that has been replied to, and has no reply. */
  private resendLost(serial: number): void {
    const isLost = (id: string): boolean => (this.sent.get(id) ?? Infinity) < serial;
    this.outbox.entries
      .filter(({ message }) => isLost(message.id))
      .forEach(({ message }) => this.transmitAnswer(message));
    [...this.requests.keys()].filter(isLost).forEach((id) => this.requests.delete(id));
  }

  private get isReplyDue(): boolean {
    return this.outbox.entries.length > 0 || this.requests.size > 0;
  }

  /** Start to measure silence: while no reply was due, there was none. */
  private startReplyWait(): void {
    if (!this.isReplyDue) this.lastHeardAt = this.clock.now();
  }

  private restartTimeout(): void {
    this.stopTimeout?.();
    this.stopTimeout = null;
    if (!this.isReplyDue || !this.connection.isConnected()) return;
    const left = Math.max(0, this.lastHeardAt + this.wait - this.clock.now());
    this.stopTimeout = this.clock.setTimer(left, () => this.onTimeout());
  }

  private onTimeout(): void {
    this.state.isSilent = true;
    this.wait = Math.min(2 * this.wait, MAX_WAIT);
    this.sendProbe();
  }

  /** After a sleep of the page, have a reply settle what has to be sent again. */
  private onWake(): void {
    if (!this.isReplyDue) return;
    this.wait = REPLY_TIMEOUT;
    this.sendProbe();
    this.restartTimeout();
  }

  private sendProbe(): void {
    this.lastHeardAt = this.clock.now();
    this.requests.clear();
    this.request({ type: "hello" });
  }

  private onConnectionChange(): void {
    this.state.isConnected = this.connection.isConnected();
    if (this.state.isConnected) this.resendAll();
    this.restartTimeout();
  }
}

export type OnReply = (reply: KernelMessage) => void;

interface PendingRequest {
  readonly request: KernelRequest;
  readonly onReply: OnReply;
}

/**
 * Requests that are repeated until they have their reply, one of each type at a time.
 *
 * A kernel that was busy or away may have lost one: it is sent again as soon as
 * the kernel has sent any message.
 */
export class PendingRequests {
  private readonly state = reactive<{ pending: readonly PendingRequest[] }>({ pending: [] });

  constructor(private readonly transport: Pick<Transport, "request" | "isRequesting">) {}

  isWaiting(type: KernelRequest["type"]): boolean {
    return this.state.pending.some(({ request }) => request.type === type);
  }

  /** Add a request behind all others of its type. */
  add(request: KernelRequest, onReply: OnReply): void {
    this.state.pending = [...this.state.pending, { request, onReply }];
    this.sendUnsent();
  }

  /** Add a request in place of all others of its type, whose replies no longer matter. */
  replace(request: KernelRequest, onReply: OnReply): void {
    this.state.pending = this.state.pending.filter((one) => one.request.type !== request.type);
    this.add(request, onReply);
  }

  /** Pass a reply to whoever waits for it; return false if nobody does. */
  resolve(request: KernelRequest | null, reply: KernelMessage): boolean {
    const found = this.state.pending.find((one) => one.request === request);
    if (found === undefined) return false;
    this.state.pending = this.state.pending.filter((one) => one !== found);
    found.onReply(reply);
    return true;
  }

  /** Send what has not been sent yet, or was lost. */
  sendUnsent(): void {
    for (const { request } of this.state.pending) {
      if (!this.transport.isRequesting(request.type)) this.transport.request(request);
    }
  }
}
