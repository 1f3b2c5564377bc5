/**
 * Answers that the kernel has not acknowledged, in the order they were given.
 *
 * They are in the browser's storage before they are sent, and leave it only
 * when the kernel says that they are in the database.
 */
import type { Answer, AnswerMessage } from "../../shared/protocol";
import type { BrowserStorage } from "./browserStorage";

export interface OutboxEntry {
  readonly message: AnswerMessage;
  /** The decision that this one takes the place of, to count with. */
  readonly was: Answer;
  readonly at: number;
}

export class Outbox {
  private unacknowledged: OutboxEntry[];

  constructor(private readonly storage: BrowserStorage) {
    this.unacknowledged = storage
      .entries()
      .map(([, value]) => parseEntry(value))
      .filter((letter) => letter !== null)
      .sort((left, right) => left.at - right.at);
  }

  get entries(): readonly OutboxEntry[] {
    return this.unacknowledged;
  }

  get isDurable(): boolean {
    return this.storage.isDurable;
  }

  hasExample(example: string): boolean {
    return this.unacknowledged.some(({ message }) => message.example === example);
  }

  /** The last thing said about an example. */
  lastFor(example: string): AnswerMessage | null {
    const found = this.unacknowledged.filter(({ message }) => message.example === example);
    return found.at(-1)?.message ?? null;
  }

  add(message: AnswerMessage, was: Answer, now: number): OutboxEntry {
    // Two answers within one tick of the clock keep their order after a reload.
    const at = Math.max(now, (this.unacknowledged.at(-1)?.at ?? 0) + 1);
    const letter = { message, was, at };
    this.unacknowledged.push(letter);
    this.storage.set(message.id, letter);
    return letter;
  }

  /**
   * Takes out an answer that was acknowledged, and with it all earlier ones
   * about the same example: to send those again would bring back what was
   * replaced.
   */
  acknowledge(id: string): AnswerMessage | null {
    const index = this.unacknowledged.findIndex(({ message }) => message.id === id);
    // It may have been sent by another page from the same storage.
    this.storage.remove(id);
    const found = this.unacknowledged[index];
    if (found === undefined) return null;
    const settled = (letter: OutboxEntry, i: number): boolean =>
      i <= index && letter.message.example === found.message.example;
    this.unacknowledged.filter(settled).forEach(({ message }) => this.storage.remove(message.id));
    this.unacknowledged = this.unacknowledged.filter((letter, i) => !settled(letter, i));
    return found.message;
  }

  /** Takes out an answer that was refused for good. */
  discard(id: string): AnswerMessage | null {
    const found = this.unacknowledged.find(({ message }) => message.id === id) ?? null;
    this.storage.remove(id);
    this.unacknowledged = this.unacknowledged.filter((letter) => letter !== found);
    return found?.message ?? null;
  }

  /** How the kernel's counts change once all of these have been stored. */
  answerChanges(): { from: Answer; to: Answer }[] {
    const first = new Map<string, Answer>();
    const last = new Map<string, Answer>();
    for (const { message, was } of this.unacknowledged) {
      if (!first.has(message.example)) first.set(message.example, was);
      last.set(message.example, message.answer);
    }
    return [...first].map(([example, from]) => ({ from, to: last.get(example) ?? null }));
  }
}

/** Reads what another version of this page may have put there; the kernel checks the spans. */
function parseEntry(raw: unknown): OutboxEntry | null {
  const letter = raw as Partial<OutboxEntry> | null;
  const message = letter?.message;
  const sound =
    typeof letter?.at === "number" &&
    message?.type === "answer" &&
    typeof message.id === "string" &&
    typeof message.example === "string" &&
    Array.isArray(message.spans);
  if (!sound) return null;
  return { at: letter.at as number, was: letter.was ?? null, message: message as AnswerMessage };
}
