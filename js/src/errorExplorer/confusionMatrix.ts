/** The confusion matrix: a grid of counts, each of which opens its findings. */
import { createElement, setAttributes, setText } from "../shared/dom";
import { formatCount } from "../shared/format";
import { reactive, type EffectScope } from "../shared/reactive";
import type { ErrorExplorer } from "./explorer";
import { NO_LABEL, WRONG_BORDERS, type CellRef, type MatrixCell } from "./messages";

/** Row and column in the grid as it is rendered. */
type GridPosition = readonly [row: number, column: number];

/** A cell's element, with its row and column as in `MatrixCell`. */
interface CellElement {
  readonly row: number;
  readonly column: number;
  readonly element: HTMLElement;
}

const ARROWS: Readonly<Record<string, GridPosition>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

const NO_POSITION: GridPosition = [-1, -1];

export class ConfusionMatrix {
  readonly element = createElement("div", "matrix", { role: "grid", "aria-label": "Confusion matrix" });
  private readonly state = reactive<{ grid: readonly (readonly CellElement[])[] }>({ grid: [] });
  private renderedFor = "";
  /** The cell that takes the focus. */
  private focused = NO_POSITION;

  /**
   * @param onOpened Called when a key has opened a cell.
   */
  constructor(
    private readonly explorer: ErrorExplorer,
    private readonly onOpened: () => void,
    effects: EffectScope,
  ) {
    this.element.addEventListener("click", (event) => this.press(event.target));
    this.element.addEventListener("keydown", (event) => this.handleKey(event));
    this.element.addEventListener("focusin", (event) => this.onFocus(event.target));
    effects.run(() => this.renderGrid());
    effects.run(() => this.fillCells());
    effects.run(() => this.showOpen());
  }

  focus(): void {
    this.cellAt(this.focused)?.element.focus({ preventScroll: true });
  }

  /** Render the grid, unless labels and names are those it was rendered for. */
  private renderGrid(): void {
    const { labels, names } = this.explorer.state.overview;
    const signature = JSON.stringify([labels, names]);
    if (signature === this.renderedFor) return;
    this.renderedFor = signature;
    const indices = [...labels.keys(), NO_LABEL];
    const grid = indices.map((row) => [...indices, WRONG_BORDERS].map((column) => createCell(row, column)));
    const heads = [...indices, WRONG_BORDERS].map((index) => this.createHeader("matrix-head", "columnheader", index));
    const corner = createElement("div", "matrix-corner", {}, `${names[0]} ↓  ${names[1]} →`);
    const top = createElement("div", "matrix-row", { role: "row" }, corner, ...heads);
    const rows = grid.map((cells, i) => {
      const header = this.createHeader("matrix-side", "rowheader", indices[i] ?? NO_LABEL);
      return createElement("div", "matrix-row", { role: "row" }, header, ...cells.map(({ element }) => element));
    });
    this.element.style.setProperty("--nbner-columns", String(indices.length + 1));
    this.element.replaceChildren(top, ...rows);
    this.focused = NO_POSITION;
    this.state.grid = grid;
  }

  private createHeader(className: string, role: string, index: number): HTMLElement {
    const name = this.nameOf(index);
    return createElement("div", className, { role, title: name }, createElement("bdi", "", {}, name));
  }

  private fillCells(): void {
    const { cells } = this.explorer.state.overview;
    const byKey = new Map(cells.map((cell) => [`${cell[0]}:${cell[1]}`, cell]));
    const totals = new Map<number, number>();
    cells.forEach(([row, , count]) => totals.set(row, (totals.get(row) ?? 0) + count));
    for (const cell of this.state.grid.flat()) {
      const values = byKey.get(`${cell.row}:${cell.column}`) ?? [cell.row, cell.column, 0, 0];
      this.fillCell(cell.element, values, totals.get(cell.row) ?? 0);
    }
    if ((this.cellAt(this.focused)?.element.textContent ?? "") === "") this.focusLargestError();
    this.updateTabStops();
  }

  private fillCell(element: HTMLElement, [row, column, count, moved]: MatrixCell, total: number): void {
    const name = `${this.describeCell(row, column)}: ${formatCount(count)}`;
    const also = moved > 0 ? `, ${formatCount(moved)} of them with other borders` : "";
    setText(element, count === 0 ? "" : formatCount(count));
    setAttributes(element, {
      "data-right": row === column ? "" : null,
      "data-empty": count === 0 ? "" : null,
      "aria-label": name,
      title: count === 0 ? null : `${name} of ${formatCount(total)}${also}`,
    });
    element.style.setProperty("--nbner-share", String(total === 0 ? 0 : Math.sqrt(count / total)));
  }

  private showOpen(): void {
    const { openCell, total } = this.explorer.state;
    const open = JSON.stringify(openCell);
    for (const cell of this.state.grid.flat()) {
      const isOpen = total !== null && JSON.stringify(this.cellRefOf(cell)) === open;
      setAttributes(cell.element, { "aria-selected": String(isOpen) });
    }
  }

  private describeCell(row: number, column: number): string {
    const [gold, predicted] = this.explorer.state.overview.names;
    if (column === WRONG_BORDERS) return `${this.nameOf(row)}: right label, other borders`;
    return `${this.nameOf(row)} in ${gold}, ${this.nameOf(column)} in ${predicted}`;
  }

  private nameOf(index: number): string {
    if (index === NO_LABEL) return "nothing";
    if (index === WRONG_BORDERS) return "borders";
    return this.explorer.state.overview.labels[index] ?? "";
  }

  private cellRefOf({ row, column }: CellElement): CellRef {
    const { labels } = this.explorer.state.overview;
    const gold = labels[row] ?? null;
    const predicted = column === WRONG_BORDERS ? gold : (labels[column] ?? null);
    return { gold, predicted, borders: column === WRONG_BORDERS };
  }

  private cellAt([row, column]: GridPosition): CellElement | undefined {
    return this.state.grid[row]?.[column];
  }

  private findCell(target: EventTarget | null): GridPosition | null {
    const cell = target instanceof Element ? target.closest(".nbner-matrix-cell") : null;
    for (const [i, row] of this.state.grid.entries()) {
      const j = row.findIndex(({ element }) => element === cell);
      if (cell !== null && j >= 0) return [i, j];
    }
    return null;
  }

  private press(target: EventTarget | null): void {
    const found = this.findCell(target);
    if (found === null) return;
    this.setFocused(found);
    this.open();
  }

  private onFocus(target: EventTarget | null): void {
    this.setFocused(this.findCell(target) ?? this.focused);
  }

  private handleKey(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (arrow !== undefined) this.moveFocus(arrow);
    else if (event.key === "Enter" || event.key === " ") this.open(this.onOpened);
    else return;
    event.preventDefault();
  }

  /** Move the focus to the next cell in a direction with a count, or else to the adjacent one. */
  private moveFocus([down, right]: GridPosition): void {
    const [row, column] = this.focused;
    const adjacent: GridPosition = [row + down, column + right];
    let next = adjacent;
    while (this.cellAt(next)?.element.textContent === "") next = [next[0] + down, next[1] + right];
    const goal = this.cellAt(next) === undefined ? adjacent : next;
    if (this.cellAt(goal) === undefined) return;
    this.setFocused(goal);
    this.focus();
  }

  private focusLargestError(): void {
    let most = -1;
    this.state.grid.forEach((cells, i) =>
      cells.forEach(({ row, column, element }, j) => {
        const count = row === column ? 0 : Number((element.textContent ?? "").replaceAll(",", ""));
        if (count > most) [most, this.focused] = [count, [i, j]];
      }),
    );
  }

  private open(then?: () => void): void {
    const cell = this.cellAt(this.focused);
    if (cell !== undefined) this.explorer.open(this.cellRefOf(cell), then);
  }

  private setFocused(position: GridPosition): void {
    this.focused = position;
    this.updateTabStops();
  }

  private updateTabStops(): void {
    const focused = this.cellAt(this.focused)?.element;
    for (const { element } of this.state.grid.flat()) {
      setAttributes(element, { tabindex: element === focused ? "0" : "-1" });
    }
  }
}

function createCell(row: number, column: number): CellElement {
  const attributes = { role: "gridcell", "data-cell": `${row}:${column}` };
  return { row, column, element: createElement("div", "matrix-cell", attributes) };
}
