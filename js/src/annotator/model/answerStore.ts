/**
 * What a person has said about the examples: kept here, sent to the kernel,
 * and taken back again where they want it so.
 */
import { History, isDecision, sameState, type State, type Step } from "./history";
import { Outbox } from "./outbox";
import type { Host } from "../../shared/environment";
import type { Answer, AnswerMessage, Bulk, Counts, Setup } from "../../shared/protocol";
import { isTouched, Queue, type Item, type Unsent } from "./exampleQueue";
import { corner, Shelf } from "./browserStorage";
import { toWire } from "./spans";

export type Send = (message: AnswerMessage, was: Answer) => void;

/** What undo or redo has done, and to what. */
export interface Turn {
  readonly item: Item;
  readonly step: Step;
}

export class Ledger {
  readonly queue: Queue;
  readonly outbox: Outbox;
  private readonly drafts: Shelf;
  private readonly history = new History();
  private readonly unsent: Unsent;

  /**
   * @param send Called with every answer that is to reach the kernel.
   */
  constructor(
    setup: Setup,
    private readonly host: Host,
    private readonly send: Send,
  ) {
    const place = corner([setup.key, setup.dataset, setup.split, setup.annotator]);
    this.outbox = new Outbox(new Shelf(host.storage, `${place}:answer:`));
    this.drafts = new Shelf(host.storage, `${place}:draft:`);
    const draft = draftsFrom(this.drafts);
    this.unsent = { answer: (id) => this.outbox.last(id), draft };
    this.queue = new Queue(this.unsent);
  }

  /** Whether there is work in an example that the kernel does not hold. */
  isTouched(item: Item | null): boolean {
    return item !== null && isTouched(item, this.unsent);
  }

  get canUndo(): boolean {
    return this.history.last !== null || this.queue.lastDecided !== null;
  }

  get canRedo(): boolean {
    return this.history.canRedo;
  }

  /** Adds to the kernel's counts what has not arrived there yet. */
  count(kernel: Counts): Counts {
    const counts = { ...kernel };
    for (const { from, to } of this.outbox.changes()) {
      counts[from ?? "open"] -= 1;
      counts[to ?? "open"] += 1;
    }
    return counts;
  }

  /** Changes an example in a way that can be undone; tells whether it changed. */
  record(item: Item, after: State, bulk?: Bulk): boolean {
    const before = item.state;
    const isSame = sameState(before, after);
    if (isSame && bulk === undefined) return false;
    this.history.push({ example: item.id, before, after, ...(bulk !== undefined && { bulk }) });
    if (!isSame) this.put(item, after);
    return true;
  }

  /** Lets what follows from the last change count as a part of it, so that undo takes both back. */
  amend(item: Item, after: State): void {
    const { last } = this.history;
    if (last?.example !== item.id) return void this.record(item, after);
    this.history.replaceLast({ ...last, after });
    this.put(item, after);
  }

  /** The example that undo or redo would change, if this page has done or undone something. */
  exampleTo(way: "undo" | "redo"): string | null {
    return (way === "undo" ? this.history.last : this.history.next)?.example ?? null;
  }

  /** Forgets what was done to an example that is no longer in the dataset. */
  forget(example: string): void {
    this.history.forget((one) => one === example);
  }

  /** Takes an example's decision back, as undo where that was the last thing done. */
  takeBack(item: Item): void {
    const last = this.history.last;
    const isLast =
      last?.example === item.id && isDecision(last) && sameState(last.after, item.state);
    if (isLast) this.undo();
    else this.record(item, { ...item.state, answer: null });
  }

  undo(): Turn | null {
    const step = this.history.undo() ?? this.stepBefore();
    return this.turn(step, step?.before);
  }

  redo(): Turn | null {
    const step = this.history.redo();
    if (step?.bulk === undefined) return this.turn(step, step?.after);
    // An id is applied once: what is done again has another one.
    const again = { ...step, bulk: { ...step.bulk, bulk: this.host.newId() } };
    this.history.replaceLast(again);
    return this.turn(again, again.after);
  }

  /** Sends an edit without a decision, so that it outlives this browser too. */
  sendDraft(item: Item | null): void {
    if (item !== null && !sameState(item.state, item.stored)) this.post(item, item.state.answer);
  }

  /** Sends every edit without a decision, before the kernel is asked about those examples. */
  sendDrafts(): void {
    this.queue.open.forEach((item) => this.sendDraft(item));
  }

  /** Takes up what another page, or code in a cell, has said of an example. */
  adopt(item: Item, state: State): void {
    item.state = item.stored = state;
    this.drafts.drop(item.id);
    this.queue.mark(item);
  }

  /** Opens an example again whose answer the kernel will not take; its spans stay as a draft. */
  reopen(item: Item): void {
    item.stored = { ...item.stored, answer: null, spans: item.suggestions };
    item.state = { ...item.state, answer: null };
    this.keepDraft(item);
    this.queue.mark(item);
  }

  /** Lets go of examples decided long ago; to undo what was done to them they are asked for again. */
  trim(shown: Item | null): void {
    this.queue.trim((item) => item === shown || this.isTouched(item));
  }

  private turn(step: Step | null, state: State | undefined): Turn | null {
    const item = step === null ? null : this.queue.get(step.example);
    if (step === null || item === null || state === undefined) return null;
    if (!sameState(item.state, state)) this.put(item, state);
    return { item, step };
  }

  /** A decision from before this page was loaded, to be undone like any other. */
  private stepBefore(): Step | null {
    const item = this.queue.lastDecided;
    if (item === null) return null;
    const step = { example: item.id, before: { ...item.state, answer: null }, after: item.state };
    this.history.pushUndone(step);
    return step;
  }

  private put(item: Item, state: State): void {
    const was = item.state.answer;
    item.state = state;
    if (state.answer !== was) this.queue.mark(item);
    // Edits of an open example stay on the page until they are decided on.
    if (state.answer === null && was === null) this.keepDraft(item);
    else this.post(item, was);
  }

  private post(item: Item, was: Answer): void {
    const { spans, answer, flagged, note } = item.state;
    item.stored = item.state;
    this.drafts.drop(item.id);
    const message: AnswerMessage = {
      type: "answer",
      id: this.host.newId(),
      example: item.id,
      answer,
      spans: toWire(spans),
      flagged,
      note,
      seconds: Math.round(item.seconds / 100) / 10,
    };
    this.send(message, was);
  }

  private keepDraft(item: Item): void {
    const { spans, flagged, note } = item.state;
    if (sameState(item.state, item.stored)) this.drafts.drop(item.id);
    else this.drafts.put(item.id, { spans: toWire(spans), flagged, note });
  }
}

/** Gives out each draft of an earlier page once, to the example that it belongs to. */
function draftsFrom(shelf: Shelf): Unsent["draft"] {
  const found = new Map(shelf.all());
  return (example) => {
    const draft = found.get(example) as Partial<AnswerMessage> | null | undefined;
    found.delete(example);
    if (typeof draft !== "object" || draft === null) return null;
    const note = typeof draft.note === "string" ? { note: draft.note } : {};
    return { spans: draft.spans ?? [], flagged: draft.flagged === true, ...note };
  };
}
