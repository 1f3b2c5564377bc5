/** The confusion matrix: a grid of numbers, each of which opens its examples. */
import { formatCount } from "../shared/format";
import { createElement, setAttributes, setText } from "../shared/dom";
import type { ErrorExplorer } from "./explorer";
import { WRONG_BORDERS, NO_LABEL, type CellRef, type MatrixCell } from "./messages";

interface CellElement {
  readonly row: number;
  readonly column: number;
  readonly element: HTMLElement;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

const NO_POSITION: readonly [number, number] = [-1, -1];

export class ConfusionMatrix {
  readonly element = createElement("div", "matrix", { role: "grid", "aria-label": "Confusion matrix" });
  private cells: CellElement[][] = [];
  private drawnFor = "";
  /** The square that the focus comes to. */
  private focused = NO_POSITION;

  /**
   * @param opened Called when a key has opened a square.
   */
  constructor(
    private readonly explorer: ErrorExplorer,
    private readonly opened: () => void,
  ) {
    this.element.addEventListener("click", (event) => this.press(event.target));
    this.element.addEventListener("keydown", (event) => this.type(event));
    this.element.addEventListener("focusin", (event) => this.enter(event.target));
  }

  update(): void {
    const { labels, names, cells } = this.explorer.state;
    const signature = JSON.stringify([labels, names]);
    if (signature !== this.drawnFor) this.draw();
    this.drawnFor = signature;
    this.fill(cells);
    this.mark();
  }

  /** Shows which square is open. */
  mark(): void {
    const at = JSON.stringify(this.explorer.openCell);
    for (const square of this.cells.flat()) {
      const isOpen = this.explorer.total !== null && JSON.stringify(this.cellRefOf(square)) === at;
      setAttributes(square.element, { "aria-selected": String(isOpen) });
    }
  }

  focus(): void {
    this.cellAt(this.focused)?.element.focus({ preventScroll: true });
  }

  private draw(): void {
    const { labels, names } = this.explorer.state;
    const indices = [...labels.keys(), NO_LABEL];
    const heads = [...indices, WRONG_BORDERS].map((index) => this.head(index));
    const corner = createElement("div", "matrix-corner", {}, `${names[0]} ↓  ${names[1]} →`);
    const top = createElement("div", "matrix-row", { role: "row" }, corner, ...heads);
    this.cells = indices.map((row) => [...indices, WRONG_BORDERS].map((column) => this.square(row, column)));
    const rows = this.cells.map((squares, i) => {
      const name = this.nameOf(indices[i] ?? NO_LABEL);
      const side = createElement("div", "matrix-side", { role: "rowheader", title: name }, createElement("bdi", "", {}, name));
      return createElement("div", "matrix-row", { role: "row" }, side, ...squares.map(({ element }) => element));
    });
    this.element.style.setProperty("--nbner-columns", String(indices.length + 1));
    this.element.replaceChildren(top, ...rows);
    this.focused = NO_POSITION;
  }

  private head(index: number): HTMLElement {
    const name = this.nameOf(index);
    return createElement("div", "matrix-head", { role: "columnheader", title: name }, createElement("bdi", "", {}, name));
  }

  private square(row: number, column: number): CellElement {
    const element = createElement("div", "matrix-cell", { role: "gridcell", "data-cell": `${row}:${column}` });
    return { row, column, element };
  }

  private fill(cells: readonly MatrixCell[]): void {
    const counts = new Map(cells.map((cell) => [`${cell[0]}:${cell[1]}`, cell]));
    const totals = new Map<number, number>();
    cells.forEach(([row, , count]) => totals.set(row, (totals.get(row) ?? 0) + count));
    for (const square of this.cells.flat()) {
      const [, , count, moved] = counts.get(`${square.row}:${square.column}`) ?? [0, 0, 0, 0];
      this.renderCell(square, count, moved, totals.get(square.row) ?? 0);
    }
    if ((this.cellAt(this.focused)?.element.textContent ?? "") === "") this.focusLargestError();
    this.updateTabStops();
  }

  private renderCell(square: CellElement, count: number, moved: number, total: number): void {
    const { row, column, element } = square;
    const isRight = row === column;
    setText(element, count === 0 ? "" : formatCount(count));
    setAttributes(element, {
      "data-right": isRight ? "" : null,
      "data-empty": count === 0 ? "" : null,
      "aria-label": `${this.describeCell(row, column)}: ${formatCount(count)}`,
      title: count === 0 ? null : this.hint(row, column, count, moved, total),
    });
    element.style.setProperty("--nbner-share", String(total === 0 ? 0 : Math.sqrt(count / total)));
  }

  private hint(row: number, column: number, count: number, moved: number, total: number): string {
    const also = moved > 0 ? `, ${formatCount(moved)} of them with other borders` : "";
    return `${this.describeCell(row, column)}: ${formatCount(count)} of ${formatCount(total)}${also}`;
  }

  private describeCell(row: number, column: number): string {
    const [gold, predicted] = this.explorer.state.names;
    if (column === WRONG_BORDERS) return `${this.nameOf(row)}: right label, other borders`;
    return `${this.nameOf(row)} in ${gold}, ${this.nameOf(column)} in ${predicted}`;
  }

  private nameOf(index: number): string {
    if (index === NO_LABEL) return "nothing";
    if (index === WRONG_BORDERS) return "borders";
    return this.explorer.state.labels[index] ?? "";
  }

  private cellRefOf({ row, column }: CellElement): CellRef {
    const { labels } = this.explorer.state;
    const gold = labels[row] ?? null;
    const predicted = column === WRONG_BORDERS ? gold : (labels[column] ?? null);
    return { gold, predicted, borders: column === WRONG_BORDERS };
  }

  private cellAt([row, column]: readonly [number, number]): CellElement | undefined {
    return this.cells[row]?.[column];
  }

  private press(target: EventTarget | null): void {
    const found = this.findCell(target);
    if (found === null) return;
    this.focused = found;
    this.updateTabStops();
    this.open();
  }

  private findCell(target: EventTarget | null): readonly [number, number] | null {
    const cell = target instanceof Element ? target.closest(".nbner-matrix-cell") : null;
    for (const [i, row] of this.cells.entries()) {
      const j = row.findIndex(({ element }) => element === cell);
      if (cell !== null && j >= 0) return [i, j];
    }
    return null;
  }

  private type(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (arrow !== undefined) this.go(arrow);
    else if (event.key === "Enter" || event.key === " ") this.open(this.opened);
    else return;
    event.preventDefault();
  }

  /** To the next square in a direction that holds something, or else to the next one. */
  private go([down, right]: readonly [number, number]): void {
    const [row, column] = this.focused;
    let next: readonly [number, number] = [row + down, column + right];
    const beside = next;
    while (this.cellAt(next) !== undefined && this.isEmpty(next)) next = [next[0] + down, next[1] + right];
    const goal = this.cellAt(next) === undefined ? beside : next;
    if (this.cellAt(goal) === undefined) return;
    this.focused = goal;
    this.updateTabStops();
    this.focus();
  }

  private isEmpty(place: readonly [number, number]): boolean {
    return this.cellAt(place)?.element.textContent === "";
  }

  /** Starts at the largest number that is an error. */
  private focusLargestError(): void {
    let most = -1;
    this.cells.forEach((row, i) =>
      row.forEach(({ row: r, column: c, element }, j) => {
        const count = r === c ? 0 : Number((element.textContent ?? "").replaceAll(",", ""));
        if (count > most) [most, this.focused] = [count, [i, j]];
      }),
    );
  }

  private open(then?: () => void): void {
    const square = this.cellAt(this.focused);
    if (square !== undefined) this.explorer.open(this.cellRefOf(square), then);
  }

  private enter(target: EventTarget | null): void {
    this.focused = this.findCell(target) ?? this.focused;
    this.updateTabStops();
  }

  private updateTabStops(): void {
    const here = this.cellAt(this.focused)?.element;
    for (const { element } of this.cells.flat()) {
      setAttributes(element, { tabindex: element === here ? "0" : "-1" });
    }
  }
}
