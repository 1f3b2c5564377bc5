/** Assembles the error explorer in an output cell, and removes it without a trace. */
import { mount as mountAnnotator } from "../annotator/view/annotatorView";
import { createButton, createElement, createIcon, createKeyHint, createRoot, setAttributes, setText } from "../shared/dom";
import type { Unsubscribe } from "../shared/environment";
import { formatCount, pluralize } from "../shared/format";
import { EffectScope } from "../shared/reactive";
import { ConfusionMatrix } from "./confusionMatrix";
import { ErrorRatesView } from "./errorRates";
import type { ErrorExplorer } from "./explorer";
import { FilterBar } from "./filterBar";
import { FindingsView } from "./findings";

/** Add a view to a place of the page; return what removes it. */
export function mount(place: HTMLElement, explorer: ErrorExplorer): Unsubscribe {
  const view = new ExplorerView(explorer);
  place.append(view.root);
  return () => view.dispose();
}

class ExplorerView {
  readonly root: HTMLElement;
  private readonly headline = createElement("span", "place");
  private readonly judged = createElement("span", "count");
  private readonly undoButton: HTMLButtonElement;
  private readonly views = createElement("div", "chips", { role: "group", "aria-label": "Pictures" });
  private readonly notices = createElement("div", "errors-notices");
  private readonly emptyState = createElement("div", "panel");
  private readonly announcement = createElement("span", "errors-said", { role: "status" });
  private readonly matrix: ConfusionMatrix;
  private readonly errorRates: ErrorRatesView;
  private readonly findings: FindingsView;
  private readonly annotationPane = createElement("div", "annotation-pane");
  private readonly unmountAnnotator: Unsubscribe;
  private readonly effects = new EffectScope();

  constructor(private readonly explorer: ErrorExplorer) {
    const { effects } = this;
    const focusFindings = (): void => this.findings.focus();
    const filterBar = new FilterBar(explorer, effects);
    this.matrix = new ConfusionMatrix(explorer, focusFindings, effects);
    this.errorRates = new ErrorRatesView(explorer, focusFindings, effects);
    this.findings = new FindingsView(explorer, () => this.focusCells(), () => this.focusAnnotator(), effects);
    const undo = { "data-act": "revert", "aria-label": "Undo the last change", "aria-keyshortcuts": "u" };
    this.undoButton = createButton("icon-button", undo, [createIcon("undo"), createKeyHint("u")], () => explorer.undo());
    const standing = createElement("span", "standing", {}, this.announcement, this.judged, this.undoButton);
    this.root = createRoot(
      "root errors",
      { "data-nbner": "errors", "aria-label": "Errors" },
      createElement("div", "head", {}, this.headline, standing),
      this.notices,
      this.views,
      filterBar.element,
      this.emptyState,
      this.matrix.element,
      this.errorRates.element,
      this.findings.element,
      this.annotationPane,
    );
    this.root.addEventListener("keydown", (event) => this.captureKey(event), { capture: true });
    this.unmountAnnotator = mountAnnotator(this.annotationPane, explorer.controller);
    effects.run(() => this.showHead());
    effects.run(() => this.showViews());
    effects.run(() => this.showContent());
    effects.run(() => this.showAnnotator());
    effects.run(() => setText(this.announcement, explorer.state.announcement));
  }

  dispose(): void {
    this.effects.dispose();
    this.unmountAnnotator();
    this.root.remove();
  }

  private showHead(): void {
    const { overview } = this.explorer.state;
    setText(this.headline, [overview.title, overview.headline].filter(Boolean).join(" · "));
    setText(this.judged, overview.judged === 0 ? "" : `${pluralize(overview.judged, "example")} judged`);
    this.undoButton.hidden = !overview.changes;
    setAttributes(this.undoButton, { "aria-disabled": overview.undoes ? null : "true" });
    const notices = overview.notices.map((notice) => createElement("div", "errors-notice", {}, notice));
    this.notices.replaceChildren(...notices);
  }

  private showViews(): void {
    const { overview, view } = this.explorer.state;
    const names = ["matrix", ...overview.factors.map(([name]) => name)];
    if (this.views.childElementCount !== names.length) {
      this.views.replaceChildren(...names.map((name) => this.createViewButton(name)));
    }
    for (const button of this.views.children) {
      button.setAttribute("aria-pressed", String((button as HTMLElement).dataset.view === view));
    }
  }

  private createViewButton(name: string): HTMLElement {
    const factor = this.explorer.state.overview.factors.find(([one]) => one === name)?.[1];
    const title = factor === undefined ? "What is taken for what" : `Error rate by ${factor}`;
    return createButton("chip", { "data-view": name, title }, [name], () => this.explorer.setView(name));
  }

  /** Show the matrix or the error rates; without any, say why and what the next step is. */
  private showContent(): void {
    const { overview, view } = this.explorer.state;
    this.matrix.element.hidden = view !== "matrix" || overview.total === 0;
    this.errorRates.element.hidden = view === "matrix" || overview.total === 0;
    const message = describeEmptyState(overview.total, overview.errors, overview.conditions.predicates.length);
    this.emptyState.hidden = message === null;
    if (message === null) return;
    const [title, next] = message;
    this.emptyState.replaceChildren(
      createElement("div", "panel-title", {}, title),
      createElement("div", "panel-next", {}, next),
    );
  }

  /** Behind the last example the annotator is hidden, and the focus returns to the findings. */
  private showAnnotator(): void {
    const isEmpty = this.explorer.controller.shown === null;
    if (isEmpty && this.annotationPane.matches(":focus-within")) this.findings.focus();
    this.annotationPane.hidden = isEmpty;
  }

  /** Handle the keys that work wherever the focus is, in the annotator too. */
  private captureKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) {
      return this.captureUndo(event);
    }
    const isAnnotating = this.annotationPane.contains(event.target as Node);
    if (isAnnotating && !this.isAnnotatorFocused(event.target)) return;
    // A key of one's own means in the annotator what was chosen for it.
    if (isAnnotating && this.explorer.controller.keyMap.isChosen(event)) return;
    if (event.key === "u") this.explorer.undo();
    else if (isAnnotating && event.key === "m") this.explorer.toggleJudgment(this.explorer.controller.shown?.id);
    else if (isAnnotating && event.key === "Escape" && this.isAnnotatorIdle()) this.findings.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** In the annotator ctrl+z undoes step by step; elsewhere it reverts the last change as a whole. */
  private captureUndo(event: KeyboardEvent): void {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    if (!isUndo || isField(event.target) || this.annotationPane.contains(event.target as Node)) return;
    this.explorer.undo();
    event.preventDefault();
    event.stopPropagation();
  }

  /** Return whether a key goes to the annotator itself, and not to a panel or a card in it. */
  private isAnnotatorFocused(target: EventTarget | null): boolean {
    const { sidePanel } = this.explorer.controller;
    const isHelpOpen = this.annotationPane.querySelector(".nbner-help:not([hidden])") !== null;
    return sidePanel.open === null && target === this.annotatorRoot && !isHelpOpen;
  }

  private isAnnotatorIdle(): boolean {
    const { cursor, currentNotice, guideline } = this.explorer.controller;
    return cursor.caret === null && currentNotice.text === "" && !guideline.state.isOpen;
  }

  private get annotatorRoot(): HTMLElement | null {
    return this.annotationPane.querySelector("[data-nbner='annotator']");
  }

  private focusAnnotator(): void {
    this.annotationPane.hidden = false;
    this.annotatorRoot?.focus({ preventScroll: true });
    this.annotationPane.scrollIntoView({ block: "nearest" });
  }

  private focusCells(): void {
    if (this.explorer.state.view === "matrix") this.matrix.focus();
    else this.errorRates.focus();
  }
}

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement;

/**
 * Return title and next step where nothing is to be shown, or nothing is wrong; else null.
 *
 * @param predicates The number of conditions that code has set.
 */
function describeEmptyState(total: number, errors: number, predicates: number): readonly [string, string] | null {
  if (total === 0) {
    const also = predicates > 0 ? ", also the one that code has set" : "";
    return ["Nothing meets these conditions.", `Take one off${also}, or show all findings.`];
  }
  if (errors > 0) return null;
  const all = `All ${formatCount(total)} spans are as they should be.`;
  return ["Nothing is wrong here.", `${all} Look at another split, or at other conditions.`];
}
