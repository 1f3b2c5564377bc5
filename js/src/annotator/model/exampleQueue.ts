/**
 * The examples that the page holds: some that were decided lately, and the
 * window of those to come, in the order in which one leafs through them.
 */
import type { AnswerState } from "./history";
import { sameState } from "./history";
import type { AnswerMessage, Task } from "../../shared/protocol";
import { parseSpans } from "../../shared/parseMessages";
import { fromWire, sameSpan, spanAt, type Spans } from "./spans";

export interface QueueItem {
  readonly id: string;
  task: Task;
  /** What was proposed, and by nobody touched since. */
  suggestions: Spans;
  state: AnswerState;
  /** What the kernel holds, or will hold once everything sent has arrived. */
  stored: AnswerState;
  /** How long it has been looked at. */
  seconds: number;
  /** Whether it is shown out of turn: it has no place among those that one leafs through. */
  isDetached: boolean;
}

/** A person's work on an example that is not in the kernel yet. */
export interface UnsentWork {
  /** The last answer that waits to be acknowledged. */
  answer(example: string): AnswerMessage | null;
  /** An edit without a decision. */
  draft(example: string): Draft | null;
}

/** What a person can have said of an example before they decide. */
export type Draft = Pick<AnswerMessage, "spans" | "flagged"> & { readonly note?: string };

/** How many decided examples stay at hand; older ones are asked for when they are needed. */
const MAX_DECIDED = 200;
/** How many that were shown out of turn. */
const MAX_DETACHED = 50;

export class ExampleQueue {
  private items: QueueItem[] = [];
  private byId = new Map<string, QueueItem>();
  /** Ids of decided examples, the last decided last. */
  private decided: string[] = [];

  constructor(private readonly unsent: UnsentWork) {}

  get(id: string): QueueItem | null {
    return this.byId.get(id) ?? null;
  }

  get open(): readonly QueueItem[] {
    return this.items.filter(isOpen);
  }

  get lastDecided(): QueueItem | null {
    return this.get(this.decided.at(-1) ?? "");
  }

  get firstDecided(): QueueItem | null {
    return this.get(this.decided[0] ?? "");
  }

  get decidedCount(): number {
    return this.decided.length;
  }

  get all(): readonly QueueItem[] {
    return this.items;
  }

  /** Those shown out of turn, in the order in which they came. */
  private get detached(): QueueItem[] {
    return [...this.byId.values()].filter(({ isDetached: isDetached }) => isDetached);
  }

  /** The next open example behind this one, or else the first open one of all. */
  openAfter(item: QueueItem | null): QueueItem | null {
    const from = item === null ? -1 : this.items.indexOf(item);
    return this.items.find((one, i) => i > from && isOpen(one)) ?? this.items.find(isOpen) ?? null;
  }

  /** The example before or behind; before the end of the queue stands its last one. */
  neighbor(item: QueueItem | null, by: 1 | -1): QueueItem | null {
    if (item?.isDetached === true) return by === 1 ? this.openAfter(null) : this.decidedBefore(item);
    const from = item === null ? this.items.length : this.items.indexOf(item);
    return this.items[from + by] ?? null;
  }

  private decidedBefore(item: QueueItem): QueueItem | null {
    const id = this.decided.filter((one) => one !== item.id).at(-1);
    return this.get(id ?? "");
  }

  /** Takes over what the kernel holds now; a person's unsent work stays on top of it. */
  rebuild(window: readonly Task[], past: readonly Task[]): void {
    const fresh = new Set([...window, ...past].map(({ id }) => id));
    const kept = this.items.filter((item) => !fresh.has(item.id));
    const older = kept.filter((item) => !isOpen(item));
    const edited = kept.filter((item) => isOpen(item) && hasUnsentWork(item, this.unsent));
    const before = this.decided;
    const visitors = this.detached.filter(({ id }) => !fresh.has(id));
    this.items = [...older, ...past.map(this.itemFor), ...window.map(this.itemFor), ...edited];
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
    return this.insert(tasks, (news) => [...this.items, ...news]);
  }

  /** Adds what was decided before all that is at hand; oldest first. */
  prepend(tasks: readonly Task[]): boolean {
    const known = this.decided;
    const added = this.insert(tasks, (news) => [...news, ...this.items]);
    const older = tasks.map(({ id }) => id).filter((id) => !known.includes(id));
    this.decided = [...older.filter((id) => !isOpen(this.get(id) as QueueItem)), ...known];
    return added;
  }

  /** Takes in examples that are to be shown out of turn. */
  addDetached(tasks: readonly Task[], stays: (item: QueueItem) => boolean): void {
    for (const task of tasks) {
      const known = this.byId.get(task.id);
      if (known === undefined) {
        this.byId.set(task.id, { ...createItem(task, this.unsent), isDetached: true });
      } else if (!hasUnsentWork(known, this.unsent)) {
        this.update(known, task);
      }
    }
    const leaving = this.detached.filter((item) => !stays(item) && !this.decided.includes(item.id));
    leaving.slice(0, -MAX_DETACHED).forEach(({ id }) => this.byId.delete(id));
  }

  /** Puts an open example at the head of those to come, so that all others come after it. */
  moveToFront(item: QueueItem): void {
    if (item.isDetached || !isOpen(item)) return;
    const rest = this.items.filter((one) => one !== item);
    const first = rest.findIndex(isOpen);
    const place = first < 0 ? rest.length : first;
    this.items = [...rest.slice(0, place), item, ...rest.slice(place)];
  }

  /** Keeps the order of decisions after an example's answer has changed. */
  updateDecided(item: QueueItem): void {
    this.decided = this.decided.filter((id) => id !== item.id);
    if (!isOpen(item)) this.decided.push(item.id);
  }

  /** Lets go of the examples decided longest ago; tells whether any went. */
  trim(stays: (item: QueueItem) => boolean): boolean {
    const excess = this.decided.length - MAX_DECIDED;
    if (excess <= 0) return false;
    const leaving = new Set(
      this.decided.slice(0, excess).filter((id) => !stays(this.byId.get(id) as QueueItem)),
    );
    this.decided = this.decided.filter((id) => !leaving.has(id));
    this.items = this.items.filter(({ id }) => !leaving.has(id));
    leaving.forEach((id) => this.byId.delete(id));
    return leaving.size > 0;
  }

  private insert(tasks: readonly Task[], join: (news: QueueItem[]) => QueueItem[]): boolean {
    const isNew = ({ id }: Task): boolean => this.byId.get(id)?.isDetached !== false;
    const [unknown, known] = [tasks.filter(isNew), tasks.filter((task) => !isNew(task))];
    const news = unknown.map(this.itemFor);
    known.forEach(this.itemFor);
    this.items = join(news);
    news.forEach((item) => this.byId.set(item.id, item));
    return news.length > 0;
  }

  /** Makes an item of a task, or brings the one there is up to date if nobody works on it. */
  private readonly itemFor = (task: Task): QueueItem => {
    const known = this.byId.get(task.id);
    if (known === undefined) return createItem(task, this.unsent);
    known.isDetached = false;
    if (hasUnsentWork(known, this.unsent)) return known;
    this.update(known, task);
    this.updateDecided(known);
    return known;
  };

  private update(known: QueueItem, task: Task): void {
    const { seconds, isDetached: isDetached, task: before } = known;
    Object.assign(known, createItem(task, this.unsent), { seconds, isDetached });
    // The same words are the same list, so that a view can tell whether to draw them anew.
    if (sameTokens(before, task)) known.task = { ...task, tokens: before.tokens };
  }
}

export const isOpen = (item: QueueItem): boolean => item.state.answer === null;

/** Whether a person has done something to it that the kernel does not hold. */
export const hasUnsentWork = (item: QueueItem, unsent: UnsentWork): boolean =>
  !sameState(item.state, item.stored) || unsent.answer(item.id) !== null;

const sameTokens = (left: Task, right: Task): boolean =>
  left.lead === right.lead &&
  left.tokens.length === right.tokens.length &&
  left.tokens.every(([word, gap], i) => word === right.tokens[i]?.[0] && gap === right.tokens[i]?.[1]);

function createItem(task: Task, unsent: UnsentWork): QueueItem {
  const spans = fromWire(task.spans);
  const stored: AnswerState = { spans, answer: task.answer, flagged: task.flagged, note: task.note };
  const suggestions = suggestionsIn(task, spans);
  const item = { id: task.id, task, suggestions, seconds: 0, isDetached: false };
  const answer = unsent.answer(task.id);
  if (answer !== null) {
    const state = { ...restoreState(task, spans, answer), answer: answer.answer };
    return { ...item, state, stored: state };
  }
  const draft = task.answer === null ? unsent.draft(task.id) : null;
  const state = draft === null ? stored : { ...restoreState(task, spans, draft), answer: null };
  return { ...item, state, stored };
}

/** In somebody's draft only the spans with a source were suggested; the others are their own. */
const suggestionsIn = ({ suggested, draft }: Task, spans: Spans): Spans =>
  suggested ? spans.filter(({ source }) => !draft || source !== undefined) : [];

/**
 * Reads spans from the browser's storage. The text's tokens may have been
 * others then; and what is still as it was suggested stays a suggestion.
 */
function restoreState(
  task: Task,
  given: Spans,
  from: Draft,
): Omit<AnswerState, "answer"> {
  const words = task.tokens.map(([word]) => word);
  const spans = fromWire(parseSpans(from.spans, words)[0]).map((span) => {
    const suggestion = spanAt(given, span.start);
    return suggestion !== null && sameSpan(suggestion, span) ? suggestion : span;
  });
  return { spans, flagged: from.flagged, note: from.note ?? task.note };
}
