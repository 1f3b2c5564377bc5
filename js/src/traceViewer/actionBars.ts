/** The distribution over the valid actions at one token. Its rows are created once and refilled. */
import { createElement, setAttributes, setLabelColor, setText } from "../shared/dom";
import { isCostly, isZeroCost, actionLabel, actionName, formatShare, tokenText, type ActionChoice, type ParserTrace } from "./trace";

export const MAX_ACTIONS = 8;

interface ActionBar {
  readonly row: HTMLElement;
  readonly name: HTMLElement;
  readonly fill: HTMLElement;
  readonly share: HTMLElement;
  readonly sign: HTMLElement;
}

export class ActionBars {
  readonly element: HTMLElement;
  private readonly title = createElement("div", "step-title", { role: "heading", "aria-level": "3" });
  private readonly rows = Array.from({ length: MAX_ACTIONS }, makeBar);
  private readonly rest = createElement("div", "step-rest");

  constructor(private readonly trace: ParserTrace) {
    const list = createElement("div", "step-rows", { role: "list" }, ...this.rows.map(({ row }) => row));
    this.element = createElement("div", "step-panel", {}, this.title, list, this.rest);
  }

  show(position: number): void {
    const { trace } = this;
    const choices = trace.steps[position];
    const word = choices === undefined ? "" : ` at “${tokenText(trace, position)}”`;
    setText(this.title, choices === undefined ? "Nothing is left to decide" : `What may come next${word}`);
    const shown = picked(choices ?? []);
    this.rows.forEach((bar, i) => this.fill(bar, shown[i], i === 0));
    setText(this.rest, restOf(choices ?? [], shown));
  }

  private fill(bar: ActionBar, choice: ActionChoice | undefined, isChosen: boolean): void {
    setAttributes(bar.row, { "data-empty": choice === undefined ? "" : null });
    if (choice === undefined) {
      setText(bar.name, "");
      setText(bar.share, "");
      setText(bar.sign, "");
      bar.fill.style.transform = "scaleX(0)";
      setAttributes(bar.row, { "data-action": null, "data-chosen": null, "data-free": null, "aria-label": null });
      return;
    }
    const action = actionName(this.trace, choice[0]);
    const sign = signOf(choice, isChosen);
    setText(bar.name, action);
    setText(bar.share, formatShare(choice[1]));
    setText(bar.sign, sign);
    bar.fill.style.transform = `scaleX(${choice[1].toFixed(4)})`;
    setLabelColor(bar.row, this.trace, actionLabel(action));
    setAttributes(bar.row, {
      "data-action": action,
      "data-chosen": isChosen ? "" : null,
      "data-free": isZeroCost(choice) ? "" : isCostly(choice) && isChosen ? "no" : null,
      "aria-label": [action, `probability ${formatShare(choice[1])}`, sign].filter(Boolean).join(", "),
    });
  }
}

function makeBar(): ActionBar {
  const name = createElement("span", "step-action");
  const fill = createElement("span", "step-fill");
  const share = createElement("span", "step-share");
  const sign = createElement("span", "step-sign");
  const track = createElement("span", "step-track", {}, fill);
  return { row: createElement("div", "step-row", { role: "listitem" }, name, track, share, sign), name, fill, share, sign };
}

/** Return the most probable actions, and always one of zero cost if there is any. */
function picked(choices: readonly ActionChoice[]): readonly ActionChoice[] {
  const first = choices.slice(0, MAX_ACTIONS);
  const free = choices.slice(MAX_ACTIONS).find(isZeroCost);
  return free === undefined ? first : [...first.slice(0, MAX_ACTIONS - 1), free];
}

function signOf(choice: ActionChoice, isChosen: boolean): string {
  const chosen = isChosen ? "chosen" : "";
  const oracle = isZeroCost(choice) ? "✓ zero cost" : isChosen && isCostly(choice) ? "✕ costs gold" : "";
  return [chosen, oracle].filter(Boolean).join(" · ");
}

function restOf(choices: readonly ActionChoice[], shown: readonly ActionChoice[]): string {
  const left = choices.length - shown.length;
  if (left === 0) return "";
  const share = choices.reduce((sum, one) => sum + one[1], 0) - shown.reduce((sum, one) => sum + one[1], 0);
  return `and ${left} more, ${formatShare(Math.max(0, share))} together`;
}
