/** The message in place of the text when there is no example: why, and the next step. */
import { createElement } from "../../shared/dom";
import { formatCount, pluralize } from "../../shared/format";
import type { AnnotatorController } from "../model/controller";

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
  const codeElement = code === undefined ? null : createElement("span", "code", {}, code);
  panel.replaceChildren(
    createElement("div", "panel-title", {}, title),
    createElement("div", "panel-next", {}, next, codeElement),
  );
}

function describeEmptyState(controller: AnnotatorController): EmptyState {
  const { counts, setup, problem, saveStatus, canRetractDecision } = controller;
  const place = `${setup.dataset} · ${setup.split}`;
  if (counts.open > 0 && problem !== null) {
    const title = "The kernel could not give out the next example.";
    return { title, next: `${problem} Trying again.` };
  }
  if (counts.open > 0) {
    const why = saveStatus.state === "unsaved" ? "The kernel is busy or gone; they" : "They";
    return {
      title: `The next of ${pluralize(counts.open, "open example")} are on their way.`,
      next: `${why} appear here by themselves. What you have decided is kept.`,
    };
  }
  if (counts.total === 0) {
    return {
      title: `There is nothing in ${place} yet.`,
      next: "Add examples in a cell, from a file, a data frame or a list: ",
      code: setup.split === "train" ? 'session.add("texts.jsonl")' : `session.add("texts.jsonl", split=${quote(setup.split)})`,
    };
  }
  const undo = canRetractDecision ? "Undo takes the last decision back. " : "";
  const all = counts.total === 1 ? "The one example" : `All ${formatCount(counts.total)} examples`;
  return {
    title: `${all} of ${place} ${counts.total === 1 ? "is" : "are"} answered.`,
    next: `${undo}The next step is to train on them: `,
    // With `dev` training measures by itself; what lies in another split is named.
    code: ["train", "dev"].includes(setup.split) ? "session.train()" : `session.train(split=${quote(setup.split)})`,
  };
}

/** Write a text as Python does. */
const quote = (text: string): string => JSON.stringify(text);
