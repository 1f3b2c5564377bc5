/**
 * Work on a long text that is done up to some token: what follows is missing,
 * not empty. It is kept by the kernel at once, as an answer without a decision,
 * so that it can be taken up on another machine.
 */
import type { AnswerStore } from "./answerStore";
import type { AnnotatorContext } from "./context";
import { clickedAt, selectedRange, type Cursor } from "./cursor";
import { isOpen, type QueueItem } from "./exampleQueue";
import { formatCount } from "../../shared/format";

type PartialWorkContext = Pick<AnnotatorContext, "setup" | "shown" | "cursor">;

/** Mark the shown example as done up to the caret, or no longer where that was its mark. */
export function markDone({ setup, shown, cursor }: PartialWorkContext, answers: AnswerStore): string {
  const token = selectedRange(cursor)?.end ?? (cursor.caret === null ? null : cursor.caret + 1);
  if (shown === null) return "";
  // What is corrected or adjudicated has answers, which a draft would take the place of; analyses are none.
  const isReviewed = shown.task.versions !== undefined && shown.task.set === undefined;
  const hasAnswers = setup.mends || isReviewed;
  if (hasAnswers) return "This example was answered as a whole: decide it";
  if (!isOpen(shown)) return "This example is decided: all of it is done";
  if (token === null) return "Put the caret where you are done";
  const done = token === shown.state.done ? 0 : token;
  answers.record(shown, { ...shown.state, done });
  answers.sendDraft(shown);
  return done === 0 ? "No longer done up to here" : `Done up to here: ${describeDone(shown)}`;
}

/** Describe how far an example is done. */
export function describeDone({ state, task }: QueueItem): string {
  return `${formatCount(state.done)} of ${formatCount(task.tokens.length)} tokens`;
}

/** Return where the caret is when an example is taken up again; null where nothing is done. */
export function resumeAt({ state }: QueueItem): Cursor | null {
  return state.done > 0 && state.answer === null ? clickedAt(state.done - 1) : null;
}
