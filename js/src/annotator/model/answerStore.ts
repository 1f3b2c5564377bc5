/**
 * What a person has said about the examples: kept here, sent to the kernel,
 * and taken back again where they want it so.
 */
import { History, isDecision, sameState, type AnswerState, type HistoryStep } from "./history";
import { Outbox } from "./outbox";
import type { Environment } from "../../shared/environment";
import type { Answer, AnswerMessage, BulkEdit, Counts, Setup } from "../../shared/protocol";
import { hasUnsentWork, ExampleQueue, type QueueItem, type UnsentWork } from "./exampleQueue";
import { storageKey, BrowserStorage } from "./browserStorage";
import { toWire } from "./spans";

export type SendAnswer = (message: AnswerMessage, was: Answer) => void;

/** What undo or redo has done, and to what. */
export interface UndoResult {
  readonly item: QueueItem;
  readonly step: HistoryStep;
}

export class AnswerStore {
  readonly queue: ExampleQueue;
  readonly outbox: Outbox;
  private readonly drafts: BrowserStorage;
  private readonly history = new History();
  private readonly unsent: UnsentWork;

  /**
   * @param send Called with every answer that is to reach the kernel.
   */
  constructor(
    setup: Setup,
    private readonly host: Environment,
    private readonly send: SendAnswer,
  ) {
    const place = storageKey([setup.key, setup.dataset, setup.split, setup.annotator]);
    this.outbox = new Outbox(new BrowserStorage(host.storage, `${place}:answer:`));
    this.drafts = new BrowserStorage(host.storage, `${place}:draft:`);
    const draft = takeDraftsFrom(this.drafts);
    this.unsent = { answer: (id) => this.outbox.lastFor(id), draft };
    this.queue = new ExampleQueue(this.unsent);
  }

  /** Whether there is work in an example that the kernel does not hold. */
  hasUnsentWork(item: QueueItem | null): boolean {
    return item !== null && hasUnsentWork(item, this.unsent);
  }

  get canUndo(): boolean {
    return this.history.last !== null || this.queue.lastDecided !== null;
  }

  get canRedo(): boolean {
    return this.history.canRedo;
  }

  /** Adds to the kernel's counts what has not arrived there yet. */
  adjustCounts(kernel: Counts): Counts {
    const counts = { ...kernel };
    for (const { from, to } of this.outbox.answerChanges()) {
      counts[from ?? "open"] -= 1;
      counts[to ?? "open"] += 1;
    }
    return counts;
  }

  /** Changes an example in a way that can be undone; tells whether it changed. */
  record(item: QueueItem, after: AnswerState, bulk?: BulkEdit): boolean {
    const before = item.state;
    const isSame = sameState(before, after);
    if (isSame && bulk === undefined) return false;
    this.history.push({ example: item.id, before, after, ...(bulk !== undefined && { bulk }) });
    if (!isSame) this.setState(item, after);
    return true;
  }

  /** Lets what follows from the last change count as a part of it, so that undo takes both back. */
  amend(item: QueueItem, after: AnswerState): void {
    const { last } = this.history;
    if (last?.example !== item.id) return void this.record(item, after);
    this.history.replaceLast({ ...last, after });
    this.setState(item, after);
  }

  /** The example that undo or redo would change, if this page has done or undone something. */
  exampleToChange(way: "undo" | "redo"): string | null {
    return (way === "undo" ? this.history.last : this.history.next)?.example ?? null;
  }

  /** Forgets what was done to an example that is no longer in the dataset. */
  forget(example: string): void {
    this.history.forget((one) => one === example);
  }

  /** Takes an example's decision back, as undo where that was the last thing done. */
  retractDecision(item: QueueItem): void {
    const last = this.history.last;
    const isLast =
      last?.example === item.id && isDecision(last) && sameState(last.after, item.state);
    if (isLast) this.undo();
    else this.record(item, { ...item.state, answer: null });
  }

  undo(): UndoResult | null {
    const step = this.history.undo() ?? this.undoEarlierDecision();
    return this.applyStep(step, step?.before);
  }

  redo(): UndoResult | null {
    const step = this.history.redo();
    if (step?.bulk === undefined) return this.applyStep(step, step?.after);
    // An id is applied once: what is done again has another one.
    const again = { ...step, bulk: { ...step.bulk, bulk: this.host.newId() } };
    this.history.replaceLast(again);
    return this.applyStep(again, again.after);
  }

  /** Sends an edit without a decision, so that it outlives this browser too. */
  sendDraft(item: QueueItem | null): void {
    if (item !== null && !sameState(item.state, item.stored)) this.post(item, item.state.answer);
  }

  /** Sends every edit without a decision, before the kernel is asked about those examples. */
  sendDrafts(): void {
    this.queue.open.forEach((item) => this.sendDraft(item));
  }

  /** Takes up what another page, or code in a cell, has said of an example. */
  acceptRemote(item: QueueItem, state: AnswerState): void {
    item.state = item.stored = state;
    this.drafts.remove(item.id);
    this.queue.updateDecided(item);
  }

  /** Opens an example again whose answer the kernel will not take; its spans stay as a draft. */
  reopen(item: QueueItem): void {
    item.stored = { ...item.stored, answer: null, spans: item.suggestions };
    item.state = { ...item.state, answer: null };
    this.saveDraft(item);
    this.queue.updateDecided(item);
  }

  /** Lets go of examples decided long ago; to undo what was done to them they are asked for again. */
  trim(shown: QueueItem | null): void {
    this.queue.trim((item) => item === shown || this.hasUnsentWork(item));
  }

  private applyStep(step: HistoryStep | null, state: AnswerState | undefined): UndoResult | null {
    const item = step === null ? null : this.queue.get(step.example);
    if (step === null || item === null || state === undefined) return null;
    if (!sameState(item.state, state)) this.setState(item, state);
    return { item, step };
  }

  /** A decision from before this page was loaded, to be undone like any other. */
  private undoEarlierDecision(): HistoryStep | null {
    const item = this.queue.lastDecided;
    if (item === null) return null;
    const step = { example: item.id, before: { ...item.state, answer: null }, after: item.state };
    this.history.pushUndone(step);
    return step;
  }

  private setState(item: QueueItem, state: AnswerState): void {
    const was = item.state.answer;
    item.state = state;
    if (state.answer !== was) this.queue.updateDecided(item);
    // Edits of an open example stay on the page until they are decided on.
    if (state.answer === null && was === null) this.saveDraft(item);
    else this.post(item, was);
  }

  private post(item: QueueItem, was: Answer): void {
    const { spans, answer, flagged, note } = item.state;
    item.stored = item.state;
    this.drafts.remove(item.id);
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

  private saveDraft(item: QueueItem): void {
    const { spans, flagged, note } = item.state;
    if (sameState(item.state, item.stored)) this.drafts.remove(item.id);
    else this.drafts.set(item.id, { spans: toWire(spans), flagged, note });
  }
}

/** Gives out each draft of an earlier page once, to the example that it belongs to. */
function takeDraftsFrom(shelf: BrowserStorage): UnsentWork["draft"] {
  const found = new Map(shelf.entries());
  return (example) => {
    const draft = found.get(example) as Partial<AnswerMessage> | null | undefined;
    found.delete(example);
    if (typeof draft !== "object" || draft === null) return null;
    const note = typeof draft.note === "string" ? { note: draft.note } : {};
    return { spans: draft.spans ?? [], flagged: draft.flagged === true, ...note };
  };
}
