/** The findings of what is open: gold over prediction, a row each. */
import { figure, likely } from "../shared/format";
import { icon, make, setAttributes, setHue, setText } from "../shared/dom";
import { makeRow, Rows } from "../shared/rowList";
import type { Explorer } from "./explorer";
import type { Finding, Piece } from "./messages";

const KEYS = "↑ ↓ · enter: open it below · m: the model is wrong · u: undo";
const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 };

export class FindingsView {
  readonly element = make("div", "findings", { hidden: "" });
  private readonly title = make("span", "findings-title", { role: "status" });
  private readonly keys = make("span", "findings-keys");
  private readonly rows: Rows<Finding>;

  /**
   * @param leave Goes back to where the findings were opened.
   * @param work Goes on to the annotation surface.
   */
  constructor(
    private readonly explorer: Explorer,
    private readonly leave: () => void,
    private readonly work: () => void,
  ) {
    this.rows = new Rows("Findings", (row) => this.write(row), (index) => this.press(index));
    this.rows.element.tabIndex = 0;
    this.rows.element.addEventListener("keydown", (event) => this.type(event));
    this.rows.element.addEventListener("scroll", () => this.scroll());
    const head = make("div", "findings-head", {}, this.title, this.keys);
    this.element.append(head, this.rows.element);
  }

  update(): void {
    const { total, rows, state } = this.explorer;
    this.element.hidden = total === null;
    if (total === null) return;
    const left = rows.filter(({ isGone }) => isGone).length;
    const mended = left === 0 ? "" : ` · ${figure(left)} mended`;
    setText(this.title, `${this.heading()}: ${figure(total)}${mended}`);
    setText(this.keys, state.changes ? KEYS : "↑ ↓");
    this.rows.show(rows);
    this.point();
  }

  point(): void {
    const id = this.rows.point(this.explorer.pointed);
    setAttributes(this.rows.element, { "aria-activedescendant": id });
  }

  focus(): void {
    this.rows.element.focus({ preventScroll: true });
  }

  private heading(): string {
    const { at, state } = this.explorer;
    if ("bucket" in at) return `Errors, ${at.factor} ${at.bucket}`;
    if (!("gold" in at)) return "All errors";
    const [first, second] = state.names;
    if (at.borders) return `${at.gold ?? "nothing"}: right label, other borders`;
    return `${at.gold ?? "nothing"} in ${first}, ${at.predicted ?? "nothing"} in ${second}`;
  }

  private press(index: number): void {
    this.explorer.choose(index);
    if (this.explorer.state.changes) this.work();
    else this.focus();
  }

  private type(event: KeyboardEvent): void {
    const { explorer } = this;
    const step = STEPS[event.key];
    if (step !== undefined) explorer.point(explorer.pointed + step);
    else if (event.key === "Enter") this.press(explorer.pointed);
    else if (event.key === "m") explorer.judge(explorer.rows[explorer.pointed]?.id);
    else if (event.key === "Escape") this.leave();
    else return;
    event.preventDefault();
  }

  private scroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.rows.element;
    if (scrollTop + 2 * clientHeight > scrollHeight) this.explorer.more();
  }

  private write(row: Finding): HTMLElement {
    const [first, ...others] = row.sides.map(({ name, pieces }) => [
      make("span", "finding-name", {}, name),
      this.line(pieces),
    ]);
    const sign = make("span", "finding-sign", { title: standingOf(row) });
    if (row.isGone) sign.append(icon("accept"));
    else if (row.judged === "model") sign.append(icon("reject"));
    const sure = row.probability === null ? "" : likely(row.probability);
    const split = this.explorer.state.splits.length > 1 ? row.split : "";
    const about = [row.kind, sure, split].filter(Boolean).join(" · ");
    return makeRow(
      {
        role: "option",
        "data-finding": row.id,
        "data-kind": row.kind,
        "data-gone": row.isGone ? "" : null,
        "data-judged": row.judged || null,
      },
      sign,
      ...(first ?? []),
      make("span", "finding-about", {}, about),
      ...others.flat(),
    );
  }

  private line(side: readonly Piece[]): HTMLElement {
    return make("bdi", "finding-text", {}, ...side.map((piece) => this.piece(piece)));
  }

  private piece([words, label, isMeant]: Piece): Node | string {
    if (label === "") return words;
    const tag = make("span", "finding-label", {}, label);
    const mark = make("mark", "finding-mark", { "data-meant": isMeant ? "" : null }, words, tag);
    setHue(mark, this.explorer.controller.setup.colors[label]);
    return mark;
  }
}

function standingOf({ isGone, judged }: Finding): string {
  if (isGone) return "Mended: it no longer belongs here";
  return judged === "model" ? "Looked at: the model is wrong" : "";
}
