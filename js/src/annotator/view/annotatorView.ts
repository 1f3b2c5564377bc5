/** Puts the widget together in one place of the page, and takes it away again without a trace. */
import { createElement, setAttributes, setText } from "../../shared/dom";
import type { Unsubscribe } from "../../shared/environment";
import { isBrowserKey } from "../../shared/keyboard";
import type { Task } from "../../shared/protocol";
import { NO_NOTICE } from "../model/bulkEditor";
import type { AnnotatorController, Part } from "../model/controller";
import { NO_CURSOR } from "../model/cursor";
import { commandOf, type Command } from "../model/keyBindings";
import { AlternativesView } from "./alternativesView";
import { AnswerButtons } from "./answerButtons";
import { ConfidenceSlider } from "./confidenceSlider";
import { HelpCard } from "./help";
import { LabelBar } from "./labelBar";
import { NoteField } from "./noteField";
import { SidePanelView } from "./sidePanelView";
import { StatusBar } from "./statusBar";
import { TextView } from "./textView";
import { VersionsView } from "./versionsView";

const EVERYTHING: ReadonlySet<Part> = new Set<Part>([
  "setup",
  "example",
  "spans",
  "cursor",
  "label",
  "answer",
  "progress",
  "save",
  "panel",
  "notice",
  "advice",
]);

export function mount(place: HTMLElement, controller: AnnotatorController): Unsubscribe {
  const view = new AnnotatorView(controller);
  place.append(view.root);
  return () => view.dispose();
}

type PanelCommand = Extract<Command, { do: "list" | "everywhere" }>;

class AnnotatorView {
  readonly root: HTMLElement;
  private readonly surface: TextView;
  private readonly bar: LabelBar;
  private readonly decisions: AnswerButtons;
  private readonly status: StatusBar;
  private readonly help: HelpCard;
  private readonly note: NoteField;
  private readonly also: AlternativesView;
  private readonly drawer: SidePanelView;
  private readonly sureness: ConfidenceSlider;
  private readonly versions: VersionsView;
  private readonly live = createElement("div", "live", { "aria-live": "polite" });
  private readonly unsubscribe: Unsubscribe;

  constructor(private readonly controller: AnnotatorController) {
    const mac = /mac|iphone|ipad/i.test(navigator.platform);
    const leave = (): void => this.root.focus({ preventScroll: true });
    this.surface = new TextView(controller);
    this.bar = new LabelBar(controller, mac, leave);
    this.note = new NoteField(controller, leave);
    this.also = new AlternativesView(controller, leave);
    this.drawer = new SidePanelView(controller, leave);
    this.decisions = new AnswerButtons(controller, mac, leave, () => this.note.open());
    this.help = new HelpCard(controller, mac);
    const openList = (): void => this.openPanel({ do: "list" });
    this.sureness = new ConfidenceSlider(controller, leave);
    this.status = new StatusBar(controller, () => this.toggleHelp(), openList, this.note.element);
    this.status.head.insertBefore(this.sureness.element, this.status.head.lastChild);
    this.versions = new VersionsView(controller, leave);
    this.surface.element.append(this.also.element, this.versions.element);
    this.root = this.makeRoot();
    this.update(EVERYTHING);
    this.unsubscribe = controller.subscribe((parts) => this.update(parts));
  }

  dispose(): void {
    this.unsubscribe();
    this.surface.dispose();
    this.root.remove();
  }

  private makeRoot(): HTMLElement {
    const { status, bar, surface, decisions, help, live, drawer } = this;
    const below = [surface.element, status.info, this.versions.element];
    const stage = createElement("div", "stage", {}, bar.element, ...below, drawer.element);
    const root = createElement(
      "div",
      "root",
      {
        "data-nbner": "annotator",
        // JupyterLab's shortcuts listen before the event gets here; this tells them not to.
        "data-lm-suppress-shortcuts": "true",
        role: "application",
        tabindex: "0",
      },
      status.progressBar,
      status.head,
      stage,
      decisions.element,
      help.element,
      live,
    );
    root.style.setProperty("--nbner-lines", String(linesFor(this.controller)));
    root.addEventListener("keydown", (event) => this.onKey(event));
    const swallow = (event: Event): void => event.stopPropagation();
    root.addEventListener("keyup", swallow);
    root.addEventListener("keypress", swallow);
    return root;
  }

  private update(parts: ReadonlySet<Part>): void {
    const { controller, root } = this;
    if (parts.has("setup")) {
      const { dataset, split } = controller.setup;
      setAttributes(root, { "aria-label": `Annotate ${dataset}, ${split}` });
    }
    if (parts.has("example")) setAttributes(root, { "data-example": controller.shown?.id ?? null });
    this.surface.update(parts);
    this.bar.update(parts);
    this.decisions.update(parts);
    this.status.update(parts);
    this.versions.update(parts);
    this.note.update(parts);
    this.also.update(parts);
    this.sureness.update(parts);
    this.drawer.update(parts);
    // With two views on the page, only the one that is worked in speaks.
    const isWorkedIn = root.matches(":focus-within");
    if (parts.has("said") && isWorkedIn) setText(this.live, controller.announcement);
  }

  /** No key goes on from here to the notebook, whether it means something or not. */
  private onKey(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.isComposing || event.key === "Dead" || event.key === "Process") return;
    if (this.help.isOpen) {
      this.help.type(event.key);
      event.preventDefault();
      return;
    }
    const field = [this.bar, this.note, this.sureness].find((one) => one.owns(event.target));
    if (field !== undefined) {
      if (field.type(event.key)) event.preventDefault();
      return;
    }
    if (this.drawer.isOpen) return this.typeInDrawer(event);
    const command = commandOf(event, this.controller.setup.labels.length);
    if (this.isNative(event, command)) return;
    event.preventDefault();
    if (command !== null) this.carryOut(command);
  }

  /** While it is open no key changes what lies below it. */
  private typeInDrawer(event: KeyboardEvent): void {
    const isNative =
      event.key === "Tab" ||
      event.target instanceof HTMLInputElement ||
      event.target instanceof HTMLButtonElement ||
      isBrowserKey(event);
    if (this.drawer.type(event) || !isNative) event.preventDefault();
  }

  private openPanel(command: PanelCommand): void {
    this.controller.run(command);
    if (this.drawer.isOpen) this.drawer.focus();
  }

  /** Keys that mean what they mean everywhere: the browser's own, and a focused button's. */
  private isNative(event: KeyboardEvent, command: Command | null): boolean {
    if (command?.do === "span") {
      const hasSpan = this.controller.adjacentSpan(command.by) !== null;
      return !hasSpan || event.target !== this.root;
    }
    const isPress = event.key === "Enter" || event.key === " ";
    if (isPress && event.target instanceof HTMLButtonElement) return true;
    return command === null && isBrowserKey(event);
  }

  /** Up and down walk through lines where there is a caret, and through analyses where there is none. */
  private get leafs(): boolean {
    const { setup, cursor } = this.controller;
    return setup.advises && cursor.caret === null;
  }

  private carryOut(command: Command): void {
    switch (command.do) {
      case "help":
        return this.toggleHelp();
      case "filter":
        return this.bar.focusFilter();
      case "leave":
        return this.leave();
      case "note":
        return this.note.open();
      case "list":
      case "everywhere":
        return this.openPanel(command);
      case "resize": {
        const by = this.surface.isRightToLeft ? (-command.by as 1 | -1) : command.by;
        return this.controller.resizeSpan(command.edge, by);
      }
      case "sideways": {
        const by = this.surface.isRightToLeft ? (-command.by as 1 | -1) : command.by;
        return this.controller.stepCaret(by, command.extend);
      }
      case "sureness":
        return this.sureness.focus();
      case "line":
        if (!command.extend && this.leafs) return this.controller.run({ do: "leaf", by: command.by });
        return this.surface.goToLine(command.by, command.extend);
      case "line-edge":
        return this.surface.goToLineEdge(command.side, command.extend);
      default:
        return this.controller.run(command);
    }
  }

  /** First out of the selection, then out of the widget. */
  private leave(): void {
    if (this.controller.currentNotice.text !== "") this.controller.notify(NO_NOTICE);
    if (this.controller.cursor.caret !== null) return this.controller.setCursor(NO_CURSOR);
    const focused = this.root.querySelector(":focus") ?? this.root;
    (focused as HTMLElement).blur();
  }

  private toggleHelp(): void {
    if (this.help.isOpen) this.help.close();
    else this.help.open();
    this.root.focus({ preventScroll: true });
  }
}

/**
 * How many lines of text the frame has room for: as many as most examples at
 * hand need, within bounds. It is settled once, so that nothing moves later.
 */
function linesFor({ items }: AnnotatorController): number {
  const lines = items.map(({ task }) => linesOf(task)).sort((a, b) => a - b);
  const most = lines[Math.floor(lines.length * 0.8)] ?? 0;
  return Math.min(12, Math.max(5, most + 1));
}

function linesOf(task: Task): number {
  const text = task.tokens.map(([word, gap]) => word + gap).join("");
  const lines = text.split("\n").map((one) => Math.max(1, Math.ceil(one.length / LETTERS)));
  return lines.reduce((sum, count) => sum + count, 0);
}

/** Letters in a line, less what the names of labels take. */
const LETTERS = 64;
