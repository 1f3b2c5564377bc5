/** Decisions about examples, and the way from one example to the next. */
import type { AnswerKind } from "../../shared/protocol";
import type { AnswerStore, UndoResult } from "./answerStore";
import type { ExampleLoader } from "./exampleLoader";
import { isOpen, type QueueItem } from "./exampleQueue";
import { isDecision } from "./history";
import { ANSWER_NAMES, describeExample } from "./messageText";
import { ResultNavigation } from "./resultNavigation";

export interface DecisionsContext {
  readonly shown: QueueItem | null;
  show(item: QueueItem | null): void;
  changed(part: "spans" | "answer" | "progress"): void;
  announce(words: string): void;
  /** Sends the part of a step that lies in other examples, or takes it back. */
  sendBulk(turn: UndoResult, undo: boolean): void;
}

/** How many examples of a list are at hand before they are wanted. */
const PREFETCH_COUNT = 3;

export class Decisions {
  readonly results = new ResultNavigation();

  constructor(
    private readonly answers: AnswerStore,
    private readonly loader: ExampleLoader,
    private readonly context: DecisionsContext,
  ) {}

  decide(answer: AnswerKind): void {
    const item = this.context.shown;
    if (item === null) return;
    this.answers.record(item, { ...item.state, answer });
    const [next] = this.results.following(item.id, 1, 1);
    if (next === undefined) this.moveTo(this.answers.queue.openAfter(item));
    else this.openById(next);
    this.answers.trim(this.context.shown);
    this.context.announce(`${ANSWER_NAMES[answer]}. ${describeExample(this.context.shown, this.loader.counts)}`);
  }

  /** Takes back the decision on the example shown, or else the last one of all. */
  takeBack(): void {
    const { shown } = this.context;
    const item = shown !== null && !isOpen(shown) ? shown : this.answers.queue.lastDecided;
    if (item === null) {
      const isComing = this.loader.afterPastLoaded(() => this.takeBack());
      return this.context.announce(isComing ? "Older answers are on their way" : "No decision to take back");
    }
    this.answers.retractDecision(item);
    this.moveTo(item);
    this.loader.loadPast();
    this.context.announce(`Decision taken back. ${describeExample(item, this.loader.counts)}`);
  }

  undo(): void {
    if (this.fetchForUndo("undo")) return;
    const turn = this.answers.undo();
    if (turn === null) {
      const isComing = this.loader.afterPastLoaded(() => this.undo());
      return this.context.announce(isComing ? "Older answers are on their way" : "Nothing to undo");
    }
    this.context.sendBulk(turn, true);
    this.moveTo(turn.item);
    this.loader.loadPast();
    this.context.announce(isDecision(turn.step) ? "Decision taken back" : "Undone");
  }

  redo(): void {
    if (this.fetchForUndo("redo")) return;
    const turn = this.answers.redo();
    if (turn === null) return this.context.announce("Nothing to redo");
    const { item, step } = turn;
    this.context.sendBulk(turn, false);
    this.moveTo(isDecision(step) ? this.answers.queue.openAfter(item) : item);
    this.context.announce(isDecision(step) ? ANSWER_NAMES[step.after.answer ?? "accept"] : "Done again");
  }

  /** Goes to the example before or after, without deciding. */
  browse(by: 1 | -1): void {
    if (by === -1) this.loader.loadPast();
    if (!this.canBrowse(by)) {
      return this.context.announce(by === 1 ? "This is the last one" : "This is the first one");
    }
    const { shown } = this.context;
    this.answers.sendDraft(shown);
    const [next] = shown === null ? [] : this.results.following(shown.id, by, 1);
    if (next !== undefined) return this.openById(next);
    const beside = this.answers.queue.neighbor(shown, by);
    this.context.show(beside);
    this.context.announce(describeExample(beside, this.loader.counts));
  }

  /** After the last of all comes what is said at the end. */
  canBrowse(by: 1 | -1): boolean {
    const { queue } = this.answers;
    const { shown } = this.context;
    const place = this.results.positionOf(shown?.id ?? null);
    if (place !== null) return by === 1 || place.at > 1;
    const isEnd = by === 1 && shown !== null && queue.open.length === 0;
    return isEnd || queue.neighbor(shown, by) !== null;
  }

  /** Goes to the example that comes first of those nobody has decided. */
  firstOpen(): void {
    this.results.clear();
    this.answers.sendDraft(this.context.shown);
    const first = this.answers.queue.openAfter(null);
    this.moveTo(first);
    this.context.announce(describeExample(first, this.loader.counts));
  }

  /** Shows an example of a list, from where one goes on along that list. */
  openResult(id: string, ids: readonly string[]): void {
    this.results.start(ids);
    this.answers.sendDraft(this.context.shown);
    this.openById(id);
  }

  /** Shows an example, whatever its place, as soon as it is at hand. */
  openById(id: string): void {
    const item = this.answers.queue.get(id);
    if (item === null) return this.loader.fetchByIds([id], () => this.openFetched(id));
    this.moveTo(item);
    this.prefetch(id);
    this.context.announce(describeExample(item, this.loader.counts));
  }

  toggleFlag(): void {
    const item = this.context.shown;
    if (item === null) return;
    this.answers.record(item, { ...item.state, flagged: !item.state.flagged });
    this.context.changed("answer");
    this.context.announce(item.state.flagged ? "Flagged" : "Flag taken off");
  }

  /** Keeps what a person has written about the example; it does not take a decision back. */
  setNote(note: string): void {
    const item = this.context.shown;
    if (item === null || !this.answers.record(item, { ...item.state, note })) return;
    this.context.changed("answer");
    this.context.announce(note === "" ? "Note taken off" : "Note kept");
  }

  /** Sends whatever waits, and the edit in progress as a draft. */
  save(): void {
    this.answers.sendDraft(this.context.shown);
    this.loader.transport.resendAll();
    const { why, word } = this.loader.transport.saveStatus;
    this.context.announce(why || word);
  }

  moveTo(item: QueueItem | null): void {
    if (item !== this.context.shown) this.context.show(item);
    this.context.changed("spans");
    this.context.changed("answer");
    this.context.changed("progress");
  }

  private openFetched(id: string): void {
    if (this.answers.queue.get(id) !== null) this.openById(id);
    else this.context.announce("This example cannot be shown");
  }

  private prefetch(id: string): void {
    const wanted = this.results.following(id, 1, PREFETCH_COUNT);
    const missing = wanted.filter((one) => this.answers.queue.get(one) === null);
    if (missing.length > 0 && !this.loader.requests.isWaiting("find")) {
      this.loader.fetchByIds(missing, () => undefined);
    }
  }

  /** Sees to it that what undo or redo would change is at hand; tells whether it is on its way. */
  private fetchForUndo(way: "undo" | "redo"): boolean {
    const id = this.answers.exampleToChange(way);
    if (id === null || this.answers.queue.get(id) !== null) return false;
    this.loader.fetchByIds([id], () => {
      if (this.answers.queue.get(id) === null) this.answers.forget(id);
      this[way]();
    });
    return true;
  }
}
