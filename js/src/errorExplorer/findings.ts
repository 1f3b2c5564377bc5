/** The findings of the open cell: one row each, with gold above prediction. */
import { createElement, createIcon, setAttributes, setLabelColor, setText } from "../shared/dom";
import { formatCount, formatProbability } from "../shared/format";
import type { EffectScope } from "../shared/reactive";
import { createRow, RowList } from "../shared/rowList";
import type { ErrorExplorer } from "./explorer";
import type { Finding, Segment } from "./messages";

const KEYS = "↑ ↓ · enter: open it below · m: the model is wrong · u: undo";
/** How many rows a key moves. */
const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 };

export class FindingsView {
  readonly element = createElement("div", "findings");
  private readonly title = createElement("span", "findings-title", { role: "status" });
  private readonly keys = createElement("span", "findings-keys");
  private readonly rows: RowList<Finding>;

  /**
   * @param focusCells Moves the focus back to where the findings were opened.
   * @param focusAnnotator Moves the focus on to the annotator.
   */
  constructor(
    private readonly explorer: ErrorExplorer,
    private readonly focusCells: () => void,
    private readonly focusAnnotator: () => void,
    effects: EffectScope,
  ) {
    this.rows = new RowList("Findings", (row) => this.renderRow(row), (index) => this.openRow(index));
    this.rows.element.tabIndex = 0;
    this.rows.element.addEventListener("keydown", (event) => this.handleKey(event));
    this.rows.element.addEventListener("scroll", () => this.loadOnScroll());
    const head = createElement("div", "findings-head", {}, this.title, this.keys);
    this.element.append(head, this.rows.element);
    effects.run(() => this.update());
  }

  focus(): void {
    this.rows.element.focus({ preventScroll: true });
  }

  private update(): void {
    const { total, findings, overview, activeIndex } = this.explorer.state;
    this.element.hidden = total === null;
    if (total === null) return;
    const fixed = findings.filter(({ isFixed }) => isFixed).length;
    const mended = fixed === 0 ? "" : ` · ${formatCount(fixed)} mended`;
    setText(this.title, `${this.heading()}: ${formatCount(total)}${mended}`);
    setText(this.keys, overview.changes ? KEYS : "↑ ↓");
    this.rows.setRows(findings);
    setAttributes(this.rows.element, { "aria-activedescendant": this.rows.setActive(activeIndex) });
  }

  private heading(): string {
    const { openCell, overview } = this.explorer.state;
    if ("bucket" in openCell) return `Errors, ${openCell.factor} ${openCell.bucket}`;
    if (!("gold" in openCell)) return "All errors";
    const [first, second] = overview.names;
    const gold = openCell.gold ?? "nothing";
    if (openCell.borders) return `${gold}: right label, other borders`;
    return `${gold} in ${first}, ${openCell.predicted ?? "nothing"} in ${second}`;
  }

  private openRow(index: number): void {
    this.explorer.openExample(index);
    if (this.explorer.state.overview.changes) this.focusAnnotator();
    else this.focus();
  }

  private handleKey(event: KeyboardEvent): void {
    const { explorer } = this;
    const { activeIndex, findings } = explorer.state;
    const step = STEPS[event.key];
    if (step !== undefined) explorer.setActive(activeIndex + step);
    else if (event.key === "Enter") this.openRow(activeIndex);
    else if (event.key === "m") explorer.toggleJudgment(findings[activeIndex]?.id);
    else if (event.key === "Escape") this.focusCells();
    else return;
    event.preventDefault();
  }

  private loadOnScroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.rows.element;
    if (scrollTop + 2 * clientHeight > scrollHeight) this.explorer.loadMore();
  }

  private renderRow(row: Finding): HTMLElement {
    const [first, ...others] = row.sides.map(({ name, segments }) => [
      createElement("span", "finding-name", {}, name),
      this.renderText(segments),
    ]);
    const sign = createElement("span", "finding-sign", { title: describeSign(row) });
    if (row.isFixed) sign.append(createIcon("accept"));
    else if (row.judged === "model") sign.append(createIcon("reject"));
    const probability = row.probability === null ? "" : formatProbability(row.probability);
    const split = this.explorer.state.overview.splits.length > 1 ? row.split : "";
    const about = [row.kind, probability, split].filter(Boolean).join(" · ");
    const attributes = {
      role: "option",
      "data-finding": row.id,
      "data-kind": row.kind,
      "data-gone": row.isFixed ? "" : null,
      "data-judged": row.judged || null,
    };
    const details = createElement("span", "finding-about", {}, about);
    return createRow(attributes, sign, ...(first ?? []), details, ...others.flat());
  }

  private renderText(segments: readonly Segment[]): HTMLElement {
    return createElement("bdi", "finding-text", {}, ...segments.map((segment) => this.renderSegment(segment)));
  }

  private renderSegment([text, label, isTarget]: Segment): Node | string {
    if (label === "") return text;
    const tag = createElement("span", "finding-label", {}, label);
    const mark = createElement("mark", "finding-mark", { "data-meant": isTarget ? "" : null }, text, tag);
    setLabelColor(mark, this.explorer.controller.setup, label);
    return mark;
  }
}

function describeSign({ isFixed, judged }: Finding): string {
  if (isFixed) return "Mended: it no longer belongs here";
  return judged === "model" ? "Looked at: the model is wrong" : "";
}
