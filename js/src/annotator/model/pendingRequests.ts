/**
 * Questions that are put until they have their reply, one of a kind at a time.
 *
 * A kernel that was busy or away may have lost one: it is put again as soon as
 * the kernel has said anything.
 */
import type { Courier } from "./transport";
import type { Incoming, Request } from "../../shared/protocol";

export type Then = (reply: Incoming) => void;

interface Question {
  readonly request: Request;
  readonly then: Then;
}

export class Questions {
  private waiting: Question[] = [];

  constructor(private readonly courier: Pick<Courier, "ask" | "isAsking">) {}

  isWaiting(type: Request["type"]): boolean {
    return this.waiting.some(({ request }) => request.type === type);
  }

  /** Puts a question behind all others of its kind. */
  put(request: Request, then: Then): void {
    this.waiting.push({ request, then });
    this.pump();
  }

  /** Puts a question in the place of all others of its kind, whose replies no longer matter. */
  putInstead(request: Request, then: Then): void {
    this.drop(request.type);
    this.put(request, then);
  }

  drop(type: Request["type"]): void {
    this.waiting = this.waiting.filter(({ request }) => request.type !== type);
  }

  /** Takes a reply in; tells whether somebody waited for it. */
  settle(request: Request | null, reply: Incoming): boolean {
    const question = this.waiting.find((one) => one.request === request);
    if (question === undefined) return false;
    this.waiting = this.waiting.filter((one) => one !== question);
    question.then(reply);
    return true;
  }

  /** Sends what has not been sent, or was lost. */
  pump(): void {
    for (const { request } of this.waiting) {
      if (!this.courier.isAsking(request.type)) this.courier.ask(request);
    }
  }
}
