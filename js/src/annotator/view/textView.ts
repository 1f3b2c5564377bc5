/** The text: tokens, marks, caret, selection. It scrolls inside, so that nothing below it moves. */
import type { Controller, Part } from "../model/controller";
import { NOWHERE, over, place, selected, to } from "../model/cursor";
import type { Off } from "../../shared/environment";
import type { Task } from "../../shared/protocol";
import type { Span, Stretch } from "../model/spans";
import { plural } from "../../shared/format";
import { button, icon, make, setAttributes, setHue, setText } from "../../shared/dom";
import { Folding } from "./paragraphChunks";
import { lineEdge, middleOf, tokenOnNextLine } from "./lineNavigation";
import { Marks } from "./marks";
import { Overlay, type Drawing } from "./overlay";
import { Paint } from "./rangeHighlight";
import { drawPanel } from "./emptyState";
import { listenForGestures } from "./gestures";
import { selectedIn, textIn } from "./domRanges";
import { boxesOf, isRightToLeft, scrollTo, writeText } from "./tokenText";

/** How often the caret is looked for again while what lies around it is laid out. */
const REVEALS = 8;

export class Surface {
  readonly element: HTMLElement;
  private readonly words = make("div", "words");
  private readonly loose = make("div", "loose");
  private readonly panel = make("div", "panel");
  private readonly cross: HTMLButtonElement;
  private readonly overlay: Overlay;
  private readonly marks: Marks;
  private readonly folding = new Folding(this.words);
  private readonly selection = new Paint("data-selected", []);
  private readonly preview = new Paint("data-preview", []);
  private tokens: readonly HTMLElement[] = [];
  private drawn: Task["tokens"] | null = null;
  private wasOpen = true;
  private caret: HTMLElement | null = null;
  /** The span that is pointed at with the mouse. */
  private hovered: Span | null = null;
  /** What letting go of the mouse would label. */
  private dragged: Stretch | null = null;
  /** Where the caret would like to be on lines that are too short. */
  private goal: number | null = null;
  private frame = 0;
  private readonly offs: Off[];

  constructor(private readonly controller: Controller) {
    this.marks = new Marks(controller, []);
    this.cross = button("remove", { tabindex: "-1" }, [icon("cross")], () => this.removeSpan());
    this.overlay = new Overlay(this.cross);
    const parts = [this.words, this.loose, this.panel, this.overlay.element];
    this.element = make("div", "text", {}, ...parts);
    this.element.addEventListener("copy", (event) => this.copy(event));
    this.element.addEventListener("pointerover", (event) => this.hover(event.target));
    this.element.addEventListener("pointerleave", () => this.hover(null));
    this.offs = [this.listenForGestures(), this.watchSize()];
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.offs.forEach((off) => off());
  }

  update(parts: ReadonlySet<Part>): void {
    const has = (...some: Part[]): boolean => some.some((part) => parts.has(part));
    if (has("example")) this.showExample();
    if (has("spans", "example")) this.marks.draw(this.controller.spans);
    this.refreshMarks(has("setup", "advice"));
    if (has("cursor", "example", "spans")) this.showCursor();
    if (has("progress", "example", "save")) this.showPanel();
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
    return isRightToLeft(this.tokens[this.controller.cursor.caret ?? 0]);
  }

  // Showing.

  private showExample(): void {
    const task = this.controller.shown?.task ?? null;
    this.element.scrollTop = 0;
    if (task !== null && task.tokens === this.drawn) return;
    this.drawn = task?.tokens ?? null;
    const [text, tokens] = writeText(task);
    this.tokens = tokens;
    this.caret = this.hovered = this.dragged = null;
    [this.marks, this.selection, this.preview].forEach((one) => one.restart(tokens));
    // Marked before it comes into the page, which would follow every single step.
    this.marks.draw(this.controller.spans);
    this.words.replaceChildren(text);
    this.folding.restart();
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
    const { cursor } = this.controller;
    const stretch = selected(cursor);
    const caret = cursor.caret === null ? null : (this.tokens[cursor.caret] ?? null);
    if (this.caret !== caret) this.caret?.removeAttribute("data-caret");
    if (caret !== null) setAttributes(caret, { "data-caret": stretch === null ? "place" : "" });
    this.caret = caret;
    this.goal = null;
    this.marks.point(this.selectedSpan);
    this.selection.over(stretch);
    this.redraw(caret !== null);
  }

  /** The span that is selected as a whole: a label key would change it. */
  private get selectedSpan(): Span | null {
    const { cursor, current } = this.controller;
    const stretch = selected(cursor);
    const isWhole = stretch?.start === current?.start && stretch?.end === current?.end;
    return isWhole ? current : null;
  }

  /** Draws rings and tints once the page is laid out, and brings the caret into view. */
  private redraw(reveal = false, tries = REVEALS): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.folding.follow();
      const isFar = reveal && this.caret !== null && scrollTo(this.element, this.caret);
      this.nameCross();
      this.overlay.draw(this.drawing());
      // What comes into view is only laid out now, and may move the caret out of it again.
      if (isFar && tries > 0) this.redraw(true, tries - 1);
    });
  }

  private drawing(): Drawing {
    const stretch = selected(this.controller.cursor);
    const span = this.selectedSpan;
    const isWide = stretch !== null && stretch.end - stretch.start > 1 && span === null;
    return {
      ring: span === null ? [...(this.caret?.getClientRects() ?? [])] : this.marks.boxesOf(span),
      isPlace: stretch === null,
      tint: boxesOf(this.tokens, this.dragged ?? (isWide ? stretch : null)),
      cross: this.marks.boxesOf(this.hovered ?? span).at(-1) ?? null,
      isRightToLeft: isRightToLeft(this.tokens[(this.hovered ?? span)?.end ?? 0]),
    };
  }

  private watchSize(): Off {
    const observer = new ResizeObserver(() => this.redraw());
    observer.observe(this.words);
    return () => observer.disconnect();
  }

  // The mouse.

  private listenForGestures(): Off {
    return listenForGestures(this.element, {
      tokens: () => this.tokens,
      preview: (stretch) => this.showPreview(stretch),
      label: (stretch) => this.controller.label(stretch),
      select: (stretch) => this.controller.moveTo(over(stretch)),
      click: (token, target) => this.click(token, target),
    });
  }

  private showPreview(stretch: Stretch | null): void {
    const { setup, active } = this.controller;
    setHue(this.overlay.element, setup.colors[active ?? ""]);
    setAttributes(this.overlay.element, { "data-dragging": stretch === null ? null : "" });
    this.preview.over(stretch);
    this.dragged = stretch;
    this.redraw();
  }

  private click(token: number | null, target: EventTarget | null): void {
    const { controller } = this;
    const span = this.marks.spanOf(target);
    if (span !== null) controller.moveTo(over(span));
    else controller.moveTo(token === null ? NOWHERE : place(token));
  }

  private hover(target: EventTarget | null): void {
    // From its mark to the cross is a way over other words, perhaps.
    if (target instanceof Node && this.cross.contains(target)) return;
    const span = this.marks.spanOf(target);
    if (span === this.hovered) return;
    this.hovered = span;
    this.redraw();
  }

  private nameCross(): void {
    const span = this.hovered ?? this.selectedSpan;
    if (span === null) return;
    const words = this.controller.textOf(span);
    setAttributes(this.cross, { "aria-label": `Remove ${span.label} from ${words}` });
  }

  private removeSpan(): void {
    const span = this.hovered ?? this.selectedSpan;
    this.hovered = null;
    if (span !== null) this.controller.removeSpan(span);
  }

  /**
   * Copies the text itself: without the labels' names, and with line breaks as
   * they are. What is selected by key is not the browser's selection, but is
   * copied like one.
   */
  private copy(event: ClipboardEvent): void {
    const range = selectedIn(this.element);
    const stretch = selected(this.controller.cursor);
    const words = range === null ? stretch && this.controller.textOf(stretch) : textIn(range);
    if (words === null) return;
    event.clipboardData?.setData("text/plain", words);
    event.preventDefault();
  }
}
