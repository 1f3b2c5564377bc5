/**
 * The loaded examples: some that were decided lately, and the window of those
 * to come, in the order in which the user browses them.
 */
import { parseSpans } from "../../shared/parseMessages";
import type { AnswerMessage, Task } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import { sameState, type AnswerState } from "./history";
import { fromWire, sameSpan, spanAt, type Spans } from "./spans";

/** Unsent work on an example, as far as it can exist before a decision. */
export type Draft = Pick<AnswerMessage, "spans" | "flagged"> & { readonly note?: string; readonly done?: number };

/** The user's work that the kernel does not hold yet, by example. */
export interface UnsentWork {
  /** Return the latest answer that waits to be acknowledged. */
  answer(example: string): AnswerMessage | null;
  /** Return an edit without a decision. */
  draft(example: string): Draft | null;
}

/** One example with the user's work on it; reactive. */
export interface QueueItem {
  readonly id: string;
  task: Task;
  /** The model's suggestions, as they were proposed. */
  suggestions: Spans;
  state: AnswerState;
  /** What the kernel holds, or will hold once everything sent has arrived. */
  stored: AnswerState;
  /** Milliseconds for which it has been shown. */
  viewingTime: number;
  /** Whether it has been shown with the suggestions that it has. */
  wasShown: boolean;
  /** Whether all of its suggestions were shown: none was below the confidence asked for. */
  isWhole: boolean;
  /** Whether it is shown on request only: it has no place in the order of browsing. */
  isDetached: boolean;
}

/** How many decided examples are kept; older ones are fetched again when needed. */
const MAX_DECIDED = 200;
/** How many detached examples are kept. */
const MAX_DETACHED = 50;

interface QueueState {
  items: readonly QueueItem[];
  /** Ids of decided examples, the last decided last. */
  decided: readonly string[];
}

export class ExampleQueue {
  private readonly state = reactive<QueueState>({ items: [], decided: [] });
  private byId = new Map<string, QueueItem>();

  constructor(private readonly unsent: UnsentWork) {}

  get(id: string): QueueItem | null {
    return this.byId.get(id) ?? null;
  }

  get all(): readonly QueueItem[] {
    return this.state.items;
  }

  get open(): readonly QueueItem[] {
    return this.state.items.filter(isOpen);
  }

  get lastDecided(): QueueItem | null {
    return this.get(this.state.decided.at(-1) ?? "");
  }

  get firstDecided(): QueueItem | null {
    return this.get(this.state.decided[0] ?? "");
  }

  get decidedCount(): number {
    return this.state.decided.length;
  }

  /** Detached examples in the order in which they came. */
  private get detached(): QueueItem[] {
    return [...this.byId.values()].filter(({ isDetached }) => isDetached);
  }

  /** Return the next open example behind an item, or else the first open one. */
  openAfter(item: QueueItem | null): QueueItem | null {
    const from = item === null ? -1 : this.state.items.indexOf(item);
    return this.state.items.find((one, i) => i > from && isOpen(one)) ?? this.state.items.find(isOpen) ?? null;
  }

  /** Return the example before or behind an item; null is the end of the queue, behind the last one. */
  neighbor(item: QueueItem | null, by: 1 | -1): QueueItem | null {
    if (item?.isDetached === true) return by === 1 ? this.openAfter(null) : this.lastDecidedBut(item);
    const from = item === null ? this.state.items.length : this.state.items.indexOf(item);
    return this.state.items[from + by] ?? null;
  }

  private lastDecidedBut(item: QueueItem): QueueItem | null {
    const id = this.state.decided.filter((one) => one !== item.id).at(-1);
    return this.get(id ?? "");
  }

  /**
   * Replace everything by what the kernel holds now, with the user's unsent work on top.
   *
   * @param keep Whether open examples that were shown stay, as they are.
   */
  rebuild(window: readonly Task[], past: readonly Task[], keep = false): void {
    const stays = (item: QueueItem): boolean => keep && isOpen(item) && item.wasShown && !item.isDetached;
    const staying = new Set(this.state.items.filter(stays).map(({ id }) => id));
    const fresh = new Set([...window, ...past].map(({ id }) => id).filter((id) => !staying.has(id)));
    const itemFor = (task: Task): QueueItem =>
      (staying.has(task.id) ? this.get(task.id) : null) ?? this.itemFor(task);
    const listed = new Set(window.map(({ id }) => id));
    const kept = this.state.items.filter((item) => !fresh.has(item.id) && !listed.has(item.id));
    const older = kept.filter((item) => !isOpen(item));
    const edited = kept.filter((item) => isOpen(item) && (stays(item) || hasUnsentWork(item, this.unsent)));
    const before = this.state.decided;
    const detached = this.detached.filter(({ id }) => !fresh.has(id));
    this.state.items = [...older, ...past.map(this.itemFor), ...window.map(itemFor), ...edited];
    this.byId = new Map([...detached, ...this.state.items].map((item) => [item.id, item]));
    // Decisions that the kernel does not know yet are the latest.
    const late = this.state.items.filter((item) => !isOpen(item) && this.unsent.answer(item.id) !== null);
    const ids = [...before.filter((id) => !fresh.has(id)), ...past.map(({ id }) => id)];
    const lateIds = late.map(({ id }) => id);
    this.state.decided = [...ids.filter((id) => !lateIds.includes(id)), ...lateIds].filter((id) => {
      const item = this.get(id);
      return item !== null && !isOpen(item);
    });
  }

  /** Append examples; return whether any of them was new. */
  append(tasks: readonly Task[]): boolean {
    return this.insert(tasks, (added) => [...this.state.items, ...added]);
  }

  /** Prepend examples decided before all loaded ones, oldest first; return whether any was new. */
  prepend(tasks: readonly Task[]): boolean {
    const known = this.state.decided;
    const hasNew = this.insert(tasks, (added) => [...added, ...this.state.items]);
    const older = tasks.map(({ id }) => id).filter((id) => !known.includes(id));
    this.state.decided = [...older.filter((id) => !isOpen(this.get(id) as QueueItem)), ...known];
    return hasNew;
  }

  /**
   * Add or update examples without giving them a place in the order of browsing.
   *
   * @param isNeeded Whether a detached example must not be dropped to make room.
   */
  addDetached(tasks: readonly Task[], isNeeded: (item: QueueItem) => boolean): void {
    for (const task of tasks) {
      const known = this.byId.get(task.id);
      if (known === undefined) {
        this.byId.set(task.id, createItem(task, this.unsent, true));
      } else if (!hasUnsentWork(known, this.unsent)) {
        this.update(known, task);
      }
    }
    const leaving = this.detached.filter((item) => !isNeeded(item) && !this.state.decided.includes(item.id));
    leaving.slice(0, -MAX_DETACHED).forEach(({ id }) => this.byId.delete(id));
  }

  /** Move an open example before all other open ones. */
  moveToFront(item: QueueItem): void {
    if (item.isDetached || !isOpen(item)) return;
    const rest = this.state.items.filter((one) => one !== item);
    const first = rest.findIndex(isOpen);
    const index = first < 0 ? rest.length : first;
    this.state.items = [...rest.slice(0, index), item, ...rest.slice(index)];
  }

  /** Update the order of decisions after an example's answer has changed. */
  updateDecided(item: QueueItem): void {
    const others = this.state.decided.filter((id) => id !== item.id);
    this.state.decided = isOpen(item) ? others : [...others, item.id];
  }

  /** Drop the examples decided longest ago, but for those that are needed. */
  trim(isNeeded: (item: QueueItem) => boolean): void {
    const excess = this.state.decided.length - MAX_DECIDED;
    if (excess <= 0) return;
    const leaving = new Set(
      this.state.decided.slice(0, excess).filter((id) => !isNeeded(this.byId.get(id) as QueueItem)),
    );
    this.state.decided = this.state.decided.filter((id) => !leaving.has(id));
    this.state.items = this.state.items.filter(({ id }) => !leaving.has(id));
    leaving.forEach((id) => this.byId.delete(id));
  }

  private insert(tasks: readonly Task[], join: (added: QueueItem[]) => QueueItem[]): boolean {
    const isNew = ({ id }: Task): boolean => this.byId.get(id)?.isDetached !== false;
    const [unknown, known] = [tasks.filter(isNew), tasks.filter((task) => !isNew(task))];
    const added = unknown.map(this.itemFor);
    known.forEach(this.itemFor);
    this.state.items = join(added);
    added.forEach((item) => this.byId.set(item.id, item));
    return added.length > 0;
  }

  /** Create an item for a task, or update the known one unless there is unsent work on it. */
  private readonly itemFor = (task: Task): QueueItem => {
    const known = this.byId.get(task.id);
    if (known === undefined) return createItem(task, this.unsent, false);
    known.isDetached = false;
    if (hasUnsentWork(known, this.unsent)) return known;
    this.update(known, task);
    this.updateDecided(known);
    return known;
  };

  private update(known: QueueItem, task: Task): void {
    // Equal tokens stay the same list: views compare by identity whether to render them anew.
    const kept = sameTokens(known.task, task) ? { ...task, tokens: known.task.tokens } : task;
    if (task.offer !== known.task.offer) known.wasShown = false;
    Object.assign(known, contentsOf(kept, this.unsent));
  }
}

export const isOpen = (item: QueueItem): boolean => item.state.answer === null;

/** Return whether there is work on an example that the kernel does not hold. */
export const hasUnsentWork = (item: QueueItem, unsent: UnsentWork): boolean =>
  !sameState(item.state, item.stored) || unsent.answer(item.id) !== null;

const sameTokens = (left: Task, right: Task): boolean =>
  left.lead === right.lead &&
  left.tokens.length === right.tokens.length &&
  left.tokens.every(([text, gap], i) => text === right.tokens[i]?.[0] && gap === right.tokens[i]?.[1]);

const createItem = (task: Task, unsent: UnsentWork, isDetached: boolean): QueueItem =>
  reactive({ id: task.id, ...contentsOf(task, unsent), viewingTime: 0, wasShown: false, isWhole: true, isDetached });

function contentsOf(
  task: Task,
  unsent: UnsentWork,
): Pick<QueueItem, "task" | "suggestions" | "state" | "stored"> {
  const spans = fromWire(task.spans);
  const stored: AnswerState = { spans, answer: task.answer, flagged: task.flagged, note: task.note, done: task.done ?? 0 };
  const item = { task, suggestions: suggestionsIn(task, spans) };
  const answer = unsent.answer(task.id);
  if (answer !== null) {
    const state = { ...restoreState(task, spans, answer), answer: answer.answer };
    return { ...item, state, stored: state };
  }
  const draft = task.answer === null ? unsent.draft(task.id) : null;
  const state = draft === null ? stored : { ...restoreState(task, spans, draft), answer: null };
  return { ...item, state, stored };
}

/** Return the suggestions among a task's spans; in a draft only those with a source were suggested. */
const suggestionsIn = ({ suggested, draft }: Task, spans: Spans): Spans =>
  suggested ? spans.filter(({ source }) => !draft || source !== undefined) : [];

/**
 * Restore a state from the browser's storage. The text may have been tokenized
 * differently then; what is still as it was suggested stays a suggestion.
 */
function restoreState(task: Task, given: Spans, from: Draft): Omit<AnswerState, "answer"> {
  const words = task.tokens.map(([text]) => text);
  const spans = fromWire(parseSpans(from.spans, words)[0]).map((span) => {
    const suggestion = spanAt(given, span.start);
    return suggestion !== null && sameSpan(suggestion, span) ? suggestion : span;
  });
  return { spans, flagged: from.flagged, note: from.note ?? task.note, done: from.done ?? task.done ?? 0 };
}
