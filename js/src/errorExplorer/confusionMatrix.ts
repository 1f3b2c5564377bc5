/** The confusion matrix: a grid of numbers, each of which opens its examples. */
import { figure } from "../shared/format";
import { make, setAttributes, setText } from "../shared/dom";
import type { Explorer } from "./explorer";
import { BORDERS, NOTHING, type At, type Cell } from "./messages";

interface Square {
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

const NOWHERE: readonly [number, number] = [-1, -1];

export class MatrixView {
  readonly element = make("div", "matrix", { role: "grid", "aria-label": "Confusion matrix" });
  private squares: Square[][] = [];
  private drawnFor = "";
  /** The square that the focus comes to. */
  private here = NOWHERE;

  /**
   * @param opened Called when a key has opened a square.
   */
  constructor(
    private readonly explorer: Explorer,
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
    const at = JSON.stringify(this.explorer.at);
    for (const square of this.squares.flat()) {
      const isOpen = this.explorer.total !== null && JSON.stringify(this.placeOf(square)) === at;
      setAttributes(square.element, { "aria-selected": String(isOpen) });
    }
  }

  focus(): void {
    this.squareAt(this.here)?.element.focus({ preventScroll: true });
  }

  private draw(): void {
    const { labels, names } = this.explorer.state;
    const indices = [...labels.keys(), NOTHING];
    const heads = [...indices, BORDERS].map((index) => this.head(index));
    const corner = make("div", "matrix-corner", {}, `${names[0]} ↓  ${names[1]} →`);
    const top = make("div", "matrix-row", { role: "row" }, corner, ...heads);
    this.squares = indices.map((row) => [...indices, BORDERS].map((column) => this.square(row, column)));
    const rows = this.squares.map((squares, i) => {
      const name = this.nameOf(indices[i] ?? NOTHING);
      const side = make("div", "matrix-side", { role: "rowheader", title: name }, make("bdi", "", {}, name));
      return make("div", "matrix-row", { role: "row" }, side, ...squares.map(({ element }) => element));
    });
    this.element.style.setProperty("--nbner-columns", String(indices.length + 1));
    this.element.replaceChildren(top, ...rows);
    this.here = NOWHERE;
  }

  private head(index: number): HTMLElement {
    const name = this.nameOf(index);
    return make("div", "matrix-head", { role: "columnheader", title: name }, make("bdi", "", {}, name));
  }

  private square(row: number, column: number): Square {
    const element = make("div", "matrix-cell", { role: "gridcell", "data-cell": `${row}:${column}` });
    return { row, column, element };
  }

  private fill(cells: readonly Cell[]): void {
    const counts = new Map(cells.map((cell) => [`${cell[0]}:${cell[1]}`, cell]));
    const totals = new Map<number, number>();
    cells.forEach(([row, , count]) => totals.set(row, (totals.get(row) ?? 0) + count));
    for (const square of this.squares.flat()) {
      const [, , count, moved] = counts.get(`${square.row}:${square.column}`) ?? [0, 0, 0, 0];
      this.dress(square, count, moved, totals.get(square.row) ?? 0);
    }
    if ((this.squareAt(this.here)?.element.textContent ?? "") === "") this.settle();
    this.rove();
  }

  private dress(square: Square, count: number, moved: number, total: number): void {
    const { row, column, element } = square;
    const isRight = row === column;
    setText(element, count === 0 ? "" : figure(count));
    setAttributes(element, {
      "data-right": isRight ? "" : null,
      "data-empty": count === 0 ? "" : null,
      "aria-label": `${this.sentence(row, column)}: ${figure(count)}`,
      title: count === 0 ? null : this.hint(row, column, count, moved, total),
    });
    element.style.setProperty("--nbner-share", String(total === 0 ? 0 : Math.sqrt(count / total)));
  }

  private hint(row: number, column: number, count: number, moved: number, total: number): string {
    const also = moved > 0 ? `, ${figure(moved)} of them with other borders` : "";
    return `${this.sentence(row, column)}: ${figure(count)} of ${figure(total)}${also}`;
  }

  private sentence(row: number, column: number): string {
    const [gold, predicted] = this.explorer.state.names;
    if (column === BORDERS) return `${this.nameOf(row)}: right label, other borders`;
    return `${this.nameOf(row)} in ${gold}, ${this.nameOf(column)} in ${predicted}`;
  }

  private nameOf(index: number): string {
    if (index === NOTHING) return "nothing";
    if (index === BORDERS) return "borders";
    return this.explorer.state.labels[index] ?? "";
  }

  private placeOf({ row, column }: Square): At {
    const { labels } = this.explorer.state;
    const gold = labels[row] ?? null;
    const predicted = column === BORDERS ? gold : (labels[column] ?? null);
    return { gold, predicted, borders: column === BORDERS };
  }

  private squareAt([row, column]: readonly [number, number]): Square | undefined {
    return this.squares[row]?.[column];
  }

  private press(target: EventTarget | null): void {
    const found = this.findSquare(target);
    if (found === null) return;
    this.here = found;
    this.rove();
    this.open();
  }

  private findSquare(target: EventTarget | null): readonly [number, number] | null {
    const cell = target instanceof Element ? target.closest(".nbner-matrix-cell") : null;
    for (const [i, row] of this.squares.entries()) {
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
    const [row, column] = this.here;
    let next: readonly [number, number] = [row + down, column + right];
    const beside = next;
    while (this.squareAt(next) !== undefined && this.isEmpty(next)) next = [next[0] + down, next[1] + right];
    const goal = this.squareAt(next) === undefined ? beside : next;
    if (this.squareAt(goal) === undefined) return;
    this.here = goal;
    this.rove();
    this.focus();
  }

  private isEmpty(place: readonly [number, number]): boolean {
    return this.squareAt(place)?.element.textContent === "";
  }

  /** Starts at the largest number that is an error. */
  private settle(): void {
    let most = -1;
    this.squares.forEach((row, i) =>
      row.forEach(({ row: r, column: c, element }, j) => {
        const count = r === c ? 0 : Number((element.textContent ?? "").replaceAll(",", ""));
        if (count > most) [most, this.here] = [count, [i, j]];
      }),
    );
  }

  private open(then?: () => void): void {
    const square = this.squareAt(this.here);
    if (square !== undefined) this.explorer.open(this.placeOf(square), then);
  }

  private enter(target: EventTarget | null): void {
    this.here = this.findSquare(target) ?? this.here;
    this.rove();
  }

  private rove(): void {
    const here = this.squareAt(this.here)?.element;
    for (const { element } of this.squares.flat()) {
      setAttributes(element, { tabindex: element === here ? "0" : "-1" });
    }
  }
}
