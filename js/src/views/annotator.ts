/** Puts the widget together in one place of the page, and takes it away again without a trace. */
import type { Controller, Part } from "../core/controller";
import { belongsToBrowser, commandOf, type Command } from "../core/keys";
import { NOWHERE } from "../core/cursor";
import type { Off } from "../core/port";
import type { Task } from "../core/protocol";
import { LabelBar } from "./bar";
import { Decisions } from "./decisions";
import { make, setAttributes, setText } from "./dom";
import { Help } from "./help";
import { Status } from "./status";
import { Surface } from "./surface";

const EVERYTHING: ReadonlySet<Part> = new Set<Part>([
  "setup",
  "example",
  "spans",
  "cursor",
  "label",
  "answer",
  "progress",
  "save",
]);

export function mount(place: HTMLElement, controller: Controller): Off {
  const view = new AnnotatorView(controller);
  place.append(view.root);
  return () => view.dispose();
}

class AnnotatorView {
  readonly root: HTMLElement;
  private readonly surface: Surface;
  private readonly bar: LabelBar;
  private readonly decisions: Decisions;
  private readonly status: Status;
  private readonly help: Help;
  private readonly live = make("div", "live", { "aria-live": "polite" });
  private readonly unsubscribe: Off;

  constructor(private readonly controller: Controller) {
    const mac = /mac|iphone|ipad/i.test(navigator.platform);
    const leave = (): void => this.root.focus({ preventScroll: true });
    this.surface = new Surface(controller);
    this.bar = new LabelBar(controller, mac, leave);
    this.decisions = new Decisions(controller, mac, leave);
    this.help = new Help(controller, mac);
    this.status = new Status(controller, () => this.toggleHelp());
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
    const { status, bar, surface, decisions, help, live } = this;
    const root = make(
      "div",
      "root",
      {
        "data-nbner": "annotator",
        // JupyterLab's shortcuts listen before the event gets here; this tells them not to.
        "data-lm-suppress-shortcuts": "true",
        role: "application",
        tabindex: "0",
      },
      status.hair,
      status.head,
      bar.element,
      surface.element,
      status.info,
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
    // With two views on the page, only the one that is worked in speaks.
    const isWorkedIn = root.matches(":focus-within");
    if (parts.has("said") && isWorkedIn) setText(this.live, controller.said);
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
    if (this.bar.owns(event.target)) {
      if (this.bar.type(event.key)) event.preventDefault();
      return;
    }
    const command = commandOf(event, this.controller.setup.labels.length);
    if (this.isNative(event, command)) return;
    event.preventDefault();
    if (command !== null) this.carryOut(command);
  }

  /** Keys that mean what they mean everywhere: the browser's own, and a focused button's. */
  private isNative(event: KeyboardEvent, command: Command | null): boolean {
    if (command?.do === "span") {
      const hasSpan = this.controller.spanBeside(command.by) !== null;
      return !hasSpan || event.target !== this.root;
    }
    const isPress = event.key === "Enter" || event.key === " ";
    if (isPress && event.target instanceof HTMLButtonElement) return true;
    return command === null && belongsToBrowser(event);
  }

  private carryOut(command: Command): void {
    switch (command.do) {
      case "help":
        return this.toggleHelp();
      case "filter":
        return this.bar.focusFilter();
      case "leave":
        return this.leave();
      case "sideways": {
        const by = this.surface.isRightToLeft ? (-command.by as 1 | -1) : command.by;
        return this.controller.step(by, command.extend);
      }
      case "line":
        return this.surface.goToLine(command.by, command.extend);
      case "line-edge":
        return this.surface.goToLineEdge(command.side, command.extend);
      default:
        return this.controller.run(command);
    }
  }

  /** First out of the selection, then out of the widget. */
  private leave(): void {
    if (this.controller.cursor.caret !== null) return this.controller.moveTo(NOWHERE);
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
function linesFor({ items }: Controller): number {
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
