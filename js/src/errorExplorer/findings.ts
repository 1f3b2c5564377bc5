/** The findings of what is open: gold over prediction, a row each. */
import { formatCount, formatProbability } from "../shared/format";
import { createIcon, createElement, setAttributes, setLabelColor, setText } from "../shared/dom";
import { createRow, RowList } from "../shared/rowList";
import type { ErrorExplorer } from "./explorer";
import type { Finding, Segment } from "./messages";

const KEYS = "↑ ↓ · enter: open it below · m: the model is wrong · u: undo";
const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 };

export class FindingsView {
  readonly element = createElement("div", "findings", { hidden: "" });
  private readonly title = createElement("span", "findings-title", { role: "status" });
  private readonly keys = createElement("span", "findings-keys");
  private readonly rows: RowList<Finding>;

  /**
   * @param leave Goes back to where the findings were opened.
   * @param work Goes on to the annotation surface.
   */
  constructor(
    private readonly explorer: ErrorExplorer,
    private readonly leave: () => void,
    private readonly work: () => void,
  ) {
    this.rows = new RowList("Findings", (row) => this.write(row), (index) => this.press(index));
    this.rows.element.tabIndex = 0;
    this.rows.element.addEventListener("keydown", (event) => this.type(event));
    this.rows.element.addEventListener("scroll", () => this.scroll());
    const head = createElement("div", "findings-head", {}, this.title, this.keys);
    this.element.append(head, this.rows.element);
  }

  update(): void {
    const { total, findings: rows, state } = this.explorer;
    this.element.hidden = total === null;
    if (total === null) return;
    const left = rows.filter(({ isFixed: isGone }) => isGone).length;
    const mended = left === 0 ? "" : ` · ${formatCount(left)} mended`;
    setText(this.title, `${this.heading()}: ${formatCount(total)}${mended}`);
    setText(this.keys, state.changes ? KEYS : "↑ ↓");
    this.rows.setRows(rows);
    this.point();
  }

  point(): void {
    const id = this.rows.setActive(this.explorer.activeIndex);
    setAttributes(this.rows.element, { "aria-activedescendant": id });
  }

  focus(): void {
    this.rows.element.focus({ preventScroll: true });
  }

  private heading(): string {
    const { openCell: at, state } = this.explorer;
    if ("bucket" in at) return `Errors, ${at.factor} ${at.bucket}`;
    if (!("gold" in at)) return "All errors";
    const [first, second] = state.names;
    if (at.borders) return `${at.gold ?? "nothing"}: right label, other borders`;
    return `${at.gold ?? "nothing"} in ${first}, ${at.predicted ?? "nothing"} in ${second}`;
  }

  private press(index: number): void {
    this.explorer.openExample(index);
    if (this.explorer.state.changes) this.work();
    else this.focus();
  }

  private type(event: KeyboardEvent): void {
    const { explorer } = this;
    const step = STEPS[event.key];
    if (step !== undefined) explorer.setActive(explorer.activeIndex + step);
    else if (event.key === "Enter") this.press(explorer.activeIndex);
    else if (event.key === "m") explorer.toggleJudgment(explorer.findings[explorer.activeIndex]?.id);
    else if (event.key === "Escape") this.leave();
    else return;
    event.preventDefault();
  }

  private scroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.rows.element;
    if (scrollTop + 2 * clientHeight > scrollHeight) this.explorer.loadMore();
  }

  private write(row: Finding): HTMLElement {
    const [first, ...others] = row.sides.map(({ name, segments: pieces }) => [
      createElement("span", "finding-name", {}, name),
      this.line(pieces),
    ]);
    const sign = createElement("span", "finding-sign", { title: standingOf(row) });
    if (row.isFixed) sign.append(createIcon("accept"));
    else if (row.judged === "model") sign.append(createIcon("reject"));
    const sure = row.probability === null ? "" : formatProbability(row.probability);
    const split = this.explorer.state.splits.length > 1 ? row.split : "";
    const about = [row.kind, sure, split].filter(Boolean).join(" · ");
    return createRow(
      {
        role: "option",
        "data-finding": row.id,
        "data-kind": row.kind,
        "data-gone": row.isFixed ? "" : null,
        "data-judged": row.judged || null,
      },
      sign,
      ...(first ?? []),
      createElement("span", "finding-about", {}, about),
      ...others.flat(),
    );
  }

  private line(side: readonly Segment[]): HTMLElement {
    return createElement("bdi", "finding-text", {}, ...side.map((piece) => this.piece(piece)));
  }

  private piece([words, label, isMeant]: Segment): Node | string {
    if (label === "") return words;
    const tag = createElement("span", "finding-label", {}, label);
    const mark = createElement("mark", "finding-mark", { "data-meant": isMeant ? "" : null }, words, tag);
    setLabelColor(mark, this.explorer.controller.setup.colors[label]);
    return mark;
  }
}

function standingOf({ isFixed: isGone, judged }: Finding): string {
  if (isGone) return "Mended: it no longer belongs here";
  return judged === "model" ? "Looked at: the model is wrong" : "";
}
