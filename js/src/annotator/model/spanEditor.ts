/** Marking spans in the example shown: the caret, the selection, the active label. */
import * as cursors from "./cursor";
import type { Cursor, Ground } from "./cursor";
import type { Item } from "./exampleQueue";
import * as spans from "./spans";
import type { Span, Spans, Stretch } from "./spans";

export interface Sheet {
  readonly shown: Item | null;
  edit(after: Spans): void;
  changed(part: "cursor" | "label"): void;
  say(words: string): void;
}

export class Marking {
  cursor: Cursor = cursors.NOWHERE;
  /** The label that a drag gives. */
  active: string | null = null;

  constructor(private readonly sheet: Sheet) {}

  get spans(): Spans {
    return this.sheet.shown?.state.spans ?? [];
  }

  get ground(): Ground {
    const tokens = this.sheet.shown?.task.tokens ?? [];
    return { size: tokens.length, isBlank: (token) => (tokens[token]?.[0] ?? "").trim() === "" };
  }

  /** The span that a label key would change. */
  get current(): Span | null {
    return this.cursor.caret === null ? null : spans.spanAt(this.spans, this.cursor.caret);
  }

  textOf({ start, end }: Stretch): string {
    const tokens = this.sheet.shown?.task.tokens.slice(start, end) ?? [];
    return tokens.map(([word, gap], i) => (i < tokens.length - 1 ? word + gap : word)).join("");
  }

  /** Keeps a label active that there is, the first at the start. */
  chooseAmong(labels: readonly string[]): void {
    if (this.active === null || !labels.includes(this.active)) this.active = labels[0] ?? null;
  }

  /** Labels what is selected; where nothing is, makes the label the active one. */
  pick(label: string): void {
    this.active = label;
    this.sheet.changed("label");
    const stretch = cursors.selected(this.cursor);
    if (stretch !== null) this.toggle(stretch, label);
    else this.sheet.say(`${label} is the active label`);
  }

  /** Gives a stretch the active label and leaves nothing selected, as hands that drag expect. */
  label(stretch: Stretch): void {
    const trimmed = this.trim(stretch);
    if (trimmed === null || this.active === null) return;
    const span = { ...trimmed, label: this.active };
    if (!spans.has(this.spans, span)) this.sheet.edit(spans.add(this.spans, span));
    this.moveTo(cursors.place(trimmed.end - 1));
    this.sheet.say(`${this.textOf(span)}: ${span.label}`);
  }

  labelActive(): void {
    const stretch = this.stretch;
    if (this.active !== null && stretch !== null) this.toggle(stretch, this.active);
  }

  removeSpan(span: Span): void {
    this.sheet.edit(spans.remove(this.spans, span));
    this.sheet.say(`${span.label} removed from ${this.textOf(span)}`);
  }

  /** Removes the spans under the caret or in the selection. */
  remove(): void {
    const stretch = this.stretch;
    if (stretch === null) return;
    const gone = spans.overlapping(this.spans, stretch).map(({ label }) => label);
    this.sheet.edit(spans.remove(this.spans, stretch));
    this.sheet.say(gone.length === 0 ? "No span here" : `${gone.join(", ")} removed`);
  }

  /** Moves one end of the span under the caret. */
  resize(edge: "start" | "end", by: 1 | -1): void {
    const { current } = this;
    if (current === null) return this.sheet.say("No span here");
    const moved = spans.resize(this.spans, current, edge, by, this.ground);
    if (moved === null) return this.sheet.say("No further");
    this.sheet.edit(spans.add(spans.remove(this.spans, current), moved));
    this.moveTo(cursors.over(moved));
    this.sheet.say(`${this.textOf(moved)}: ${moved.label}`);
  }

  /** Puts a suggestion in the place of what it overlaps. */
  takeSuggestion(span: Span): void {
    this.sheet.edit(spans.add(this.spans, span));
    this.moveTo(cursors.over(span));
    this.sheet.say(`${this.textOf(span)}: ${span.label}`);
  }

  moveTo(cursor: Cursor): void {
    if (cursors.sameCursor(cursor, this.cursor)) return;
    this.cursor = cursor;
    this.sheet.changed("cursor");
    const stretch = cursors.selected(cursor);
    if (stretch === null) return;
    const { current } = this;
    this.sheet.say(this.textOf(stretch) + (current === null ? "" : `, ${current.label}`));
  }

  /** Goes one token on in reading order. */
  step(by: 1 | -1, extend: boolean): void {
    this.moveTo(cursors.step(this.cursor, by, extend, this.ground));
  }

  goToEdge(side: "start" | "end", extend: boolean): void {
    const token = cursors.edge(side, this.ground);
    if (token !== null) this.moveTo(cursors.to(this.cursor, token, extend));
  }

  goToSpan(by: 1 | -1): void {
    const beside = this.spanBeside(by);
    if (beside !== null) this.moveTo(cursors.over(beside));
  }

  /** The next span in a direction, seen from the caret. */
  spanBeside(by: 1 | -1): Span | null {
    const { caret } = this.cursor;
    const from = by === 1 ? caret : (cursors.selected(this.cursor)?.start ?? caret);
    return spans.neighbour(this.spans, from, by);
  }

  private get stretch(): Stretch | null {
    const { caret } = this.cursor;
    return cursors.selected(this.cursor) ?? (caret === null ? null : { start: caret, end: caret + 1 });
  }

  /** The same label again takes it off; a single token inside a span means the whole span. */
  private toggle(stretch: Stretch, label: string): void {
    const isOne = stretch.end - stretch.start === 1;
    const meant = this.trim((isOne && spans.spanAt(this.spans, stretch.start)) || stretch);
    if (meant === null) return;
    const after = spans.toggle(this.spans, meant, label);
    this.sheet.edit(after);
    this.moveTo(cursors.over(meant));
    const isOn = spans.has(after, { ...meant, label });
    this.sheet.say(isOn ? `${this.textOf(meant)}: ${label}` : `${label} removed`);
  }

  private trim(stretch: Stretch): Stretch | null {
    const { size, isBlank } = this.ground;
    return spans.trim(stretch, size, isBlank);
  }
}
