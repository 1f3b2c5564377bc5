/** Edits the spans of the example shown: caret, selection and active label. */
import { formatProbability } from "../../shared/format";
import { computed, reactive } from "../../shared/reactive";
import { isBlank, singleToken, textOfRange, type TokenGrid, type TokenRange } from "../../shared/tokens";
import type { AnnotatorContext } from "./context";
import * as cursors from "./cursor";
import type { Cursor } from "./cursor";
import * as spans from "./spans";
import type { Span, Spans } from "./spans";

type SpanEditorContext = Pick<AnnotatorContext, "shown" | "edit" | "announce">;

/** From this confidence on, a suggestion is not stopped at. */
const SURE = 0.9;

const NO_SPANS: Spans = [];

export class SpanEditor {
  private readonly state = reactive<{ cursor: Cursor; activeLabel: string | null }>({
    cursor: cursors.NO_CURSOR,
    activeLabel: null,
  });
  private readonly shownSpans = computed(() => this.context.shown?.state.spans ?? NO_SPANS);
  private readonly spanAtCaret = computed(() => {
    const { caret } = this.cursor;
    return caret === null ? null : spans.spanAt(this.spans, caret);
  });

  constructor(private readonly context: SpanEditorContext) {}

  get cursor(): Cursor {
    return this.state.cursor;
  }

  /** The label that a drag assigns. */
  get activeLabel(): string | null {
    return this.state.activeLabel;
  }

  get spans(): Spans {
    return this.shownSpans.value;
  }

  get grid(): TokenGrid {
    const tokens = this.context.shown?.task.tokens ?? [];
    return { size: tokens.length, isBlank: (token) => isBlank(tokens[token]?.[0] ?? "") };
  }

  /** The span under the caret: a label key changes its label. */
  get currentSpan(): Span | null {
    return this.spanAtCaret.value;
  }

  textOf(range: TokenRange): string {
    return textOfRange(this.context.shown?.task.tokens ?? [], range);
  }

  /** Make the first label the active one, unless the active one is among the labels. */
  ensureActiveLabel(labels: readonly string[]): void {
    if (this.activeLabel === null || !labels.includes(this.activeLabel)) this.state.activeLabel = labels[0] ?? null;
  }

  /** Label the selection; without one, only make the label the active one. */
  pickLabel(label: string): void {
    this.state.activeLabel = label;
    const range = cursors.selectedRange(this.cursor);
    if (range !== null) this.toggleLabel(range, label);
    else this.context.announce(`${label} is the active label`);
  }

  /** Assign the active label to a range and leave nothing selected, as after a drag. */
  labelRange(range: TokenRange): void {
    const trimmed = this.trimRange(range);
    if (trimmed === null || this.activeLabel === null) return;
    const span = { ...trimmed, label: this.activeLabel };
    if (!spans.hasSpan(this.spans, span)) this.context.edit(spans.addSpan(this.spans, span));
    this.setCursor(cursors.clickedAt(trimmed.end - 1));
    this.announceSpan(span);
  }

  labelSelection(): void {
    const { range } = this;
    if (this.activeLabel !== null && range !== null) this.toggleLabel(range, this.activeLabel);
  }

  removeSpan(span: Span): void {
    this.context.edit(spans.removeOverlapping(this.spans, span));
    this.context.announce(`${span.label} removed from ${this.textOf(span)}`);
  }

  /** Remove the spans under the caret or in the selection. */
  removeSelected(): void {
    const { range } = this;
    if (range === null) return;
    const removed = spans.overlapping(this.spans, range).map(({ label }) => label);
    this.context.edit(spans.removeOverlapping(this.spans, range));
    this.context.announce(removed.length === 0 ? "No span here" : `${removed.join(", ")} removed`);
  }

  /** Move one end of the span under the caret. */
  resize(edge: "start" | "end", by: 1 | -1): void {
    const { currentSpan } = this;
    if (currentSpan === null) return this.context.announce("No span here");
    const resized = spans.resizeSpan(this.spans, currentSpan, edge, by, this.grid);
    if (resized === null) return this.context.announce("No further");
    this.context.edit(spans.addSpan(spans.removeOverlapping(this.spans, currentSpan), resized));
    this.setCursor(cursors.selectionOf(resized));
    this.announceSpan(resized);
  }

  /** Add a suggestion in place of what it overlaps. */
  takeSuggestion(span: Span): void {
    this.context.edit(spans.addSpan(this.spans, span));
    this.setCursor(cursors.selectionOf(span));
    this.announceSpan(span);
  }

  resetCursor(): void {
    this.state.cursor = cursors.NO_CURSOR;
  }

  setCursor(cursor: Cursor): void {
    if (cursors.sameCursor(cursor, this.cursor)) return;
    this.state.cursor = cursor;
    const range = cursors.selectedRange(cursor);
    if (range === null) return;
    const { currentSpan } = this;
    this.context.announce(this.textOf(range) + (currentSpan === null ? "" : `, ${currentSpan.label}`));
  }

  /** Move the caret by one token in reading order. */
  stepCaret(by: 1 | -1, extend: boolean): void {
    this.setCursor(cursors.stepCaret(this.cursor, by, extend, this.grid));
  }

  goToTextEdge(side: "start" | "end", extend: boolean): void {
    const token = cursors.edgeToken(side, this.grid);
    if (token !== null) this.setCursor(cursors.moveCaret(this.cursor, token, extend));
  }

  goToSpan(by: 1 | -1): void {
    const adjacent = this.adjacentSpan(by);
    if (adjacent !== null) this.setCursor(cursors.selectionOf(adjacent));
  }

  /** Select the next suggestion that the model is not sure of, from the caret on and then from the beginning. */
  goToUnsure(): void {
    const unsure = this.spans.filter(({ score }) => score !== undefined && score < SURE);
    const caret = cursors.selectedRange(this.cursor)?.start ?? this.cursor.caret ?? -1;
    const next = unsure.find(({ start }) => start > caret) ?? unsure[0];
    const least = formatProbability(SURE);
    if (next === undefined) return this.context.announce(`Every suggestion here is at least ${least} sure`);
    this.setCursor(cursors.selectionOf(next));
  }

  /** Return the next span from the caret in a direction. */
  adjacentSpan(by: 1 | -1): Span | null {
    const { caret } = this.cursor;
    const from = by === 1 ? caret : (cursors.selectedRange(this.cursor)?.start ?? caret);
    return spans.nextSpan(this.spans, from, by);
  }

  private get range(): TokenRange | null {
    const { caret } = this.cursor;
    return cursors.selectedRange(this.cursor) ?? (caret === null ? null : singleToken(caret));
  }

  /** Label a range, or remove the label it has; a single token inside a span means the whole span. */
  private toggleLabel(range: TokenRange, label: string): void {
    const isSingle = range.end - range.start === 1;
    const target = this.trimRange((isSingle && spans.spanAt(this.spans, range.start)) || range);
    if (target === null) return;
    const after = spans.toggleSpan(this.spans, target, label);
    this.context.edit(after);
    this.setCursor(cursors.selectionOf(target));
    const isLabeled = spans.hasSpan(after, { ...target, label });
    this.context.announce(isLabeled ? `${this.textOf(target)}: ${label}` : `${label} removed`);
  }

  private announceSpan(span: Span): void {
    this.context.announce(`${this.textOf(span)}: ${span.label}`);
  }

  private trimRange(range: TokenRange): TokenRange | null {
    const { size, isBlank } = this.grid;
    return spans.trimRange(range, size, isBlank);
  }
}
