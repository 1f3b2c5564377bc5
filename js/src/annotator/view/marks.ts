/**
 * The marks around the tokens of spans. Only what has changed is updated: one
 * span more or less costs the same in a text of any length.
 */
import { createElement, setAttributes, setLabelColor, setText } from "../../shared/dom";
import { formatProbability } from "../../shared/format";
import { EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";
import { diffSpans, type Span, type Spans } from "../model/spans";

interface SpanMark {
  /** One element, or one for each paragraph that the span runs through. */
  readonly elements: readonly HTMLElement[];
  readonly tag: HTMLElement;
  readonly name: HTMLElement;
  readonly score: HTMLElement;
  /** The effect that keeps the mark's attributes up to date. */
  readonly effects: EffectScope;
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

  /** Drop all marks, and mark the tokens of another text from now on. */
  reset(tokens: readonly HTMLElement[]): void {
    this.tokens = tokens;
    this.dispose();
    this.marks.clear();
    this.drawn = [];
    this.current = null;
  }

  dispose(): void {
    this.marks.forEach(({ effects }) => effects.dispose());
  }

  setSpans(spans: Spans): void {
    if (spans === this.drawn) return;
    const { removed, added } = diffSpans(this.drawn, spans);
    const kept = new Set(added.map(rangeKey));
    removed.filter((span) => !kept.has(rangeKey(span))).forEach((span) => this.unwrap(span));
    this.drawn = spans;
    added.forEach((span) => this.decorate(this.marks.get(rangeKey(span)) ?? this.wrap(span), span));
  }

  setCurrent(span: Span | null): void {
    const mark = span === null ? null : (this.marks.get(rangeKey(span)) ?? null);
    if (mark === this.current) return;
    this.current?.elements[0]?.removeAttribute("data-current");
    mark?.elements[0]?.setAttribute("data-current", "");
    this.current = mark;
  }

  /** Return the span whose mark contains an element. */
  spanOf(target: EventTarget | null): Span | null {
    const element = target instanceof Element ? target.closest(".nbner-mark") : null;
    const key = element?.getAttribute("data-span") ?? element?.getAttribute("data-part-of");
    return this.drawn.find((span) => rangeKey(span) === key) ?? null;
  }

  /** Return the boxes of a span's mark in the window, one for each line. */
  boxesOf(span: Span | null): readonly DOMRect[] {
    const mark = span === null ? undefined : this.marks.get(rangeKey(span));
    return (mark?.elements ?? []).flatMap((element) => [...element.getClientRects()]);
  }

  private wrap(span: Span): SpanMark {
    const inside = this.tokens.slice(span.start, span.end);
    const paragraphs = [...new Set(inside.map((token) => token.parentElement))];
    const elements = paragraphs.map((paragraph) => {
      const tokens = inside.filter((token) => token.parentElement === paragraph);
      return wrapTokens(tokens[0] as HTMLElement, tokens.at(-1) as HTMLElement);
    });
    const [name, score] = [createElement("span", "name"), createElement("span", "score")];
    const tag = createElement("span", "tag", {}, name, score);
    elements.at(-1)?.append(tag);
    elements.forEach((element, i) =>
      element.setAttribute(i === 0 ? "data-span" : "data-part-of", rangeKey(span)),
    );
    const mark = { elements, tag, name, score, effects: new EffectScope() };
    this.marks.set(rangeKey(span), mark);
    return mark;
  }

  private unwrap(span: Span): void {
    const mark = this.marks.get(rangeKey(span));
    if (mark === undefined) return;
    if (mark === this.current) this.current = null;
    mark.effects.dispose();
    mark.tag.remove();
    mark.elements.forEach((element) => element.replaceWith(...element.childNodes));
    this.marks.delete(rangeKey(span));
  }

  /** Keep a mark's attributes up to date, by an effect of its own. */
  private decorate(mark: SpanMark, span: Span): void {
    mark.effects.dispose();
    mark.effects.run(() => {
      const { setup, kBest } = this.controller;
      const isSuggestion = this.controller.isSuggestion(span);
      const attributes = {
        "data-label": span.label,
        "data-suggested": isSuggestion ? "" : null,
        "data-other": kBest.differsFromBest(span) ? "" : null,
        title: this.describe(span, isSuggestion),
      };
      mark.elements.forEach((element) => {
        setAttributes(element, attributes);
        setLabelColor(element, setup, span.label);
      });
      setText(mark.name, span.label);
      setText(mark.score, isSuggestion ? formatConfidence(span.score) : "");
    });
  }

  private describe(span: Span, isSuggestion: boolean): string | null {
    const verb = this.controller.setup.mends ? "Doubted" : "Suggested";
    if (isSuggestion) return [verb, describeSource(span)].filter(Boolean).join(" ");
    const replaced = this.controller.replacedSuggestion(span);
    return replaced === null ? null : `${verb} was ${replaced.label}: ${this.controller.textOf(replaced)}`;
  }
}

/** Wrap tokens of one paragraph, and all between them, into a mark. */
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

/** Describe who has proposed a span, with what confidence. */
export function describeSource({ source, score, pattern }: Span): string {
  const confidence = formatConfidence(score);
  const line = pattern === undefined ? "" : `, line ${pattern}`;
  return [source && `by ${source}${line}`, confidence && `at ${confidence}`].filter(Boolean).join(" ");
}

/** Format a confidence; return an empty string where it is unknown or rounds to 1. */
export function formatConfidence(score: number | undefined): string {
  return score === undefined ? "" : formatProbability(score);
}
