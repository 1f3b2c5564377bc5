/** What stands in the place of the text when there is none: why, and the next step. */
import type { AnnotatorController } from "../model/controller";
import { formatCount, pluralize } from "../../shared/format";
import { createElement } from "../../shared/dom";

interface EmptyState {
  readonly title: string;
  readonly next: string;
  readonly code?: string;
}

export function renderEmptyState(panel: HTMLElement, controller: AnnotatorController): void {
  const { title, next, code } = describeEmptyState(controller);
  const signature = [title, next, code].join("\n");
  if (panel.dataset.says === signature) return;
  panel.dataset.says = signature;
  panel.replaceChildren(
    createElement("div", "panel-title", {}, title),
    createElement("div", "panel-next", {}, next, code === undefined ? null : createElement("span", "code", {}, code)),
  );
}

function describeEmptyState({ counts, setup, problem, saveStatus: saving, canUndoDecision: canTakeBack }: AnnotatorController): EmptyState {
  const place = `${setup.dataset} · ${setup.split}`;
  if (counts.open > 0 && problem !== null) {
    const title = "The kernel could not give out the next example.";
    return { title, next: `${problem} Trying again.` };
  }
  if (counts.open > 0) {
    const why = saving.state === "unsaved" ? "The kernel is busy or gone; they" : "They";
    return {
      title: `The next of ${pluralize(counts.open, "open example")} are on their way.`,
      next: `${why} appear here by themselves. What you have decided is kept.`,
    };
  }
  if (counts.total === 0) {
    return {
      title: `There is nothing in ${place} yet.`,
      next: "Add examples in a cell, from a file, a data frame or a list: ",
      code: 'session.add("texts.jsonl")',
    };
  }
  const undo = canTakeBack ? "Undo takes the last decision back. " : "";
  const all = counts.total === 1 ? "The one example" : `All ${formatCount(counts.total)} examples`;
  return {
    title: `${all} of ${place} ${counts.total === 1 ? "is" : "are"} answered.`,
    next: `${undo}The next step is to train on them: `,
    code: "session.train()",
  };
}
