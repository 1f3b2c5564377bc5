/**
 * The marks of spans around their tokens. What has changed is changed in
 * place: one span more or less costs the same in a text of any length.
 */
import type { Controller } from "../core/controller";
import { difference, type Span, type Spans } from "../core/spans";
import { button, icon, make, setAttributes, setText } from "./dom";

interface Mark {
  readonly element: HTMLElement;
  readonly name: HTMLElement;
  readonly score: HTMLElement;
  readonly remove: HTMLElement;
}

const placeOf = ({ start, end }: Span): string => `${start}:${end}`;

export class Marks {
  private readonly marks = new Map<string, Mark>();
  private drawn: Spans = [];

  constructor(
    private readonly controller: Controller,
    private tokens: readonly HTMLElement[],
  ) {}

  /** Forgets the marks of a text that is no longer there. */
  restart(tokens: readonly HTMLElement[]): void {
    this.tokens = tokens;
    this.marks.clear();
    this.drawn = [];
  }

  draw(spans: Spans): void {
    const { gone, come } = difference(this.drawn, spans);
    const stays = new Set(come.map(placeOf));
    gone.filter((span) => !stays.has(placeOf(span))).forEach((span) => this.unwrap(span));
    come.forEach((span) => this.marks.get(placeOf(span)) ?? this.wrap(span));
    this.drawn = spans;
    come.forEach((span) => this.dress(span));
  }

  /** Shows anew what of the spans is only suggested, and which is the current one. */
  refresh(): void {
    this.drawn.forEach((span) => this.dress(span));
  }

  point(current: Span | null): void {
    for (const [place, { element }] of this.marks) {
      const isCurrent = current !== null && placeOf(current) === place;
      setAttributes(element, { "data-current": isCurrent ? "" : null });
    }
  }

  private wrap(span: Span): void {
    const first = this.tokens[span.start];
    const last = this.tokens[span.end - 1];
    if (first === undefined || last === undefined) return;
    const mark = this.makeMark(span);
    first.before(mark.element);
    const content: Node[] = [];
    for (let node: Node | null = first; node !== null; node = node.nextSibling) {
      content.push(node);
      if (node === last) break;
    }
    mark.element.prepend(...content);
    this.marks.set(placeOf(span), mark);
  }

  private unwrap(span: Span): void {
    const mark = this.marks.get(placeOf(span));
    if (mark === undefined) return;
    mark.element.lastChild?.remove();
    mark.element.replaceWith(...mark.element.childNodes);
    this.marks.delete(placeOf(span));
  }

  private makeMark(span: Span): Mark {
    const name = make("span", "name");
    const score = make("span", "score");
    const remove = button("remove", { tabindex: "-1" }, [icon("cross")], () => {
      const now = this.drawn.find((one) => placeOf(one) === placeOf(span));
      if (now !== undefined) this.controller.removeSpan(now);
    });
    const tag = make("span", "tag", { dir: "auto" }, name, score, remove);
    const element = make("mark", "mark", { "data-span": placeOf(span) }, tag);
    return { element, name, score, remove };
  }

  private dress(span: Span): void {
    const mark = this.marks.get(placeOf(span));
    if (mark === undefined) return;
    const { controller } = this;
    const isSuggestion = controller.isSuggestion(span);
    const words = controller.textOf(span);
    setAttributes(mark.element, {
      "data-label": span.label,
      "data-suggested": isSuggestion ? "" : null,
      title: this.hint(span, isSuggestion),
    });
    mark.element.style.setProperty("--nbner-hue", controller.setup.colors[span.label] ?? UNKNOWN);
    setText(mark.name, span.label);
    setText(mark.score, isSuggestion ? certainty(span.score) : "");
    mark.remove.setAttribute("aria-label", `Remove ${span.label} from ${words}`);
  }

  private hint(span: Span, isSuggestion: boolean): string | null {
    if (isSuggestion) {
      const score = certainty(span.score);
      return ["Suggested", span.source && `by ${span.source}`, score && `at ${score}`]
        .filter(Boolean)
        .join(" ");
    }
    const was = this.controller.suggestedInstead(span);
    return was === null ? null : `Suggested was ${was.label}: ${this.controller.textOf(was)}`;
  }
}

/** Grey for a label that the session does not know. */
const UNKNOWN = "#8a8a8a";

/** A small number, only where it is below certain. */
function certainty(score: number | undefined): string {
  if (score === undefined || score >= 0.995) return "";
  return score.toFixed(2).replace(/^0/, "");
}
