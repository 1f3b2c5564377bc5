/**
 * Answers that the kernel has not acknowledged, in the order they were given.
 *
 * They are written to the browser's storage before they are sent, and removed
 * only when the kernel confirms that they are in the database. What the kernel
 * refuses for good stays there too, apart from the others, until the person
 * discards it.
 */
import type { Answer, AnswerMessage } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import type { BrowserStorage } from "./browserStorage";

/** As it lies in the browser's storage. */
export interface OutboxEntry {
  readonly message: AnswerMessage;
  /** The answer that this one replaces, for the counts. */
  readonly was: Answer;
  /** When it was given. */
  readonly at: number;
  /** Why the kernel will never take it; such an answer is not sent again. */
  readonly refused?: string;
}

export class Outbox {
  private readonly state: { entries: readonly OutboxEntry[]; refused: readonly OutboxEntry[] };

  constructor(private readonly storage: BrowserStorage) {
    const entries = storage
      .entries()
      .map(([, value]) => parseEntry(value))
      .filter((entry) => entry !== null)
      .sort((left, right) => left.at - right.at);
    this.state = reactive({
      entries: entries.filter(({ refused }) => refused === undefined),
      refused: entries.filter(({ refused }) => refused !== undefined),
    });
  }

  get entries(): readonly OutboxEntry[] {
    return this.state.entries;
  }

  /** The answers that the kernel has refused for good, for the person to see and copy. */
  get refused(): readonly OutboxEntry[] {
    return this.state.refused;
  }

  get isDurable(): boolean {
    return this.storage.isDurable;
  }

  hasExample(example: string): boolean {
    return this.entries.some(({ message }) => message.example === example);
  }

  /** Return the latest unacknowledged answer to an example. */
  lastFor(example: string): AnswerMessage | null {
    const found = this.entries.filter(({ message }) => message.example === example);
    return found.at(-1)?.message ?? null;
  }

  add(message: AnswerMessage, was: Answer, now: number): OutboxEntry {
    // Strictly increasing: answers within one tick of the clock keep their order after a reload.
    const at = Math.max(now, (this.entries.at(-1)?.at ?? 0) + 1);
    const entry = { message, was, at };
    this.state.entries = [...this.entries, entry];
    this.storage.set(message.id, entry);
    return entry;
  }

  /**
   * Remove an acknowledged answer and all earlier ones to the same example:
   * sending those again would restore what has been replaced.
   */
  acknowledge(id: string): AnswerMessage | null {
    const index = this.entries.findIndex(({ message }) => message.id === id);
    // Another page that shares the storage may have sent it.
    this.storage.remove(id);
    const found = this.entries[index];
    if (found === undefined) return null;
    const isSettled = (entry: OutboxEntry, i: number): boolean =>
      i <= index && entry.message.example === found.message.example;
    this.entries.filter(isSettled).forEach(({ message }) => this.storage.remove(message.id));
    this.state.entries = this.entries.filter((entry, i) => !isSettled(entry, i));
    return found.message;
  }

  /** Set aside an answer that the kernel has refused for good; it is not sent again. */
  refuse(id: string, why: string): AnswerMessage | null {
    const found = this.entries.find(({ message }) => message.id === id);
    if (found === undefined) return null;
    const refused = { ...found, refused: why };
    this.storage.set(id, refused);
    this.state.entries = this.entries.filter((entry) => entry !== found);
    this.state.refused = [...this.refused, refused];
    return found.message;
  }

  /** Remove all refused answers: the person has seen them. */
  discardRefused(): void {
    this.refused.forEach(({ message }) => this.storage.remove(message.id));
    this.state.refused = [];
  }

  /** Return, for each example, how its answer changes once all entries are stored. */
  answerChanges(): { from: Answer; to: Answer }[] {
    const first = new Map<string, Answer>();
    const last = new Map<string, Answer>();
    for (const { message, was } of this.entries) {
      if (!first.has(message.example)) first.set(message.example, was);
      last.set(message.example, message.answer);
    }
    return [...first].map(([example, from]) => ({ from, to: last.get(example) ?? null }));
  }
}

/** Parse an entry, perhaps of another version of this page; the kernel checks the spans. */
function parseEntry(raw: unknown): OutboxEntry | null {
  const entry = raw as Partial<OutboxEntry> | null;
  const message = entry?.message;
  const isSound =
    typeof entry?.at === "number" &&
    message?.type === "answer" &&
    typeof message.id === "string" &&
    typeof message.example === "string" &&
    Array.isArray(message.spans);
  if (!isSound) return null;
  const parsed = { at: entry.at as number, was: entry.was ?? null, message: message as AnswerMessage };
  return typeof entry.refused === "string" ? { ...parsed, refused: entry.refused } : parsed;
}
