/**
 * Answers that the kernel has not acknowledged, in the order they were given.
 *
 * They are in the browser's storage before they are sent, and leave it only
 * when the kernel says that they are in the database.
 */
import type { Answer, AnswerMessage } from "../../shared/protocol";
import type { Shelf } from "./browserStorage";

export interface Letter {
  readonly message: AnswerMessage;
  /** The decision that this one takes the place of, to count with. */
  readonly was: Answer;
  readonly at: number;
}

export class Outbox {
  private letters: Letter[];

  constructor(private readonly shelf: Shelf) {
    this.letters = shelf
      .all()
      .map(([, value]) => readLetter(value))
      .filter((letter) => letter !== null)
      .sort((left, right) => left.at - right.at);
  }

  get all(): readonly Letter[] {
    return this.letters;
  }

  get durable(): boolean {
    return this.shelf.durable;
  }

  holds(example: string): boolean {
    return this.letters.some(({ message }) => message.example === example);
  }

  /** The last thing said about an example. */
  last(example: string): AnswerMessage | null {
    const found = this.letters.filter(({ message }) => message.example === example);
    return found.at(-1)?.message ?? null;
  }

  add(message: AnswerMessage, was: Answer, now: number): Letter {
    // Two answers within one tick of the clock keep their order after a reload.
    const at = Math.max(now, (this.letters.at(-1)?.at ?? 0) + 1);
    const letter = { message, was, at };
    this.letters.push(letter);
    this.shelf.put(message.id, letter);
    return letter;
  }

  /**
   * Takes out an answer that was acknowledged, and with it all earlier ones
   * about the same example: to send those again would bring back what was
   * replaced.
   */
  acknowledge(id: string): AnswerMessage | null {
    const index = this.letters.findIndex(({ message }) => message.id === id);
    // It may have been sent by another page from the same storage.
    this.shelf.drop(id);
    const found = this.letters[index];
    if (found === undefined) return null;
    const settled = (letter: Letter, i: number): boolean =>
      i <= index && letter.message.example === found.message.example;
    this.letters.filter(settled).forEach(({ message }) => this.shelf.drop(message.id));
    this.letters = this.letters.filter((letter, i) => !settled(letter, i));
    return found.message;
  }

  /** Takes out an answer that was refused for good. */
  refuse(id: string): AnswerMessage | null {
    const found = this.letters.find(({ message }) => message.id === id) ?? null;
    this.shelf.drop(id);
    this.letters = this.letters.filter((letter) => letter !== found);
    return found?.message ?? null;
  }

  /** How the kernel's counts change once all of these have been stored. */
  changes(): { from: Answer; to: Answer }[] {
    const first = new Map<string, Answer>();
    const last = new Map<string, Answer>();
    for (const { message, was } of this.letters) {
      if (!first.has(message.example)) first.set(message.example, was);
      last.set(message.example, message.answer);
    }
    return [...first].map(([example, from]) => ({ from, to: last.get(example) ?? null }));
  }
}

/** Reads what another version of this page may have put there; the kernel checks the spans. */
function readLetter(raw: unknown): Letter | null {
  const letter = raw as Partial<Letter> | null;
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
