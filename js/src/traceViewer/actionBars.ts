/** The distribution over the valid actions at one word. Its rows are made once and filled anew. */
import { make, setAttributes, setHue, setText } from "../shared/dom";
import { hueOf, type Part } from "./component";
import { costs, isFree, labelOf, nameOf, shareOf, wordOf, type Choice, type Run } from "./trace";

export const ROWS = 8;

interface Bar {
  readonly row: HTMLElement;
  readonly name: HTMLElement;
  readonly fill: HTMLElement;
  readonly share: HTMLElement;
  readonly sign: HTMLElement;
}

export class Bars implements Part {
  readonly element: HTMLElement;
  private readonly title = make("div", "step-title", { role: "heading", "aria-level": "3" });
  private readonly rows = Array.from({ length: ROWS }, makeBar);
  private readonly rest = make("div", "step-rest");

  constructor(private readonly run: Run) {
    const list = make("div", "step-rows", { role: "list" }, ...this.rows.map(({ row }) => row));
    this.element = make("div", "step-panel", {}, this.title, list, this.rest);
  }

  show(place: number): void {
    const { run } = this;
    const choices = run.steps[place];
    const word = choices === undefined ? "" : ` at “${wordOf(run, place)}”`;
    setText(this.title, choices === undefined ? "Nothing is left to decide" : `What may come next${word}`);
    const shown = picked(choices ?? []);
    this.rows.forEach((bar, i) => this.fill(bar, shown[i], i === 0));
    setText(this.rest, restOf(choices ?? [], shown));
  }

  private fill(bar: Bar, choice: Choice | undefined, isChosen: boolean): void {
    setAttributes(bar.row, { "data-empty": choice === undefined ? "" : null });
    if (choice === undefined) {
      setText(bar.name, "");
      setText(bar.share, "");
      setText(bar.sign, "");
      bar.fill.style.transform = "scaleX(0)";
      setAttributes(bar.row, { "data-action": null, "data-chosen": null, "data-free": null, "aria-label": null });
      return;
    }
    const action = nameOf(this.run, choice[0]);
    const sign = signOf(choice, isChosen);
    setText(bar.name, action);
    setText(bar.share, shareOf(choice[1]));
    setText(bar.sign, sign);
    bar.fill.style.transform = `scaleX(${choice[1].toFixed(4)})`;
    setHue(bar.row, hueOf(this.run, labelOf(action)));
    setAttributes(bar.row, {
      "data-action": action,
      "data-chosen": isChosen ? "" : null,
      "data-free": isFree(choice) ? "" : costs(choice) && isChosen ? "no" : null,
      "aria-label": [action, `probability ${shareOf(choice[1])}`, sign].filter(Boolean).join(", "),
    });
  }
}

function makeBar(): Bar {
  const name = make("span", "step-action");
  const fill = make("span", "step-fill");
  const share = make("span", "step-share");
  const sign = make("span", "step-sign");
  const track = make("span", "step-track", {}, fill);
  return { row: make("div", "step-row", { role: "listitem" }, name, track, share, sign), name, fill, share, sign };
}

/** The most probable ones; what costs nothing is always among them. */
function picked(choices: readonly Choice[]): readonly Choice[] {
  const first = choices.slice(0, ROWS);
  const free = choices.slice(ROWS).find(isFree);
  return free === undefined ? first : [...first.slice(0, ROWS - 1), free];
}

function signOf(choice: Choice, isChosen: boolean): string {
  const chosen = isChosen ? "chosen" : "";
  const oracle = isFree(choice) ? "✓ zero cost" : isChosen && costs(choice) ? "✕ costs gold" : "";
  return [chosen, oracle].filter(Boolean).join(" · ");
}

function restOf(choices: readonly Choice[], shown: readonly Choice[]): string {
  const left = choices.length - shown.length;
  if (left === 0) return "";
  const share = choices.reduce((sum, one) => sum + one[1], 0) - shown.reduce((sum, one) => sum + one[1], 0);
  return `and ${left} more, ${shareOf(Math.max(0, share))} together`;
}
