/** The text: tokens, marks, caret, selection. It scrolls inside, so that nothing below it moves. */
import type { Controller, Part } from "../core/controller";
import { place, over, selected, to } from "../core/cursor";
import type { Off } from "../core/port";
import type { Task } from "../core/protocol";
import type { Stretch } from "../core/spans";
import { plural } from "../core/words";
import { make, setAttributes, setText } from "./dom";
import { lineEdge, middleOf, tokenOnNextLine } from "./lines";
import { Marks } from "./marks";
import { Paint } from "./paint";
import { directionOf } from "./direction";
import { drawPanel } from "./panel";
import { listenForGestures } from "./pointer";

export class Surface {
  readonly element: HTMLElement;
  private readonly words = make("div", "words");
  private readonly loose = make("div", "loose");
  private readonly panel = make("div", "panel");
  private tokens: readonly HTMLElement[] = [];
  private drawn: Task["tokens"] | null = null;
  private readonly marks: Marks;
  private readonly selection = new Paint("data-selected", []);
  private readonly preview = new Paint("data-preview", []);
  private caret: HTMLElement | null = null;
  private wasOpen = true;
  /** Where the caret would like to be on lines that are too short. */
  private goal: number | null = null;
  private frame = 0;
  private readonly offs: Off[];

  constructor(private readonly controller: Controller) {
    this.marks = new Marks(controller, []);
    this.element = make("div", "text", {}, this.words, this.loose, this.panel);
    this.offs = [
      listenForGestures(this.element, {
        tokens: () => this.tokens,
        preview: (stretch) => this.showPreview(stretch),
        label: (stretch) => controller.label(stretch),
        click: (token, target) => this.click(token, target),
      }),
    ];
    this.element.addEventListener("copy", (event) => this.copy(event));
    this.element.addEventListener("pointerover", (event) => this.marks.hover(event.target));
    this.element.addEventListener("pointerleave", () => this.marks.hover(null));
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.offs.forEach((off) => off());
  }

  update(parts: ReadonlySet<Part>): void {
    if (parts.has("example")) this.showExample();
    if (parts.has("spans") || parts.has("example")) this.marks.draw(this.controller.spans);
    this.refreshMarks(parts.has("setup"));
    if (parts.has("cursor") || parts.has("example") || parts.has("spans")) this.showCursor();
    if (parts.has("progress") || parts.has("example") || parts.has("save")) this.showPanel();
  }

  /** Moves to the line above or below; from nowhere, to the text's beginning. */
  goToLine(by: 1 | -1, extend: boolean): void {
    const { controller, tokens } = this;
    const { caret } = controller.cursor;
    if (caret === null) return controller.step(by, extend);
    const goal = this.goal ?? middleOf(tokens, caret);
    const token = tokenOnNextLine(tokens, caret, by, goal, controller.ground);
    if (token !== null) controller.moveTo(to(controller.cursor, token, extend));
    this.goal = goal;
  }

  goToLineEdge(side: "start" | "end", extend: boolean): void {
    const { controller, tokens } = this;
    const { caret } = controller.cursor;
    if (caret === null) return controller.run({ do: "text-edge", side, extend });
    const { isBlank } = controller.ground;
    let token = lineEdge(tokens, caret, side === "start" ? -1 : 1);
    while (token !== caret && isBlank(token)) token += side === "start" ? 1 : -1;
    controller.moveTo(to(controller.cursor, token, extend));
  }

  get isRightToLeft(): boolean {
    return this.words.dir === "rtl";
  }

  private showExample(): void {
    const task = this.controller.shown?.task ?? null;
    this.goal = null;
    this.element.scrollTop = 0;
    this.caret = null;
    if (task !== null && task.tokens === this.drawn) return;
    this.drawn = task?.tokens ?? null;
    const [text, tokens] = writeText(task);
    this.tokens = tokens;
    [this.marks, this.selection, this.preview].forEach((one) => one.restart(tokens));
    // Marked before it comes into the page, which would follow every single step.
    this.marks.draw(this.controller.spans);
    this.words.dir = directionOf(text.textContent ?? "");
    this.words.replaceChildren(text);
    this.showLoose(task);
  }

  /** What is suggested looks so only while the example is open. */
  private refreshMarks(force: boolean): void {
    const { shown } = this.controller;
    const isOpen = shown === null || shown.state.answer === null;
    if (force || isOpen !== this.wasOpen) this.marks.refresh();
    this.wasOpen = isOpen;
  }

  /** Spans that no mark can show are said in words. */
  private showLoose(task: Task | null): void {
    const loose = task?.loose ?? [];
    this.loose.hidden = loose.length === 0;
    const verb = loose.length === 1 ? "does" : "do";
    const list = loose.map(({ text, label }) => `${label} “${text}”`).join(", ");
    setText(this.loose, `${plural(loose.length, "span")} ${verb} not fit the tokens: ${list}`);
  }

  private showPanel(): void {
    const isEmpty = this.controller.shown === null;
    this.words.hidden = isEmpty;
    this.panel.hidden = !isEmpty;
    if (isEmpty) drawPanel(this.panel, this.controller);
  }

  private showCursor(): void {
    const { cursor, current } = this.controller;
    const stretch = selected(cursor);
    const caret = cursor.caret === null ? null : (this.tokens[cursor.caret] ?? null);
    if (this.caret !== caret) this.caret?.removeAttribute("data-caret");
    if (caret !== null) setAttributes(caret, { "data-caret": stretch === null ? "place" : "" });
    this.caret = caret;
    this.goal = null;
    const isSpan = stretch !== null && stretch.start === current?.start && stretch.end === current.end;
    const isWide = stretch !== null && stretch.end - stretch.start > 1;
    this.selection.over(isWide && !isSpan ? stretch : null);
    this.marks.point(isSpan ? current : null);
    if (caret !== null) this.reveal(caret);
  }

  /** Scrolls the text so far that the caret is in view, once the page is laid out. */
  private reveal(caret: HTMLElement): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      const box = caret.getBoundingClientRect();
      const view = this.element.getBoundingClientRect();
      const above = box.top - box.height - view.top;
      const below = box.bottom + box.height - view.bottom;
      if (above < 0) this.element.scrollTop += above;
      else if (below > 0) this.element.scrollTop += below;
    });
  }

  private showPreview(stretch: Stretch | null): void {
    const { setup, active } = this.controller;
    this.words.style.setProperty("--nbner-hue", setup.colors[active ?? ""] ?? "#8a8a8a");
    this.preview.over(stretch);
  }

  private click(token: number | null, target: EventTarget | null): void {
    const { controller } = this;
    const mark = target instanceof Element ? target.closest("[data-span]") : null;
    if (token === null) return controller.moveTo({ caret: null, anchor: null });
    controller.moveTo(place(token));
    const { current } = controller;
    if (mark !== null && current !== null) controller.moveTo(over(current));
  }

  /** What is selected by key is not the browser's selection, but is copied like one. */
  private copy(event: ClipboardEvent): void {
    const stretch = selected(this.controller.cursor);
    if (stretch === null || getSelection()?.isCollapsed === false) return;
    event.clipboardData?.setData("text/plain", this.controller.textOf(stretch));
    event.preventDefault();
  }
}

/** Writes a text apart from the page, with the element of each token. */
function writeText(task: Task | null): [DocumentFragment, HTMLElement[]] {
  const text = document.createDocumentFragment();
  if (task?.lead) text.append(task.lead);
  const tokens = (task?.tokens ?? []).map(([word, gap], i) => {
    const token = document.createElement("span");
    token.setAttribute("data-token", String(i));
    token.textContent = word;
    text.append(token);
    if (gap) text.append(gap);
    return token;
  });
  return [text, tokens];
}
