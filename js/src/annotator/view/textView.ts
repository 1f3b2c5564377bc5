/** The text: tokens, marks, caret, selection. It scrolls inside, so that nothing below it moves. */
import {
  createButton,
  createElement,
  createIcon,
  setAttributes,
  setLabelColor,
  setText,
} from "../../shared/dom";
import type { Unsubscribe } from "../../shared/environment";
import { pluralize } from "../../shared/format";
import type { Task } from "../../shared/protocol";
import type { TokenRange } from "../../shared/tokens";
import type { AnnotatorController, Part } from "../model/controller";
import { clickedAt, moveCaret, NO_CURSOR, selectedRange, selectionOf } from "../model/cursor";
import type { Span } from "../model/spans";
import { selectionIn, textIn } from "./domRanges";
import { renderEmptyState } from "./emptyState";
import { listenForGestures } from "./gestures";
import { centerOf, lineEdge, tokenOnNextLine } from "./lineNavigation";
import { SpanMarks } from "./marks";
import { Overlay, type OverlayShapes } from "./overlay";
import { ParagraphChunks } from "./paragraphChunks";
import { RangeHighlight } from "./rangeHighlight";
import { boxesOf, isRightToLeft, renderTokens, scrollTo } from "./tokenText";

/** How often the caret is looked for again while what lies around it is laid out. */
const MAX_SCROLL_TRIES = 8;

export class TextView {
  readonly element: HTMLElement;
  private readonly words = createElement("div", "words");
  private readonly misaligned = createElement("div", "loose");
  private readonly emptyState = createElement("div", "panel");
  private readonly removeButton: HTMLButtonElement;
  private readonly overlay: Overlay;
  private readonly marks: SpanMarks;
  private readonly chunks = new ParagraphChunks(this.words);
  private readonly selection = new RangeHighlight("data-selected", []);
  private readonly preview = new RangeHighlight("data-preview", []);
  private tokens: readonly HTMLElement[] = [];
  private drawn: Task["tokens"] | null = null;
  private wasOpen = true;
  private caret: HTMLElement | null = null;
  /** The span that is pointed at with the mouse. */
  private hovered: Span | null = null;
  /** What letting go of the mouse would label. */
  private dragged: TokenRange | null = null;
  /** Where the caret would like to be on lines that are too short. */
  private goalX: number | null = null;
  private frame = 0;
  private readonly offs: Unsubscribe[];

  constructor(private readonly controller: AnnotatorController) {
    this.marks = new SpanMarks(controller, []);
    this.removeButton = createButton("remove", { tabindex: "-1" }, [createIcon("cross")], () => this.removeSpan());
    this.overlay = new Overlay(this.removeButton);
    const parts = [this.words, this.misaligned, this.emptyState, this.overlay.element];
    this.element = createElement("div", "text", {}, ...parts);
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
    if (has("spans", "example")) this.marks.setSpans(this.controller.spans);
    this.refreshMarks(has("setup", "advice"));
    if (has("cursor", "example", "spans")) this.showCursor();
    if (has("progress", "example", "save")) this.showEmptyState();
  }

  /** Moves to the line above or below; from nowhere, to the text's beginning. */
  goToLine(by: 1 | -1, extend: boolean): void {
    const { controller, tokens } = this;
    const { caret } = controller.cursor;
    if (caret === null) return controller.stepCaret(by, extend);
    const goal = this.goalX ?? centerOf(tokens, caret);
    const token = tokenOnNextLine(tokens, caret, by, goal, controller.grid);
    if (token !== null) controller.setCursor(moveCaret(controller.cursor, token, extend));
    this.goalX = goal;
  }

  goToLineEdge(side: "start" | "end", extend: boolean): void {
    const { controller, tokens } = this;
    const { caret } = controller.cursor;
    if (caret === null) return controller.run({ do: "text-edge", side, extend });
    const { isBlank } = controller.grid;
    let token = lineEdge(tokens, caret, side === "start" ? -1 : 1);
    while (token !== caret && isBlank(token)) token += side === "start" ? 1 : -1;
    controller.setCursor(moveCaret(controller.cursor, token, extend));
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
    const [text, tokens] = renderTokens(task);
    this.tokens = tokens;
    this.caret = this.hovered = this.dragged = null;
    [this.marks, this.selection, this.preview].forEach((one) => one.reset(tokens));
    // Marked before it comes into the page, which would follow every single step.
    this.marks.setSpans(this.controller.spans);
    this.words.replaceChildren(text);
    this.chunks.reset();
    this.showMisaligned(task);
  }

  /** What is suggested looks so only while the example is open. */
  private refreshMarks(force: boolean): void {
    const { shown } = this.controller;
    const isOpen = shown === null || shown.state.answer === null;
    if (force || isOpen !== this.wasOpen) this.marks.redecorate();
    this.wasOpen = isOpen;
  }

  /** Spans that no mark can show are said in words. */
  private showMisaligned(task: Task | null): void {
    const loose = task?.loose ?? [];
    this.misaligned.hidden = loose.length === 0;
    const verb = loose.length === 1 ? "does" : "do";
    const list = loose.map(({ text, label }) => `${label} “${text}”`).join(", ");
    setText(this.misaligned, `${pluralize(loose.length, "span")} ${verb} not fit the tokens: ${list}`);
  }

  private showEmptyState(): void {
    const isEmpty = this.controller.shown === null;
    this.words.hidden = isEmpty;
    this.emptyState.hidden = !isEmpty;
    if (isEmpty) renderEmptyState(this.emptyState, this.controller);
  }

  private showCursor(): void {
    const { cursor } = this.controller;
    const stretch = selectedRange(cursor);
    const caret = cursor.caret === null ? null : (this.tokens[cursor.caret] ?? null);
    if (this.caret !== caret) this.caret?.removeAttribute("data-caret");
    if (caret !== null) setAttributes(caret, { "data-caret": stretch === null ? "place" : "" });
    this.caret = caret;
    this.goalX = null;
    this.marks.setCurrent(this.selectedSpan);
    this.selection.setRange(stretch);
    this.scheduleOverlay(caret !== null);
  }

  /** The span that is selected as a whole: a label key would change it. */
  private get selectedSpan(): Span | null {
    const { cursor, currentSpan: current } = this.controller;
    const stretch = selectedRange(cursor);
    const isWhole = stretch?.start === current?.start && stretch?.end === current?.end;
    return isWhole ? current : null;
  }

  /** Draws rings and tints once the page is laid out, and brings the caret into view. */
  private scheduleOverlay(reveal = false, tries = MAX_SCROLL_TRIES): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.chunks.update();
      const isFar = reveal && this.caret !== null && scrollTo(this.element, this.caret);
      this.labelRemoveButton();
      this.overlay.draw(this.overlayShapes());
      // What comes into view is only laid out now, and may move the caret out of it again.
      if (isFar && tries > 0) this.scheduleOverlay(true, tries - 1);
    });
  }

  private overlayShapes(): OverlayShapes {
    const stretch = selectedRange(this.controller.cursor);
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

  private watchSize(): Unsubscribe {
    const observer = new ResizeObserver(() => this.scheduleOverlay());
    observer.observe(this.words);
    return () => observer.disconnect();
  }

  // The mouse.

  private listenForGestures(): Unsubscribe {
    return listenForGestures(this.element, {
      tokens: () => this.tokens,
      preview: (stretch) => this.showPreview(stretch),
      label: (stretch) => this.controller.labelRange(stretch),
      select: (stretch) => this.controller.setCursor(selectionOf(stretch)),
      click: (token, target) => this.click(token, target),
    });
  }

  private showPreview(stretch: TokenRange | null): void {
    const { setup, activeLabel: active } = this.controller;
    setLabelColor(this.overlay.element, setup.colors[active ?? ""]);
    setAttributes(this.overlay.element, { "data-dragging": stretch === null ? null : "" });
    this.preview.setRange(stretch);
    this.dragged = stretch;
    this.scheduleOverlay();
  }

  private click(token: number | null, target: EventTarget | null): void {
    const { controller } = this;
    const span = this.marks.spanOf(target);
    if (span !== null) controller.setCursor(selectionOf(span));
    else controller.setCursor(token === null ? NO_CURSOR : clickedAt(token));
  }

  private hover(target: EventTarget | null): void {
    // From its mark to the cross is a way over other words, perhaps.
    if (target instanceof Node && this.removeButton.contains(target)) return;
    const span = this.marks.spanOf(target);
    if (span === this.hovered) return;
    this.hovered = span;
    this.scheduleOverlay();
  }

  private labelRemoveButton(): void {
    const span = this.hovered ?? this.selectedSpan;
    if (span === null) return;
    const words = this.controller.textOf(span);
    setAttributes(this.removeButton, { "aria-label": `Remove ${span.label} from ${words}` });
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
    const range = selectionIn(this.element);
    const stretch = selectedRange(this.controller.cursor);
    const words = range === null ? stretch && this.controller.textOf(stretch) : textIn(range);
    if (words === null) return;
    event.clipboardData?.setData("text/plain", words);
    event.preventDefault();
  }
}
