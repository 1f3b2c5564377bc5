/**
 * The user's answers and edits: kept here, sent to the kernel when they are
 * due, and reverted by undo.
 */
import type { Environment } from "../../shared/environment";
import type { Answer, AnswerMessage, BulkEdit, Counts, Setup } from "../../shared/protocol";
import { BrowserStorage, storageKey } from "./browserStorage";
import { ExampleQueue, hasUnsentWork, type QueueItem, type UnsentWork } from "./exampleQueue";
import { History, isDecision, sameState, type AnswerState, type HistoryStep } from "./history";
import { Outbox } from "./outbox";
import { toWire } from "./spans";

export type SendAnswer = (message: AnswerMessage, was: Answer) => void;

/** The step that undo or redo has applied, and the example it belongs to. */
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
    private readonly environment: Environment,
    private readonly send: SendAnswer,
  ) {
    const key = storageKey([setup.key, setup.dataset, setup.split, setup.annotator]);
    this.outbox = new Outbox(new BrowserStorage(environment.storage, `${key}:answer:`));
    this.drafts = new BrowserStorage(environment.storage, `${key}:draft:`);
    const draft = takeDraftsFrom(this.drafts);
    this.unsent = { answer: (id) => this.outbox.lastFor(id), draft };
    this.queue = new ExampleQueue(this.unsent);
  }

  /** Return whether there is work on an example that the kernel does not hold. */
  hasUnsentWork(item: QueueItem | null): boolean {
    return item !== null && hasUnsentWork(item, this.unsent);
  }

  /** Adjust the kernel's counts by the answers that have not arrived there yet. */
  adjustCounts(kernel: Counts): Counts {
    const counts = { ...kernel };
    for (const { from, to } of this.outbox.answerChanges()) {
      counts[from ?? "open"] -= 1;
      counts[to ?? "open"] += 1;
    }
    return counts;
  }

  /** Change an example as one step of the history; return whether it changed. */
  record(item: QueueItem, after: AnswerState, bulk?: BulkEdit): boolean {
    const before = item.state;
    const isSame = sameState(before, after);
    if (isSame && bulk === undefined) return false;
    this.history.push({ example: item.id, before, after, ...(bulk !== undefined && { bulk }) });
    if (!isSame) this.setState(item, after);
    return true;
  }

  /** Change an example as part of its last step, so that one undo reverts both. */
  amend(item: QueueItem, after: AnswerState): void {
    const { last } = this.history;
    if (last?.example !== item.id) return void this.record(item, after);
    this.history.replaceLast({ ...last, after });
    this.setState(item, after);
  }

  /** Return the id of the example that undo or redo would change; null if this page has none. */
  exampleToChange(way: "undo" | "redo"): string | null {
    return (way === "undo" ? this.history.last : this.history.next)?.example ?? null;
  }

  /** Drop the history of an example that is no longer in the dataset. */
  forget(example: string): void {
    this.history.forget(example);
  }

  /** Revert an example's decision: as undo where that was the last step, else as a new step. */
  retractDecision(item: QueueItem): void {
    const { last } = this.history;
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
    // The kernel applies each id once: a repeated change needs a new one.
    const again = { ...step, bulk: { ...step.bulk, bulk: this.environment.newId() } };
    this.history.replaceLast(again);
    return this.applyStep(again, again.after);
  }

  /** Send an edit without a decision, so that it survives outside this browser too. */
  sendDraft(item: QueueItem | null): void {
    if (item !== null && !sameState(item.state, item.stored)) this.sendState(item, item.state.answer);
  }

  /** Send all edits without a decision, so that the kernel searches the spans as they are. */
  sendDrafts(): void {
    this.queue.open.forEach((item) => this.sendDraft(item));
  }

  /** Take over what another page, or code in a cell, has answered. */
  acceptRemote(item: QueueItem, state: AnswerState): void {
    item.state = item.stored = state;
    this.drafts.remove(item.id);
    this.queue.updateDecided(item);
  }

  /** Reopen an example whose answer the kernel has refused; its spans stay as a draft. */
  reopen(item: QueueItem): void {
    item.stored = { ...item.stored, answer: null, spans: item.suggestions };
    item.state = { ...item.state, answer: null };
    this.saveDraft(item);
    this.queue.updateDecided(item);
  }

  /** Drop examples decided long ago; undo fetches them again. */
  trim(shown: QueueItem | null): void {
    this.queue.trim((item) => item === shown || this.hasUnsentWork(item));
  }

  private applyStep(step: HistoryStep | null, state: AnswerState | undefined): UndoResult | null {
    const item = step === null ? null : this.queue.get(step.example);
    if (step === null || item === null || state === undefined) return null;
    if (!sameState(item.state, state)) this.setState(item, state);
    return { item, step };
  }

  /** Undo a decision from before this page was loaded. */
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
    // Edits of an open example stay in the browser until they are decided on.
    if (state.answer === null && was === null) this.saveDraft(item);
    else this.sendState(item, was);
  }

  private sendState(item: QueueItem, was: Answer): void {
    const { spans, answer, flagged, note, done } = item.state;
    item.stored = item.state;
    this.drafts.remove(item.id);
    const message: AnswerMessage = {
      type: "answer",
      id: this.environment.newId(),
      example: item.id,
      answer,
      spans: toWire(spans),
      flagged,
      note,
      seconds: Math.round(item.viewingTime / 100) / 10,
      ...(done > 0 && { done }),
      ...(item.task.offer !== undefined && item.isWhole && { offer: item.task.offer }),
    };
    this.send(message, was);
  }

  private saveDraft(item: QueueItem): void {
    const { spans, flagged, note } = item.state;
    if (sameState(item.state, item.stored)) this.drafts.remove(item.id);
    else this.drafts.set(item.id, { spans: toWire(spans), flagged, note });
  }
}

/** Return a function that yields each draft of an earlier page once, for its example. */
function takeDraftsFrom(storage: BrowserStorage): UnsentWork["draft"] {
  const found = new Map(storage.entries());
  return (example) => {
    const draft = found.get(example) as Partial<AnswerMessage> | null | undefined;
    found.delete(example);
    if (typeof draft !== "object" || draft === null) return null;
    const note = typeof draft.note === "string" ? { note: draft.note } : {};
    return { spans: draft.spans ?? [], flagged: draft.flagged === true, ...note };
  };
}
