/** Marking spans in the example shown: the caret, the selection, the active label. */
import * as cursors from "./cursor";
import type { TokenGrid, TokenRange } from "../../shared/tokens";
import type { Cursor } from "./cursor";
import type { QueueItem } from "./exampleQueue";
import type { Span, Spans } from "./spans";
import * as spans from "./spans";

export interface SpanEditorContext {
  readonly shown: QueueItem | null;
  edit(after: Spans): void;
  changed(part: "cursor" | "label"): void;
  announce(words: string): void;
}

export class SpanEditor {
  cursor: Cursor = cursors.NO_CURSOR;
  /** The label that a drag gives. */
  activeLabel: string | null = null;

  constructor(private readonly context: SpanEditorContext) {}

  get spans(): Spans {
    return this.context.shown?.state.spans ?? [];
  }

  get grid(): TokenGrid {
    const tokens = this.context.shown?.task.tokens ?? [];
    return { size: tokens.length, isBlank: (token) => (tokens[token]?.[0] ?? "").trim() === "" };
  }

  /** The span that a label key would change. */
  get currentSpan(): Span | null {
    return this.cursor.caret === null ? null : spans.spanAt(this.spans, this.cursor.caret);
  }

  textOf({ start, end }: TokenRange): string {
    const tokens = this.context.shown?.task.tokens.slice(start, end) ?? [];
    return tokens.map(([word, gap], i) => (i < tokens.length - 1 ? word + gap : word)).join("");
  }

  /** Keeps a label active that there is, the first at the start. */
  ensureActiveLabel(labels: readonly string[]): void {
    if (this.activeLabel === null || !labels.includes(this.activeLabel)) this.activeLabel = labels[0] ?? null;
  }

  /** Labels what is selected; where nothing is, makes the label the active one. */
  pickLabel(label: string): void {
    this.activeLabel = label;
    this.context.changed("label");
    const stretch = cursors.selectedRange(this.cursor);
    if (stretch !== null) this.toggleLabel(stretch, label);
    else this.context.announce(`${label} is the active label`);
  }

  /** Gives a stretch the active label and leaves nothing selected, as hands that drag expect. */
  labelRange(stretch: TokenRange): void {
    const trimmed = this.trimRange(stretch);
    if (trimmed === null || this.activeLabel === null) return;
    const span = { ...trimmed, label: this.activeLabel };
    if (!spans.hasSpan(this.spans, span)) this.context.edit(spans.addSpan(this.spans, span));
    this.setCursor(cursors.clickedAt(trimmed.end - 1));
    this.context.announce(`${this.textOf(span)}: ${span.label}`);
  }

  labelSelection(): void {
    const stretch = this.range;
    if (this.activeLabel !== null && stretch !== null) this.toggleLabel(stretch, this.activeLabel);
  }

  removeSpan(span: Span): void {
    this.context.edit(spans.removeOverlapping(this.spans, span));
    this.context.announce(`${span.label} removed from ${this.textOf(span)}`);
  }

  /** Removes the spans under the caret or in the selection. */
  removeSelected(): void {
    const stretch = this.range;
    if (stretch === null) return;
    const gone = spans.overlapping(this.spans, stretch).map(({ label }) => label);
    this.context.edit(spans.removeOverlapping(this.spans, stretch));
    this.context.announce(gone.length === 0 ? "No span here" : `${gone.join(", ")} removed`);
  }

  /** Moves one end of the span under the caret. */
  resize(edge: "start" | "end", by: 1 | -1): void {
    const { currentSpan: current } = this;
    if (current === null) return this.context.announce("No span here");
    const moved = spans.resizeSpan(this.spans, current, edge, by, this.grid);
    if (moved === null) return this.context.announce("No further");
    this.context.edit(spans.addSpan(spans.removeOverlapping(this.spans, current), moved));
    this.setCursor(cursors.selectionOf(moved));
    this.context.announce(`${this.textOf(moved)}: ${moved.label}`);
  }

  /** Puts a suggestion in the place of what it overlaps. */
  takeSuggestion(span: Span): void {
    this.context.edit(spans.addSpan(this.spans, span));
    this.setCursor(cursors.selectionOf(span));
    this.context.announce(`${this.textOf(span)}: ${span.label}`);
  }

  setCursor(cursor: Cursor): void {
    if (cursors.sameCursor(cursor, this.cursor)) return;
    this.cursor = cursor;
    this.context.changed("cursor");
    const stretch = cursors.selectedRange(cursor);
    if (stretch === null) return;
    const { currentSpan: current } = this;
    this.context.announce(this.textOf(stretch) + (current === null ? "" : `, ${current.label}`));
  }

  /** Goes one token on in reading order. */
  stepCaret(by: 1 | -1, extend: boolean): void {
    this.setCursor(cursors.stepCaret(this.cursor, by, extend, this.grid));
  }

  goToTextEdge(side: "start" | "end", extend: boolean): void {
    const token = cursors.edgeToken(side, this.grid);
    if (token !== null) this.setCursor(cursors.moveCaret(this.cursor, token, extend));
  }

  goToSpan(by: 1 | -1): void {
    const beside = this.adjacentSpan(by);
    if (beside !== null) this.setCursor(cursors.selectionOf(beside));
  }

  /** The next span in a direction, seen from the caret. */
  adjacentSpan(by: 1 | -1): Span | null {
    const { caret } = this.cursor;
    const from = by === 1 ? caret : (cursors.selectedRange(this.cursor)?.start ?? caret);
    return spans.nextSpan(this.spans, from, by);
  }

  private get range(): TokenRange | null {
    const { caret } = this.cursor;
    return cursors.selectedRange(this.cursor) ?? (caret === null ? null : { start: caret, end: caret + 1 });
  }

  /** The same label again takes it off; a single token inside a span means the whole span. */
  private toggleLabel(stretch: TokenRange, label: string): void {
    const isOne = stretch.end - stretch.start === 1;
    const meant = this.trimRange((isOne && spans.spanAt(this.spans, stretch.start)) || stretch);
    if (meant === null) return;
    const after = spans.toggleSpan(this.spans, meant, label);
    this.context.edit(after);
    this.setCursor(cursors.selectionOf(meant));
    const isOn = spans.hasSpan(after, { ...meant, label });
    this.context.announce(isOn ? `${this.textOf(meant)}: ${label}` : `${label} removed`);
  }

  private trimRange(stretch: TokenRange): TokenRange | null {
    const { size, isBlank } = this.grid;
    return spans.trimRange(stretch, size, isBlank);
  }
}
