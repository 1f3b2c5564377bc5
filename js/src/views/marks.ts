/**
 * The marks of spans around their tokens. What has changed is changed in
 * place: one span more or less costs the same in a text of any length.
 */
import type { Controller } from "../core/controller";
import { difference, type Span, type Spans } from "../core/spans";
import { button, icon, make, setAttributes, setText } from "./dom";

interface Mark {
  readonly element: HTMLElement;
  readonly tag: HTMLElement;
  readonly name: HTMLElement;
  readonly score: HTMLElement;
}

const placeOf = ({ start, end }: Span): string => `${start}:${end}`;

export class Marks {
  private readonly marks = new Map<string, Mark>();
  private drawn: Spans = [];
  private current: Mark | null = null;
  private hovered: Mark | null = null;
  /** One button for all marks: it goes to the one that is pointed at, or else to the current one. */
  private readonly remove: HTMLButtonElement;

  constructor(
    private readonly controller: Controller,
    private tokens: readonly HTMLElement[],
  ) {
    this.remove = button("remove", { tabindex: "-1" }, [icon("cross")], () => this.removeHere());
  }

  /** Forgets the marks of a text that is no longer there. */
  restart(tokens: readonly HTMLElement[]): void {
    this.tokens = tokens;
    this.marks.clear();
    this.drawn = [];
    this.current = this.hovered = null;
    this.remove.remove();
  }

  draw(spans: Spans): void {
    const { gone, come } = difference(this.drawn, spans);
    const stays = new Set(come.map(placeOf));
    gone.filter((span) => !stays.has(placeOf(span))).forEach((span) => this.unwrap(span));
    come.forEach((span) => this.marks.get(placeOf(span)) ?? this.wrap(span));
    this.drawn = spans;
    come.forEach((span) => this.dress(span));
  }

  /** Dresses all marks anew: what was suggested has been accepted, or is open again. */
  refresh(): void {
    this.drawn.forEach((span) => this.dress(span));
  }

  point(current: Span | null): void {
    const mark = current === null ? null : (this.marks.get(placeOf(current)) ?? null);
    if (mark !== this.current) this.current?.element.removeAttribute("data-current");
    mark?.element.setAttribute("data-current", "");
    this.current = mark;
    this.offerRemoval();
  }

  hover(target: EventTarget | null): void {
    const element = target instanceof Element ? target.closest("[data-span]") : null;
    const mark = this.marks.get(element?.getAttribute("data-span") ?? "") ?? null;
    if (mark === this.hovered) return;
    this.hovered = mark;
    this.offerRemoval();
  }

  private offerRemoval(): void {
    const mark = this.hovered ?? this.current;
    const tag = mark?.tag ?? null;
    if (this.remove.parentElement === tag) return;
    if (tag === null) return this.remove.remove();
    tag.append(this.remove);
    const span = this.spanOf(this.remove);
    if (span === null) return;
    const words = this.controller.textOf(span);
    setAttributes(this.remove, { "aria-label": `Remove ${span.label} from ${words}` });
  }

  private removeHere(): void {
    const span = this.spanOf(this.remove);
    if (span !== null) this.controller.removeSpan(span);
  }

  private spanOf(part: Element): Span | null {
    const place = part.closest("[data-span]")?.getAttribute("data-span");
    return this.drawn.find((span) => placeOf(span) === place) ?? null;
  }

  private wrap(span: Span): void {
    const first = this.tokens[span.start];
    const last = this.tokens[span.end - 1];
    if (first === undefined || last === undefined) return;
    const mark = makeMark(span);
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
    if (mark === this.hovered) this.hovered = null;
    if (mark === this.current) this.current = null;
    mark.tag.remove();
    mark.element.replaceWith(...mark.element.childNodes);
    this.marks.delete(placeOf(span));
  }

  private dress(span: Span): void {
    const mark = this.marks.get(placeOf(span));
    if (mark === undefined) return;
    const isSuggestion = this.controller.isSuggestion(span);
    setAttributes(mark.element, {
      "data-label": span.label,
      "data-suggested": isSuggestion ? "" : null,
      title: this.hint(span, isSuggestion),
    });
    const hue = this.controller.setup.colors[span.label] ?? UNKNOWN;
    mark.element.style.setProperty("--nbner-hue", hue);
    setText(mark.name, span.label);
    setText(mark.score, isSuggestion ? certainty(span.score) : "");
  }

  private hint(span: Span, isSuggestion: boolean): string | null {
    if (isSuggestion) {
      const score = certainty(span.score);
      const parts = ["Suggested", span.source && `by ${span.source}`, score && `at ${score}`];
      return parts.filter(Boolean).join(" ");
    }
    const was = this.controller.suggestedInstead(span);
    return was === null ? null : `Suggested was ${was.label}: ${this.controller.textOf(was)}`;
  }
}

function makeMark(span: Span): Mark {
  const name = make("span", "name");
  const score = make("span", "score");
  const tag = make("span", "tag", {}, name, score);
  const element = make("mark", "mark", { "data-span": placeOf(span) }, tag);
  return { element, tag, name, score };
}

/** Grey for a label that the session does not know. */
const UNKNOWN = "#8a8a8a";

/** A small number, only where it is below certain. */
function certainty(score: number | undefined): string {
  if (score === undefined || score >= 0.995) return "";
  return score.toFixed(2).replace(/^0/, "");
}
