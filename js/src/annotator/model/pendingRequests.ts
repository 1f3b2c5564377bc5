/**
 * Questions that are put until they have their reply, one of a kind at a time.
 *
 * A kernel that was busy or away may have lost one: it is put again as soon as
 * the kernel has said anything.
 */
import type { Transport } from "./transport";
import type { KernelMessage, KernelRequest } from "../../shared/protocol";

export type OnReply = (reply: KernelMessage) => void;

interface PendingRequest {
  readonly request: KernelRequest;
  readonly then: OnReply;
}

export class PendingRequests {
  private waiting: PendingRequest[] = [];

  constructor(private readonly transport: Pick<Transport, "request" | "isRequesting">) {}

  isWaiting(type: KernelRequest["type"]): boolean {
    return this.waiting.some(({ request }) => request.type === type);
  }

  /** Puts a question behind all others of its kind. */
  add(request: KernelRequest, then: OnReply): void {
    this.waiting.push({ request, then });
    this.sendUnsent();
  }

  /** Puts a question in the place of all others of its kind, whose replies no longer matter. */
  replace(request: KernelRequest, then: OnReply): void {
    this.cancel(request.type);
    this.add(request, then);
  }

  cancel(type: KernelRequest["type"]): void {
    this.waiting = this.waiting.filter(({ request }) => request.type !== type);
  }

  /** Takes a reply in; tells whether somebody waited for it. */
  resolve(request: KernelRequest | null, reply: KernelMessage): boolean {
    const question = this.waiting.find((one) => one.request === request);
    if (question === undefined) return false;
    this.waiting = this.waiting.filter((one) => one !== question);
    question.then(reply);
    return true;
  }

  /** Sends what has not been sent, or was lost. */
  sendUnsent(): void {
    for (const { request } of this.waiting) {
      if (!this.transport.isRequesting(request.type)) this.transport.request(request);
    }
  }
}
