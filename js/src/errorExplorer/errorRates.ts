/** Error rates by a factor: bars with confidence intervals, each of which opens its findings. */
import { createButton, createElement, setText } from "../shared/dom";
import { formatCount } from "../shared/format";
import { reactive, type EffectScope } from "../shared/reactive";
import type { ErrorExplorer } from "./explorer";
import type { ErrorRate } from "./messages";

export class ErrorRatesView {
  readonly element = createElement("div", "rates");
  private readonly state = reactive<{ buttons: readonly HTMLButtonElement[] }>({ buttons: [] });
  private readonly title = createElement("div", "rates-title");
  private readonly rows = createElement("div", "rates-rows", { role: "list" });

  /**
   * @param onOpened Called when a key has opened a bar.
   */
  constructor(
    private readonly explorer: ErrorExplorer,
    private readonly onOpened: () => void,
    effects: EffectScope,
  ) {
    this.element.append(this.title, this.rows);
    this.element.addEventListener("keydown", (event) => this.handleKey(event));
    effects.run(() => this.showRates());
    effects.run(() => this.showOpen());
  }

  focus(): void {
    this.state.buttons[0]?.focus({ preventScroll: true });
  }

  /** While rates are loaded, the rows of the last ones stay, so that nothing below them moves. */
  private showRates(): void {
    const { errorRates } = this.explorer.state;
    if (errorRates === null) return setText(this.title, "…");
    setText(this.title, `Error rate by ${errorRates.description}, with 95 % intervals`);
    const buttons = errorRates.rates.map((rate) => this.createBar(rate));
    this.rows.replaceChildren(...buttons);
    this.state.buttons = buttons;
  }

  private showOpen(): void {
    const { openCell, view } = this.explorer.state;
    for (const button of this.state.buttons) {
      const isOpen =
        "bucket" in openCell && openCell.bucket === button.dataset.bar && openCell.factor === view;
      button.setAttribute("aria-pressed", String(isOpen));
    }
  }

  private createBar([name, n, errors, rate, low, high, share]: ErrorRate): HTMLButtonElement {
    const bar = createElement(
      "span",
      "rate-bar",
      { "aria-hidden": "true" },
      createElement("b", ""),
      createElement("i", ""),
    );
    bar.style.setProperty("--nbner-rate", String(rate ?? 0));
    bar.style.setProperty("--nbner-low", String(low ?? 0));
    bar.style.setProperty("--nbner-high", String(high ?? 0));
    const summary = `${formatPercent(rate)} wrong (${formatPercent(low)} to ${formatPercent(high)})`;
    const counts = `${formatCount(errors)} of ${formatCount(n)} · ${formatPercent(share)} of all errors`;
    const parts = [
      createElement("bdi", "rate-name", {}, name),
      bar,
      createElement("span", "rate-says", {}, summary),
      createElement("span", "rate-counts", {}, counts),
    ];
    const attributes = { "data-bar": name, "aria-label": `${name}: ${summary}, ${counts}`, role: "listitem" };
    return createButton("rate", attributes, parts, (event) => {
      // After a press from the keyboard, the focus moves on to what it has opened.
      const then = event.detail === 0 ? this.onOpened : undefined;
      this.explorer.open({ factor: this.explorer.state.view, bucket: name }, then);
    });
  }

  private handleKey(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const focused = this.state.buttons.findIndex((one) => one.matches(":focus"));
    this.state.buttons[focused + by]?.focus();
  }
}

const formatPercent = (value: number | null): string =>
  value === null ? "–" : `${Math.round(100 * value)} %`;
