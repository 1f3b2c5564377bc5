/** Undo and redo of what was done to examples, in one line across all of them. */
import type { Answer, Bulk } from "../../shared/protocol";
import { sameSpans, type Spans } from "./spans";

/** What a person can change about an example. */
export interface State {
  readonly spans: Spans;
  readonly answer: Answer;
  readonly flagged: boolean;
  readonly note: string;
}

export interface Step {
  readonly example: string;
  readonly before: State;
  readonly after: State;
  /** What else was done in the same stroke, in examples that the kernel holds. */
  readonly bulk?: Bulk;
}

export const sameState = (left: State, right: State): boolean =>
  left.answer === right.answer &&
  left.flagged === right.flagged &&
  left.note === right.note &&
  sameSpans(left.spans, right.spans);

/** Whether a step decided an example that had been open. */
export const isDecision = ({ before, after }: Step): boolean =>
  after.answer !== null && before.answer !== after.answer;

export class History {
  private done: Step[] = [];
  private undone: Step[] = [];

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** The step that undo would take back. */
  get last(): Step | null {
    return this.done.at(-1) ?? null;
  }

  /** The step that redo would do again. */
  get next(): Step | null {
    return this.undone.at(-1) ?? null;
  }

  push(step: Step): void {
    this.done.push(step);
    this.undone = [];
  }

  undo(): Step | null {
    const step = this.done.pop() ?? null;
    if (step !== null) this.undone.push(step);
    return step;
  }

  redo(): Step | null {
    const step = this.undone.pop() ?? null;
    if (step !== null) this.done.push(step);
    return step;
  }

  /** Takes up a step that was done before this history began, as one just undone. */
  pushUndone(step: Step): void {
    this.undone.push(step);
  }

  /** Takes up a step that was done again under another id. */
  replaceLast(step: Step): void {
    this.done[this.done.length - 1] = step;
  }

  /** Forgets the steps of examples that are no longer there. */
  forget(isGone: (example: string) => boolean): void {
    this.done = this.done.filter((step) => !isGone(step.example));
    this.undone = this.undone.filter((step) => !isGone(step.example));
  }
}
