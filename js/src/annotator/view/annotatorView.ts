/** Assembles the annotator in an output cell, and removes it without a trace. */
import { createElement, createRoot, isButtonPress, setAttributes, setText } from "../../shared/dom";
import type { Unsubscribe } from "../../shared/environment";
import { HelpCard, type HelpGroup } from "../../shared/helpCard";
import { formatKeys, isBrowserKey, isComposing, plainNumber } from "../../shared/keyboard";
import type { Task } from "../../shared/protocol";
import { EffectScope } from "../../shared/reactive";
import { NO_NOTICE } from "../model/context";
import type { AnnotatorController } from "../model/controller";
import { NO_CURSOR } from "../model/cursor";
import type { Command } from "../model/keyBindings";
import { AlternativesView } from "./alternativesView";
import { AnswerButtons } from "./answerButtons";
import { ConfidenceSlider } from "./confidenceSlider";
import { GuidelineView } from "./guidelineView";
import { LabelBar } from "./labelBar";
import { LabelTip } from "./labelTip";
import { LearningLine } from "./learningLine";
import { NoteField } from "./noteField";
import { RefusedView } from "./refusedView";
import { SidePanelView } from "./sidePanelView";
import { StatusBar } from "./statusBar";
import { TextView } from "./textView";
import { TextSearchField } from "./textSearchField";
import { VersionsView } from "./versionsView";

/** Add a view to a place of the page; return what removes it. */
export function mount(place: HTMLElement, controller: AnnotatorController): Unsubscribe {
  const view = new AnnotatorView(controller);
  place.append(view.root);
  controller.refreshOnce();
  return () => view.dispose();
}

type PanelCommand = Extract<Command, { do: "list" | "occurrences" | "edit-labels" }>;

class AnnotatorView {
  readonly root: HTMLElement;
  private readonly text: TextView;
  private readonly labelBar: LabelBar;
  private readonly note: NoteField;
  private readonly search: TextSearchField;
  private readonly sidePanel: SidePanelView;
  private readonly guideline: GuidelineView;
  private readonly confidence: ConfidenceSlider;
  private readonly help: HelpCard;
  private readonly effects = new EffectScope();

  constructor(private readonly controller: AnnotatorController) {
    const { effects } = this;
    const focusText = (): void => this.focusText();
    this.text = new TextView(controller, effects);
    const tip = new LabelTip(controller);
    this.labelBar = new LabelBar(controller, focusText, tip, effects);
    this.note = new NoteField(controller, focusText, effects);
    this.search = new TextSearchField(controller, focusText, effects);
    this.sidePanel = new SidePanelView(controller, focusText, effects);
    this.guideline = new GuidelineView(controller, focusText, effects);
    this.confidence = new ConfidenceSlider(controller, focusText, effects);
    this.help = new HelpCard(() => helpGroups(controller));
    const openList = (): void => this.openPanel({ do: "list" });
    const toggleHelp = (): void => this.toggleHelp();
    const toggleGuideline = (): void => this.guideline.toggle();
    const status = new StatusBar(controller, toggleHelp, openList, toggleGuideline, this.note.element, effects);
    status.info.lastElementChild?.append(this.search.element);
    status.head.insertBefore(this.confidence.element, status.head.lastChild);
    const answers = new AnswerButtons(controller, focusText, () => this.note.open(), effects);
    const versions = new VersionsView(controller, focusText, effects);
    const alternatives = new AlternativesView(controller, focusText, effects);
    const learning = new LearningLine(controller, focusText, effects);
    this.text.element.append(alternatives.element);
    const liveRegion = createElement("div", "live", { "aria-live": "polite" });
    const main = createElement(
      "div",
      "main",
      {},
      this.labelBar.element,
      this.text.element,
      status.info,
      new RefusedView(controller, effects).element,
      versions.element,
      this.sidePanel.element,
    );
    this.root = createRoot(
      "root",
      { "data-nbner": "annotator", tabindex: "0" },
      status.progressBar,
      status.head,
      createElement("div", "work", {}, main, this.guideline.element),
      answers.element,
      learning.element,
      tip.element,
      this.help.element,
      liveRegion,
    );
    this.root.style.setProperty("--nbner-lines", String(frameLines(controller)));
    this.root.addEventListener("keydown", (event) => this.handleKey(event));
    this.root.addEventListener("copy", (event) => {
      const isOwn = event.target instanceof HTMLInputElement || this.guideline.owns(event.target);
      if (!isOwn) this.text.copy(event);
    });
    // Without a selection of the browser's own, Chromium copies only where this event is taken.
    this.root.addEventListener("beforecopy", (event) => event.preventDefault());
    effects.run(() => {
      const { setup, shown } = controller;
      setAttributes(this.root, {
        "aria-label": `Annotate ${setup.dataset}, ${setup.split}`,
        "data-example": shown?.id ?? null,
      });
    });
    effects.run(() => {
      const { scale, isWide } = controller.viewSettings;
      this.root.style.setProperty("--nbner-scale", String(scale));
      setAttributes(this.root, { "data-wide": isWide ? "" : null });
    });
    effects.run(() => {
      const { announcement } = controller;
      // Of several views in the page, only the one with the focus is read out.
      if (this.root.matches(":focus-within")) setText(liveRegion, announcement);
    });
  }

  dispose(): void {
    this.effects.dispose();
    this.text.dispose();
    this.root.remove();
  }

  private handleKey(event: KeyboardEvent): void {
    if (isComposing(event)) return;
    if (this.help.isOpen) {
      this.help.handleKey(event.key);
      event.preventDefault();
      return;
    }
    const field = [this.labelBar, this.note, this.confidence, this.search].find((one) => one.owns(event.target));
    if (field !== undefined) {
      if (field.handleKey(event.key, event.shiftKey)) event.preventDefault();
      return;
    }
    if (this.guideline.isNativeKey(event)) return;
    if (this.sidePanel.isOpen) return this.handlePanelKey(event);
    const command = this.controller.keyMap.commandOf(event);
    if (this.takesVersion(event, command)) return event.preventDefault();
    if (this.hasNativeEffect(event, command)) return;
    event.preventDefault();
    if (command !== null) this.run(command);
  }

  /** Take the version that a digit names: where there are versions no label has the digits. */
  private takesVersion(event: KeyboardEvent, command: Command | null): boolean {
    const number = plainNumber(event);
    const isFree = command === null || command.do === "label";
    return number !== null && isFree && !event.repeat && this.controller.takeVersionAt(number - 1);
  }

  /** While the side panel is open, no key changes the example below it. */
  private handlePanelKey(event: KeyboardEvent): void {
    const isNative =
      event.key === "Tab" ||
      event.target instanceof HTMLInputElement ||
      event.target instanceof HTMLSelectElement ||
      event.target instanceof HTMLButtonElement ||
      isBrowserKey(event);
    if (this.sidePanel.handleKey(event) || !isNative) event.preventDefault();
  }

  /** Return whether a key keeps its usual effect, in the browser or on a focused button. */
  private hasNativeEffect(event: KeyboardEvent, command: Command | null): boolean {
    if (command?.do === "span") {
      const hasSpan = this.controller.adjacentSpan(command.by) !== null;
      return !hasSpan || event.target !== this.root;
    }
    return isButtonPress(event) || (command === null && isBrowserKey(event));
  }

  private run(command: Command): void {
    switch (command.do) {
      case "help":
        return this.toggleHelp();
      case "filter":
        return this.labelBar.focusFilter();
      case "guideline":
        return this.guideline.toggle();
      case "leave":
        return this.leave();
      case "note":
        return this.note.open();
      case "search":
        return this.search.open();
      case "edit-labels":
      case "list":
      case "occurrences":
        return this.openPanel(command);
      case "resize":
        return this.controller.resizeSpan(command.edge, this.inReadingOrder(command.by));
      case "horizontal":
        return this.controller.stepCaret(this.inReadingOrder(command.by), command.extend);
      case "confidence":
        return this.confidence.focus();
      case "line":
        // Without a caret, up and down step through the model's analyses.
        if (!command.extend && this.controller.setup.advises && this.controller.cursor.caret === null) {
          return this.controller.run({ do: "candidate", by: command.by });
        }
        return this.text.goToLine(command.by, command.extend);
      case "line-edge":
        return this.text.goToLineEdge(command.side, command.extend);
      default:
        return this.controller.run(command);
    }
  }

  private inReadingOrder(by: 1 | -1): 1 | -1 {
    return this.text.isRightToLeft ? (-by as 1 | -1) : by;
  }

  private openPanel(command: PanelCommand): void {
    this.controller.run(command);
    if (this.sidePanel.isOpen) this.sidePanel.focus();
  }

  /** Close the guideline, or drop the notice and the selection; without a selection, leave the widget. */
  private leave(): void {
    if (this.guideline.isOpen) return this.guideline.close();
    if (this.controller.currentNotice.text !== "") this.controller.notify(NO_NOTICE);
    if (this.controller.cursor.caret !== null) return this.controller.setCursor(NO_CURSOR);
    const focused = this.root.querySelector(":focus") ?? this.root;
    (focused as HTMLElement).blur();
  }

  private toggleHelp(): void {
    this.help.toggle();
    this.focusText();
  }

  private focusText(): void {
    this.root.focus({ preventScroll: true });
  }
}

/** Return the lines of the help card: those of keys that do something in this widget. */
function helpGroups({ setup, shown, keyMap }: AnnotatorController): readonly HelpGroup[] {
  const has = {
    suggestions: setup.mode === "make-gold" || setup.mends,
    analyses: setup.advises,
    guideline: (setup.guideline ?? "") !== "",
    labelEditor: setup.relabels === true,
    versions: (shown?.task.versions ?? []).length > 0,
  };
  const bindings = keyMap.bindings.filter(
    ({ minLabels = 0, needs }) => setup.labels.length >= minLabels && (needs === undefined || has[needs]),
  );
  const titles = [...new Set(bindings.map(({ group }) => group))];
  const groups = titles.map((title) => ({
    title,
    lines: bindings
      .filter(({ group }) => group === title)
      .map(({ keys, description }) => [keys.map((key) => formatKeys(key)), description] as const),
  }));
  return [...groups, MOUSE_HELP];
}

const MOUSE_HELP: HelpGroup = {
  title: "Mouse",
  lines: [
    [["drag"], "Label whole tokens with the active label"],
    [["double click"], "Label one token"],
    [["click a mark"], "Select it; then a label relabels it"],
  ],
};

/**
 * Return the height of the text's frame in lines: as many as most loaded
 * examples need, within bounds. It is computed once, so that nothing moves later.
 */
function frameLines({ items }: AnnotatorController): number {
  const lines = items.map(({ task }) => estimateLines(task)).sort((a, b) => a - b);
  const most = lines[Math.floor(lines.length * 0.8)] ?? 0;
  return Math.min(12, Math.max(5, most + 1));
}

function estimateLines({ tokens }: Task): number {
  const text = tokens.map(([word, gap]) => word + gap).join("");
  const lines = text.split("\n").map((one) => Math.max(1, Math.ceil(one.length / CHARS_PER_LINE)));
  return lines.reduce((sum, count) => sum + count, 0);
}

/** Characters in a line, less the space that label names take. */
const CHARS_PER_LINE = 64;
