/**
 * The examples that the page holds: some that were decided lately, and the
 * window of those to come, in the order in which one leafs through them.
 */
import type { State } from "./history";
import { sameState } from "./history";
import type { AnswerMessage, Task } from "../../shared/protocol";
import { readSpans } from "../../shared/parseMessages";
import { fromWire, same, spanAt, type Spans } from "./spans";

export interface Item {
  readonly id: string;
  task: Task;
  /** What was proposed, and by nobody touched since. */
  suggestions: Spans;
  state: State;
  /** What the kernel holds, or will hold once everything sent has arrived. */
  stored: State;
  /** How long it has been looked at. */
  seconds: number;
  /** Whether it is shown out of turn: it has no place among those that one leafs through. */
  isVisiting: boolean;
}

/** A person's work on an example that is not in the kernel yet. */
export interface Unsent {
  /** The last answer that waits to be acknowledged. */
  answer(example: string): AnswerMessage | null;
  /** An edit without a decision. */
  draft(example: string): Unfinished | null;
}

/** What a person can have said of an example before they decide. */
export type Unfinished = Pick<AnswerMessage, "spans" | "flagged"> & { readonly note?: string };

/** How many decided examples stay at hand; older ones are asked for when they are needed. */
const KEPT = 200;
/** How many that were shown out of turn. */
const VISITORS = 50;

export class Queue {
  private items: Item[] = [];
  private byId = new Map<string, Item>();
  /** Ids of decided examples, the last decided last. */
  private decided: string[] = [];

  constructor(private readonly unsent: Unsent) {}

  get(id: string): Item | null {
    return this.byId.get(id) ?? null;
  }

  get open(): readonly Item[] {
    return this.items.filter(isOpen);
  }

  get lastDecided(): Item | null {
    return this.get(this.decided.at(-1) ?? "");
  }

  get firstDecided(): Item | null {
    return this.get(this.decided[0] ?? "");
  }

  get decidedCount(): number {
    return this.decided.length;
  }

  get all(): readonly Item[] {
    return this.items;
  }

  /** Those shown out of turn, in the order in which they came. */
  private get visitors(): Item[] {
    return [...this.byId.values()].filter(({ isVisiting }) => isVisiting);
  }

  /** The next open example behind this one, or else the first open one of all. */
  openAfter(item: Item | null): Item | null {
    const from = item === null ? -1 : this.items.indexOf(item);
    return this.items.find((one, i) => i > from && isOpen(one)) ?? this.items.find(isOpen) ?? null;
  }

  /** The example before or behind; before the end of the queue stands its last one. */
  beside(item: Item | null, by: 1 | -1): Item | null {
    if (item?.isVisiting === true) return by === 1 ? this.openAfter(null) : this.decidedBefore(item);
    const from = item === null ? this.items.length : this.items.indexOf(item);
    return this.items[from + by] ?? null;
  }

  private decidedBefore(item: Item): Item | null {
    const id = this.decided.filter((one) => one !== item.id).at(-1);
    return this.get(id ?? "");
  }

  /** Takes over what the kernel holds now; a person's unsent work stays on top of it. */
  rebuild(window: readonly Task[], past: readonly Task[]): void {
    const fresh = new Set([...window, ...past].map(({ id }) => id));
    const kept = this.items.filter((item) => !fresh.has(item.id));
    const older = kept.filter((item) => !isOpen(item));
    const edited = kept.filter((item) => isOpen(item) && isTouched(item, this.unsent));
    const before = this.decided;
    const visitors = this.visitors.filter(({ id }) => !fresh.has(id));
    this.items = [...older, ...past.map(this.take), ...window.map(this.take), ...edited];
    this.byId = new Map([...visitors, ...this.items].map((item) => [item.id, item]));
    // Decisions that the kernel has not heard of yet are the latest.
    const late = this.items.filter((item) => !isOpen(item) && this.unsent.answer(item.id) !== null);
    const ids = [...before.filter((id) => !fresh.has(id)), ...past.map(({ id }) => id)];
    const lateIds = late.map(({ id }) => id);
    this.decided = [...ids.filter((id) => !lateIds.includes(id)), ...lateIds].filter((id) => {
      const item = this.get(id);
      return item !== null && !isOpen(item);
    });
  }

  /** Adds what comes next; tells whether anything of it was new. */
  append(tasks: readonly Task[]): boolean {
    return this.put(tasks, (news) => [...this.items, ...news]);
  }

  /** Adds what was decided before all that is at hand; oldest first. */
  prepend(tasks: readonly Task[]): boolean {
    const known = this.decided;
    const added = this.put(tasks, (news) => [...news, ...this.items]);
    const older = tasks.map(({ id }) => id).filter((id) => !known.includes(id));
    this.decided = [...older.filter((id) => !isOpen(this.get(id) as Item)), ...known];
    return added;
  }

  /** Takes in examples that are to be shown out of turn. */
  visit(tasks: readonly Task[], stays: (item: Item) => boolean): void {
    for (const task of tasks) {
      const known = this.byId.get(task.id);
      if (known === undefined) {
        this.byId.set(task.id, { ...makeItem(task, this.unsent), isVisiting: true });
      } else if (!isTouched(known, this.unsent)) {
        this.renew(known, task);
      }
    }
    const leaving = this.visitors.filter((item) => !stays(item) && !this.decided.includes(item.id));
    leaving.slice(0, -VISITORS).forEach(({ id }) => this.byId.delete(id));
  }

  /** Puts an open example at the head of those to come, so that all others come after it. */
  lead(item: Item): void {
    if (item.isVisiting || !isOpen(item)) return;
    const rest = this.items.filter((one) => one !== item);
    const first = rest.findIndex(isOpen);
    const place = first < 0 ? rest.length : first;
    this.items = [...rest.slice(0, place), item, ...rest.slice(place)];
  }

  /** Keeps the order of decisions after an example's answer has changed. */
  mark(item: Item): void {
    this.decided = this.decided.filter((id) => id !== item.id);
    if (!isOpen(item)) this.decided.push(item.id);
  }

  /** Lets go of the examples decided longest ago; tells whether any went. */
  trim(stays: (item: Item) => boolean): boolean {
    const excess = this.decided.length - KEPT;
    if (excess <= 0) return false;
    const leaving = new Set(
      this.decided.slice(0, excess).filter((id) => !stays(this.byId.get(id) as Item)),
    );
    this.decided = this.decided.filter((id) => !leaving.has(id));
    this.items = this.items.filter(({ id }) => !leaving.has(id));
    leaving.forEach((id) => this.byId.delete(id));
    return leaving.size > 0;
  }

  private put(tasks: readonly Task[], join: (news: Item[]) => Item[]): boolean {
    const isNew = ({ id }: Task): boolean => this.byId.get(id)?.isVisiting !== false;
    const [unknown, known] = [tasks.filter(isNew), tasks.filter((task) => !isNew(task))];
    const news = unknown.map(this.take);
    known.forEach(this.take);
    this.items = join(news);
    news.forEach((item) => this.byId.set(item.id, item));
    return news.length > 0;
  }

  /** Makes an item of a task, or brings the one there is up to date if nobody works on it. */
  private readonly take = (task: Task): Item => {
    const known = this.byId.get(task.id);
    if (known === undefined) return makeItem(task, this.unsent);
    known.isVisiting = false;
    if (isTouched(known, this.unsent)) return known;
    this.renew(known, task);
    this.mark(known);
    return known;
  };

  private renew(known: Item, task: Task): void {
    const { seconds, isVisiting, task: before } = known;
    Object.assign(known, makeItem(task, this.unsent), { seconds, isVisiting });
    // The same words are the same list, so that a view can tell whether to draw them anew.
    if (sameWords(before, task)) known.task = { ...task, tokens: before.tokens };
  }
}

export const isOpen = (item: Item): boolean => item.state.answer === null;

/** Whether a person has done something to it that the kernel does not hold. */
export const isTouched = (item: Item, unsent: Unsent): boolean =>
  !sameState(item.state, item.stored) || unsent.answer(item.id) !== null;

const sameWords = (left: Task, right: Task): boolean =>
  left.lead === right.lead &&
  left.tokens.length === right.tokens.length &&
  left.tokens.every(([word, gap], i) => word === right.tokens[i]?.[0] && gap === right.tokens[i]?.[1]);

function makeItem(task: Task, unsent: Unsent): Item {
  const spans = fromWire(task.spans);
  const stored: State = { spans, answer: task.answer, flagged: task.flagged, note: task.note };
  const suggestions = suggestionsIn(task, spans);
  const item = { id: task.id, task, suggestions, seconds: 0, isVisiting: false };
  const answer = unsent.answer(task.id);
  if (answer !== null) {
    const state = { ...restored(task, spans, answer), answer: answer.answer };
    return { ...item, state, stored: state };
  }
  const draft = task.answer === null ? unsent.draft(task.id) : null;
  const state = draft === null ? stored : { ...restored(task, spans, draft), answer: null };
  return { ...item, state, stored };
}

/** In somebody's draft only the spans with a source were suggested; the others are their own. */
const suggestionsIn = ({ suggested, draft }: Task, spans: Spans): Spans =>
  suggested ? spans.filter(({ source }) => !draft || source !== undefined) : [];

/**
 * Reads spans from the browser's storage. The text's tokens may have been
 * others then; and what is still as it was suggested stays a suggestion.
 */
function restored(
  task: Task,
  given: Spans,
  from: Unfinished,
): Omit<State, "answer"> {
  const words = task.tokens.map(([word]) => word);
  const spans = fromWire(readSpans(from.spans, words)[0]).map((span) => {
    const suggestion = spanAt(given, span.start);
    return suggestion !== null && same(suggestion, span) ? suggestion : span;
  });
  return { spans, flagged: from.flagged, note: from.note ?? task.note };
}
