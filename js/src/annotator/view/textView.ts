/** The text: tokens, marks, caret and selection. It scrolls inside, so that nothing below it moves. */
import { createButton, createElement, createIcon, setAttributes, setLabelColor, setText } from "../../shared/dom";
import type { Unsubscribe } from "../../shared/environment";
import { pluralize } from "../../shared/format";
import type { Task } from "../../shared/protocol";
import type { EffectScope } from "../../shared/reactive";
import type { TokenRange } from "../../shared/tokens";
import type { AnnotatorController } from "../model/controller";
import { clickedAt, moveCaret, NO_CURSOR, selectedRange, selectionOf } from "../model/cursor";
import { differencesOf } from "../model/differences";
import type { QueueItem } from "../model/exampleQueue";
import type { Span } from "../model/spans";
import { selectionIn, textIn } from "./domRanges";
import { renderEmptyState } from "./emptyState";
import { listenForGestures } from "./gestures";
import { centerOf, lineEdge, tokenOnNextLine } from "./lineNavigation";
import { SpanMarks } from "./marks";
import { Overlay, type OverlayShapes } from "./overlay";
import { ParagraphChunks } from "./paragraphChunks";
import { boxesOf, isRightToLeft, RangeHighlight, renderTokens, scrollTo } from "./tokenText";

/** How often scrolling to the caret is repeated while the text around it is laid out. */
const MAX_SCROLL_TRIES = 8;

export class TextView {
  readonly element: HTMLElement;
  private readonly words = createElement("div", "words");
  private readonly misaligned = createElement("div", "loose");
  private readonly before = createElement("div", "context");
  private readonly after = createElement("div", "context");
  private readonly done = new RangeHighlight("data-done");
  private readonly emptyState = createElement("div", "panel");
  private readonly removeButton: HTMLButtonElement;
  private readonly overlay: Overlay;
  private readonly marks: SpanMarks;
  private readonly chunks = new ParagraphChunks(this.words);
  private readonly selection = new RangeHighlight("data-selected");
  private readonly preview = new RangeHighlight("data-preview");
  private tokens: readonly HTMLElement[] = [];
  private drawnItem: QueueItem | null = null;
  private drawnTokens: Task["tokens"] | null = null;
  private differing: readonly HTMLElement[] = [];
  private drawnVersions: Task["versions"];
  private comparedTokens: readonly HTMLElement[] = [];
  private caret: HTMLElement | null = null;
  /** The span under the mouse pointer. */
  private hovered: Span | null = null;
  /** The range that letting go of the mouse would label. */
  private dragged: TokenRange | null = null;
  /** The horizontal position that the caret returns to on lines that are long enough. */
  private goalX: number | null = null;
  private frame = 0;
  private readonly unsubscribers: Unsubscribe[];

  constructor(
    private readonly controller: AnnotatorController,
    effects: EffectScope,
  ) {
    this.marks = new SpanMarks(controller, []);
    this.removeButton = createButton("remove", { tabindex: "-1" }, [createIcon("cross")], () => this.removeSpan());
    this.overlay = new Overlay(this.removeButton);
    const parts = [this.before, this.words, this.after, this.misaligned, this.emptyState, this.overlay.element];
    this.element = createElement("div", "text", {}, ...parts);
    this.element.addEventListener("pointerover", (event) => this.hover(event.target));
    this.element.addEventListener("pointerleave", () => this.hover(null));
    this.unsubscribers = [this.listenForGestures(), this.watchSize()];
    effects.run(() => this.showContext());
    // One effect for all three: marks need the tokens, and the caret needs the marks.
    effects.run(() => {
      this.showText();
      this.showDifferences();
      this.marks.setSpans(controller.spans);
      this.showDone();
      this.showCursor();
    });
    effects.run(() => this.showEmptyState());
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.unsubscribers.forEach((unsubscribe) => unsubscribe());
    this.marks.dispose();
  }

  /** Move the caret to the line above or below; without a caret, to the beginning of the text. */
  goToLine(by: 1 | -1, extend: boolean): void {
    const { controller, tokens } = this;
    const { caret } = controller.cursor;
    if (caret === null) return controller.stepCaret(by, extend);
    const goalX = this.goalX ?? centerOf(tokens, caret);
    const token = tokenOnNextLine(tokens, caret, by, goalX, controller.grid);
    if (token !== null) controller.setCursor(moveCaret(controller.cursor, token, extend));
    this.goalX = goalX;
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

  // Rendering.

  private showText(): void {
    const item = this.controller.shown;
    const task = item?.task ?? null;
    if (item !== this.drawnItem) this.element.scrollTop = 0;
    this.drawnItem = item;
    if (task !== null && task.tokens === this.drawnTokens) return;
    this.drawnTokens = task?.tokens ?? null;
    const [text, tokens] = renderTokens(task);
    this.tokens = tokens;
    this.caret = this.hovered = this.dragged = null;
    [this.marks, this.selection, this.preview, this.done].forEach((one) => one.reset(tokens));
    // Mark the tokens before they are in the page, which would be updated at every step.
    this.marks.setSpans(this.controller.spans);
    this.words.replaceChildren(text);
    this.chunks.reset();
    this.showMisaligned(task);
  }

  /** Show what stands before and after the text in its document. */
  private showContext(): void {
    const [before, after] = this.controller.shown?.task.context ?? ["", ""];
    for (const [element, text] of [[this.before, before], [this.after, after]] as const) {
      setText(element, text);
      element.hidden = text === "";
    }
  }

  private showDone(): void {
    const done = this.controller.shown?.state.done ?? 0;
    this.done.setRange(done === 0 ? null : { start: done - 1, end: done });
  }

  /** Mark the tokens on which the versions of a text under review differ. */
  private showDifferences(): void {
    const versions = this.controller.shown?.task.versions;
    if (versions === this.drawnVersions && this.tokens === this.comparedTokens) return;
    this.differing.forEach((token) => token.removeAttribute("data-differs"));
    const ranges = differencesOf(versions ?? []);
    this.differing = ranges.flatMap(({ start, end }) => this.tokens.slice(start, end));
    this.differing.forEach((token) => token.setAttribute("data-differs", ""));
    this.drawnVersions = versions;
    this.comparedTokens = this.tokens;
  }

  /** List the spans that do not fit the tokens, since no mark can show them. */
  private showMisaligned(task: Task | null): void {
    const misaligned = task?.loose ?? [];
    this.misaligned.hidden = misaligned.length === 0;
    const verb = misaligned.length === 1 ? "does" : "do";
    const list = misaligned.map(({ text, label }) => `${label} “${text}”`).join(", ");
    setText(this.misaligned, `${pluralize(misaligned.length, "span")} ${verb} not fit the tokens: ${list}`);
  }

  private showEmptyState(): void {
    const isEmpty = this.controller.shown === null;
    this.words.hidden = isEmpty;
    this.emptyState.hidden = !isEmpty;
    if (isEmpty) renderEmptyState(this.emptyState, this.controller);
  }

  private showCursor(): void {
    const { cursor } = this.controller;
    const range = selectedRange(cursor);
    const caret = cursor.caret === null ? null : (this.tokens[cursor.caret] ?? null);
    if (this.caret !== caret) this.caret?.removeAttribute("data-caret");
    if (caret !== null) setAttributes(caret, { "data-caret": range === null ? "place" : "" });
    this.caret = caret;
    this.goalX = null;
    this.marks.setCurrent(this.selectedSpan);
    this.selection.setRange(range);
    this.scheduleOverlay(caret !== null);
  }

  /** The span that is selected as a whole: a label key changes its label. */
  private get selectedSpan(): Span | null {
    const { cursor, currentSpan } = this.controller;
    const range = selectedRange(cursor);
    const isWhole = range?.start === currentSpan?.start && range?.end === currentSpan?.end;
    return isWhole ? currentSpan : null;
  }

  /** Draw the overlay once the page is laid out; on request, scroll the caret into view. */
  private scheduleOverlay(scrollToCaret = false, tries = MAX_SCROLL_TRIES): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.chunks.update();
      const hasScrolled = scrollToCaret && this.caret !== null && scrollTo(this.element, this.caret);
      this.labelRemoveButton();
      this.overlay.draw(this.overlayShapes());
      // Paragraphs that come into view are laid out only now, and may move the caret out of it again.
      if (hasScrolled && tries > 0) this.scheduleOverlay(true, tries - 1);
    });
  }

  private overlayShapes(): OverlayShapes {
    const range = selectedRange(this.controller.cursor);
    const span = this.selectedSpan;
    const isWide = range !== null && range.end - range.start > 1 && span === null;
    return {
      ring: span === null ? [...(this.caret?.getClientRects() ?? [])] : this.marks.boxesOf(span),
      isClicked: range === null,
      tint: boxesOf(this.tokens, this.dragged ?? (isWide ? range : null)),
      removeAt: this.marks.boxesOf(this.hovered ?? span).at(-1) ?? null,
      isRightToLeft: isRightToLeft(this.tokens[(this.hovered ?? span)?.end ?? 0]),
    };
  }

  private watchSize(): Unsubscribe {
    const observer = new ResizeObserver(() => this.scheduleOverlay());
    observer.observe(this.words);
    return () => observer.disconnect();
  }

  // Mouse and touch.

  private listenForGestures(): Unsubscribe {
    return listenForGestures(this.element, {
      tokens: () => this.tokens,
      preview: (range) => this.showPreview(range),
      label: (range) => this.controller.labelRange(range),
      select: (range) => this.controller.setCursor(selectionOf(range)),
      click: (token, target) => this.click(token, target),
    });
  }

  private showPreview(range: TokenRange | null): void {
    const { setup, activeLabel } = this.controller;
    setLabelColor(this.overlay.element, setup, activeLabel ?? "");
    setAttributes(this.overlay.element, { "data-dragging": range === null ? null : "" });
    this.preview.setRange(range);
    this.dragged = range;
    this.scheduleOverlay();
  }

  private click(token: number | null, target: EventTarget | null): void {
    const { controller } = this;
    const span = this.marks.spanOf(target);
    if (span !== null) controller.setCursor(selectionOf(span));
    else controller.setCursor(token === null ? NO_CURSOR : clickedAt(token));
  }

  private hover(target: EventTarget | null): void {
    // On the way from a mark to its remove button the pointer may cross other words.
    if (target instanceof Node && this.removeButton.contains(target)) return;
    const span = this.marks.spanOf(target);
    if (span === this.hovered) return;
    this.hovered = span;
    this.scheduleOverlay();
  }

  private labelRemoveButton(): void {
    const span = this.hovered ?? this.selectedSpan;
    if (span === null) return;
    const text = this.controller.textOf(span);
    setAttributes(this.removeButton, { "aria-label": `Remove ${span.label} from ${text}` });
  }

  private removeSpan(): void {
    const span = this.hovered ?? this.selectedSpan;
    this.hovered = null;
    if (span !== null) this.controller.removeSpan(span);
  }

  /**
   * Copy the text itself: without the labels' names, and with line breaks as
   * they are. A selection by key is not the browser's own, but copied like one.
   * Its event goes to the element with the focus, which lies around the text.
   */
  copy(event: ClipboardEvent): void {
    const domRange = selectionIn(this.element);
    const range = selectedRange(this.controller.cursor);
    const text = domRange === null ? range && this.controller.textOf(range) : textIn(domRange);
    if (text === null) return;
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  }
}
