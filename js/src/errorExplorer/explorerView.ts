/** Puts an error explorer together in one place of the page, and takes it away again without a trace. */
import type { Unsubscribe } from "../shared/environment";
import { formatCount, pluralize } from "../shared/format";
import { mount as mountAnnotator } from "../annotator/view/annotatorView";
import { createButton, createIcon, createKeyHint, createElement, setAttributes, setText } from "../shared/dom";
import { ErrorRatesView } from "./errorRates";
import { FilterBar } from "./filterBar";
import type { Aspect, ErrorExplorer } from "./explorer";
import { FindingsView } from "./findings";
import { ConfusionMatrix } from "./confusionMatrix";

export function mount(place: HTMLElement, explorer: ErrorExplorer): Unsubscribe {
  const view = new ExplorerView(explorer);
  place.append(view.root);
  return () => view.dispose();
}

class ExplorerView {
  readonly root: HTMLElement;
  private readonly headline = createElement("span", "place");
  private readonly judged = createElement("span", "count");
  private readonly undo: HTMLButtonElement;
  private readonly views = createElement("div", "chips", { role: "group", "aria-label": "Pictures" });
  private readonly notices = createElement("div", "errors-notices");
  private readonly empty = createElement("div", "panel");
  private readonly announcement = createElement("span", "errors-said", { role: "status" });
  private readonly filterBar: FilterBar;
  private readonly matrix: ConfusionMatrix;
  private readonly errorRates: ErrorRatesView;
  private readonly findings: FindingsView;
  private readonly annotationPane = createElement("div", "bench", { hidden: "" });
  private readonly offs: Unsubscribe[];

  constructor(private readonly explorer: ErrorExplorer) {
    const toRows = (): void => this.findings.focus();
    this.filterBar = new FilterBar(explorer);
    this.matrix = new ConfusionMatrix(explorer, toRows);
    this.errorRates = new ErrorRatesView(explorer, toRows);
    this.findings = new FindingsView(explorer, () => this.back(), () => this.work());
    const says = { "aria-label": "Undo the last change", "aria-keyshortcuts": "u" };
    const signs = [createIcon("undo"), createKeyHint("u")];
    const act = { "data-act": "revert", ...says };
    this.undo = createButton("drawer-button", act, signs, () => explorer.undo());
    const unmount = mountAnnotator(this.annotationPane, explorer.controller);
    this.root = this.makeRoot();
    this.update("state");
    this.update("rows");
    this.offs = [unmount, explorer.subscribe((aspect) => this.update(aspect))];
  }

  dispose(): void {
    this.offs.forEach((off) => off());
    this.root.remove();
  }

  private makeRoot(): HTMLElement {
    const standing = createElement("span", "standing", {}, this.announcement, this.judged, this.undo);
    const root = createElement(
      "div",
      "root errors",
      {
        "data-nbner": "errors",
        // JupyterLab's shortcuts listen before the event gets here; this tells them not to.
        "data-lm-suppress-shortcuts": "true",
        role: "application",
        "aria-label": "Errors",
      },
      createElement("div", "head", {}, this.headline, standing),
      this.notices,
      this.views,
      this.filterBar.element,
      this.empty,
      this.matrix.element,
      this.errorRates.element,
      this.findings.element,
      this.annotationPane,
    );
    root.addEventListener("keydown", (event) => this.catchKey(event), { capture: true });
    const swallow = (event: Event): void => event.stopPropagation();
    for (const type of ["keydown", "keyup", "keypress"]) root.addEventListener(type, swallow);
    return root;
  }

  private update(aspect: Aspect): void {
    switch (aspect) {
      case "state":
        return this.showState();
      case "bars":
        this.showViews();
        this.errorRates.update();
        return this.showEmpty();
      case "rows":
        this.findings.update();
        this.errorRates.mark();
        return this.matrix.mark();
      case "pointed":
        return this.findings.point();
      case "shown":
        return this.showBench();
      case "said":
        return setText(this.announcement, this.explorer.announcement);
    }
  }

  /** Behind the last example the surface is empty, and the hand goes back to the rows. */
  private showBench(): void {
    const isEmpty = this.explorer.controller.shown === null;
    if (isEmpty && this.annotationPane.matches(":focus-within")) this.findings.focus();
    this.annotationPane.hidden = isEmpty;
  }

  private showState(): void {
    const { state } = this.explorer;
    setText(this.headline, [state.title, state.headline].filter(Boolean).join(" · "));
    setText(this.judged, state.judged === 0 ? "" : `${pluralize(state.judged, "example")} judged`);
    this.undo.hidden = !state.changes;
    setAttributes(this.undo, { "aria-disabled": state.undoes ? null : "true" });
    this.notices.replaceChildren(...state.notices.map((one) => createElement("div", "errors-notice", {}, one)));
    this.showViews();
    this.filterBar.update();
    this.matrix.update();
    this.errorRates.update();
    this.showEmpty();
  }

  private showViews(): void {
    const { state, view } = this.explorer;
    const names = ["matrix", ...state.factors.map(([name]) => name)];
    const known = [...this.views.children] as HTMLElement[];
    if (known.length !== names.length) {
      this.views.replaceChildren(...names.map((name) => this.viewButton(name)));
    }
    for (const one of this.views.children) {
      one.setAttribute("aria-pressed", String((one as HTMLElement).dataset.view === view));
    }
  }

  private viewButton(name: string): HTMLElement {
    const words = this.explorer.state.factors.find(([factor]) => factor === name)?.[1];
    const title = words === undefined ? "What is taken for what" : `Error rate by ${words}`;
    return createButton("chip", { "data-view": name, title }, [name], () => this.explorer.setView(name));
  }

  /** An empty slice, and no error at all, say what they are and what the next step is. */
  private showEmpty(): void {
    const { state, view } = this.explorer;
    const says = describeEmptyState(state.total, state.errors, state.conditions.predicates.length);
    this.empty.hidden = says === null;
    this.matrix.element.hidden = view !== "matrix" || state.total === 0;
    if (state.total === 0) this.errorRates.element.hidden = true;
    if (says === null) return;
    const [title, next] = says;
    this.empty.replaceChildren(createElement("div", "panel-title", {}, title), createElement("div", "panel-next", {}, next));
  }

  /** Keys that mean something wherever the focus is in here, the surface included. */
  private catchKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) {
      return this.catchUndo(event);
    }
    const isWork = this.annotationPane.contains(event.target as Node);
    if (isWork && !this.isPlain(event.target)) return;
    if (event.key === "u") this.explorer.undo();
    else if (isWork && event.key === "m") this.explorer.toggleJudgment(this.explorer.controller.shown?.id);
    else if (isWork && event.key === "Escape" && this.isIdle()) this.findings.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** In the surface ctrl z undoes step by step; here it takes back the last change as a whole. */
  private catchUndo(event: KeyboardEvent): void {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    if (!isUndo || isField(event.target) || this.annotationPane.contains(event.target as Node)) return;
    this.explorer.undo();
    event.preventDefault();
    event.stopPropagation();
  }

  /** Whether a key goes to the surface itself, and not to what may be open in it. */
  private isPlain(target: EventTarget | null): boolean {
    const { sidePanel: panels } = this.explorer.controller;
    const isHelped = this.annotationPane.querySelector(".nbner-help:not([hidden])") !== null;
    return panels.open === null && target === this.surface && !isHelped;
  }

  private isIdle(): boolean {
    const { cursor, currentNotice: news } = this.explorer.controller;
    return cursor.caret === null && news.text === "";
  }

  private get surface(): HTMLElement | null {
    return this.annotationPane.querySelector("[data-nbner='annotator']");
  }

  private work(): void {
    this.annotationPane.hidden = false;
    this.surface?.focus({ preventScroll: true });
    this.annotationPane.scrollIntoView({ block: "nearest" });
  }

  private back(): void {
    if (this.explorer.view === "matrix") this.matrix.focus();
    else this.errorRates.focus();
  }
}

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement;

function describeEmptyState(total: number, errors: number, coded: number): readonly [string, string] | null {
  if (total === 0) {
    const also = coded > 0 ? ", also the one that code has set" : "";
    return ["Nothing meets these conditions.", `Take one off${also}, or show all findings.`];
  }
  if (errors > 0) return null;
  const all = `All ${formatCount(total)} spans are as they should be.`;
  return ["Nothing is wrong here.", `${all} Look at another split, or at other conditions.`];
}
