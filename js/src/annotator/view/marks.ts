/**
 * The marks of spans around their tokens. What has changed is changed in
 * place: one span more or less costs the same in a text of any length.
 */
import type { AnnotatorController } from "../model/controller";
import { diffSpans, type Span, type Spans } from "../model/spans";
import { formatProbability } from "../../shared/format";
import { createElement, setAttributes, setLabelColor, setText } from "../../shared/dom";

interface SpanMark {
  /** One, or one for each paragraph that the span runs through. */
  readonly pieces: readonly HTMLElement[];
  readonly tag: HTMLElement;
  readonly name: HTMLElement;
  readonly score: HTMLElement;
}

const rangeKey = ({ start, end }: Span): string => `${start}:${end}`;

export class SpanMarks {
  private readonly marks = new Map<string, SpanMark>();
  private drawn: Spans = [];
  private current: SpanMark | null = null;

  constructor(
    private readonly controller: AnnotatorController,
    private tokens: readonly HTMLElement[],
  ) {}

  /** Forgets the marks of a text that is no longer there. */
  reset(tokens: readonly HTMLElement[]): void {
    this.tokens = tokens;
    this.marks.clear();
    this.drawn = [];
    this.current = null;
  }

  setSpans(spans: Spans): void {
    const { removed: gone, added: come } = diffSpans(this.drawn, spans);
    const stays = new Set(come.map(rangeKey));
    gone.filter((span) => !stays.has(rangeKey(span))).forEach((span) => this.unwrap(span));
    come.forEach((span) => this.marks.get(rangeKey(span)) ?? this.wrap(span));
    this.drawn = spans;
    come.forEach((span) => this.decorate(span));
  }

  /** Dresses all marks anew: what was suggested has been accepted, or is open again. */
  redecorate(): void {
    this.drawn.forEach((span) => this.decorate(span));
  }

  setCurrent(current: Span | null): void {
    const mark = current === null ? null : (this.marks.get(rangeKey(current)) ?? null);
    if (mark !== this.current) this.current?.pieces[0]?.removeAttribute("data-current");
    mark?.pieces[0]?.setAttribute("data-current", "");
    this.current = mark;
  }

  /** The span whose mark an element lies in. */
  spanOf(target: EventTarget | null): Span | null {
    const element = target instanceof Element ? target.closest(".nbner-mark") : null;
    const place = element?.getAttribute("data-span") ?? element?.getAttribute("data-part-of");
    return this.drawn.find((span) => rangeKey(span) === place) ?? null;
  }

  /** Where a span's mark lies in the window, one box a line. */
  boxesOf(span: Span | null): readonly DOMRect[] {
    const mark = span === null ? undefined : this.marks.get(rangeKey(span));
    return (mark?.pieces ?? []).flatMap((piece) => [...piece.getClientRects()]);
  }

  private wrap(span: Span): void {
    const inside = this.tokens.slice(span.start, span.end);
    const paragraphs = [...new Set(inside.map((token) => token.parentElement))];
    const pieces = paragraphs.map((paragraph) => {
      const tokens = inside.filter((token) => token.parentElement === paragraph);
      return wrapTokens(tokens[0] as HTMLElement, tokens.at(-1) as HTMLElement);
    });
    const [name, score] = [createElement("span", "name"), createElement("span", "score")];
    const tag = createElement("span", "tag", {}, name, score);
    pieces.at(-1)?.append(tag);
    pieces.forEach((piece, i) =>
      piece.setAttribute(i === 0 ? "data-span" : "data-part-of", rangeKey(span)),
    );
    this.marks.set(rangeKey(span), { pieces, tag, name, score });
  }

  private unwrap(span: Span): void {
    const mark = this.marks.get(rangeKey(span));
    if (mark === undefined) return;
    if (mark === this.current) this.current = null;
    mark.tag.remove();
    mark.pieces.forEach((piece) => piece.replaceWith(...piece.childNodes));
    this.marks.delete(rangeKey(span));
  }

  private decorate(span: Span): void {
    const mark = this.marks.get(rangeKey(span));
    if (mark === undefined) return;
    const isSuggestion = this.controller.isSuggestion(span);
    const attributes = {
      "data-label": span.label,
      "data-suggested": isSuggestion ? "" : null,
      // In this analysis and not in the best one.
      "data-other": this.controller.kBest.differsFromBest(span) ? "" : null,
      title: this.hint(span, isSuggestion),
    };
    mark.pieces.forEach((piece) => {
      setAttributes(piece, attributes);
      setLabelColor(piece, this.controller.setup.colors[span.label]);
    });
    setText(mark.name, span.label);
    setText(mark.score, isSuggestion ? formatConfidence(span.score) : "");
  }

  private hint(span: Span, isSuggestion: boolean): string | null {
    const said = this.controller.setup.mends ? "Doubted" : "Suggested";
    if (isSuggestion) return [said, describeSource(span)].filter(Boolean).join(" ");
    const was = this.controller.replacedSuggestion(span);
    return was === null ? null : `${said} was ${was.label}: ${this.controller.textOf(was)}`;
  }
}

/** Puts a mark around tokens of one paragraph and all that lies between them. */
function wrapTokens(first: HTMLElement, last: HTMLElement): HTMLElement {
  const mark = createElement("mark", "mark");
  first.before(mark);
  const content: Node[] = [];
  for (let node: Node | null = first; node !== null; node = node.nextSibling) {
    content.push(node);
    if (node === last) break;
  }
  mark.append(...content);
  return mark;
}

/** Who proposed a span, with what confidence. */
export function describeSource({ source, score, pattern }: Span): string {
  const sure = formatConfidence(score);
  const line = pattern === undefined ? "" : `, line ${pattern}`;
  return [source && `by ${source}${line}`, sure && `at ${sure}`].filter(Boolean).join(" ");
}

/** A small number, only where it is below certain. */
function formatConfidence(score: number | undefined): string {
  if (score === undefined || score >= 0.995) return "";
  return formatProbability(score);
}
