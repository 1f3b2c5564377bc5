/** Undo and redo of what was done to examples, in one line across all of them. */
import type { Answer, BulkEdit } from "../../shared/protocol";
import { sameSpans, type Spans } from "./spans";

/** What a person can change about an example. */
export interface AnswerState {
  readonly spans: Spans;
  readonly answer: Answer;
  readonly flagged: boolean;
  readonly note: string;
}

export interface HistoryStep {
  readonly example: string;
  readonly before: AnswerState;
  readonly after: AnswerState;
  /** What else was done in the same stroke, in examples that the kernel holds. */
  readonly bulk?: BulkEdit;
}

export const sameState = (left: AnswerState, right: AnswerState): boolean =>
  left.answer === right.answer &&
  left.flagged === right.flagged &&
  left.note === right.note &&
  sameSpans(left.spans, right.spans);

/** Whether a step decided an example that had been open. */
export const isDecision = ({ before, after }: HistoryStep): boolean =>
  after.answer !== null && before.answer !== after.answer;

export class History {
  private done: HistoryStep[] = [];
  private undone: HistoryStep[] = [];

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** The step that undo would take back. */
  get last(): HistoryStep | null {
    return this.done.at(-1) ?? null;
  }

  /** The step that redo would do again. */
  get next(): HistoryStep | null {
    return this.undone.at(-1) ?? null;
  }

  push(step: HistoryStep): void {
    this.done.push(step);
    this.undone = [];
  }

  undo(): HistoryStep | null {
    const step = this.done.pop() ?? null;
    if (step !== null) this.undone.push(step);
    return step;
  }

  redo(): HistoryStep | null {
    const step = this.undone.pop() ?? null;
    if (step !== null) this.done.push(step);
    return step;
  }

  /** Takes up a step that was done before this history began, as one just undone. */
  pushUndone(step: HistoryStep): void {
    this.undone.push(step);
  }

  /** Takes up a step that was done again under another id. */
  replaceLast(step: HistoryStep): void {
    this.done[this.done.length - 1] = step;
  }

  /** Forgets the steps of examples that are no longer there. */
  forget(isGone: (example: string) => boolean): void {
    this.done = this.done.filter((step) => !isGone(step.example));
    this.undone = this.undone.filter((step) => !isGone(step.example));
  }
}
