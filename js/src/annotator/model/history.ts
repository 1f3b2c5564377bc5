/** The undo and redo history: one line of steps across all examples. */
import type { Answer, BulkEdit } from "../../shared/protocol";
import { sameSpans, type Spans } from "./spans";

/** Everything that the annotator can change about an example. */
export interface AnswerState {
  readonly spans: Spans;
  readonly answer: Answer;
  readonly flagged: boolean;
  readonly note: string;
  /** How many tokens of an undecided example are done; 0 where nothing was said. */
  readonly done: number;
}

export interface HistoryStep {
  readonly example: string;
  readonly before: AnswerState;
  readonly after: AnswerState;
  /** Changes made in the same step to examples that only the kernel holds. */
  readonly bulk?: BulkEdit;
}

export const sameState = (left: AnswerState, right: AnswerState): boolean =>
  left.answer === right.answer &&
  left.flagged === right.flagged &&
  left.note === right.note &&
  left.done === right.done &&
  sameSpans(left.spans, right.spans);

/** Return whether a step changed the answer to one that is a decision. */
export const isDecision = ({ before, after }: HistoryStep): boolean =>
  after.answer !== null && before.answer !== after.answer;

export class History {
  private done: HistoryStep[] = [];
  private undone: HistoryStep[] = [];

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** The step that undo would revert. */
  get last(): HistoryStep | null {
    return this.done.at(-1) ?? null;
  }

  /** The step that redo would apply again. */
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

  /** Add a step from before this history began, as one that has just been undone. */
  pushUndone(step: HistoryStep): void {
    this.undone.push(step);
  }


  replaceLast(step: HistoryStep): void {
    this.done[this.done.length - 1] = step;
  }

  /** Drop the steps of an example that is no longer in the dataset. */
  forget(example: string): void {
    this.done = this.done.filter((step) => step.example !== example);
    this.undone = this.undone.filter((step) => step.example !== example);
  }
}
