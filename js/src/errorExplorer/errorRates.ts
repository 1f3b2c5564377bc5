/** Error rates by what spans are like: bars with their intervals, each of which opens its examples. */
import { formatCount } from "../shared/format";
import { createButton, createElement, setText } from "../shared/dom";
import type { ErrorExplorer } from "./explorer";
import type { ErrorRate } from "./messages";

export class ErrorRatesView {
  readonly element = createElement("div", "rates", { hidden: "" });
  private readonly title = createElement("div", "rates-title");
  private readonly rows = createElement("div", "rates-rows", { role: "list" });

  /**
   * @param opened Called when a key has opened a bar.
   */
  constructor(
    private readonly explorer: ErrorExplorer,
    private readonly opened: () => void,
  ) {
    this.element.append(this.title, this.rows);
    this.element.addEventListener("keydown", (event) => this.type(event));
  }

  update(): void {
    const { errorRates: bars, view } = this.explorer;
    this.element.hidden = view === "matrix";
    if (bars === null) return setText(this.title, "…");
    setText(this.title, `Error rate by ${bars.description}, with 95 % intervals`);
    this.rows.replaceChildren(...bars.rates.map((bar) => this.write(bar)));
    this.mark();
  }

  mark(): void {
    const { openCell: at } = this.explorer;
    for (const row of this.buttons) {
      const isOpen = "bucket" in at && at.bucket === row.dataset.bar && at.factor === this.explorer.view;
      row.setAttribute("aria-pressed", String(isOpen));
    }
  }

  focus(): void {
    this.buttons[0]?.focus({ preventScroll: true });
  }

  private get buttons(): HTMLElement[] {
    return [...this.rows.children] as HTMLElement[];
  }

  private write([name, n, errors, rate, low, high, share]: ErrorRate): HTMLElement {
    const bar = createElement("span", "rate-bar", { "aria-hidden": "true" }, createElement("b", ""), createElement("i", ""));
    bar.style.setProperty("--nbner-rate", String(rate ?? 0));
    bar.style.setProperty("--nbner-low", String(low ?? 0));
    bar.style.setProperty("--nbner-high", String(high ?? 0));
    const says = `${percent(rate)} wrong (${percent(low)} to ${percent(high)})`;
    const counts = `${formatCount(errors)} of ${formatCount(n)} · ${percent(share)} of all errors`;
    const parts = [
      createElement("bdi", "rate-name", {}, name),
      bar,
      createElement("span", "rate-says", {}, says),
      createElement("span", "rate-counts", {}, counts),
    ];
    const attributes = { "data-bar": name, "aria-label": `${name}: ${says}, ${counts}`, role: "listitem" };
    return createButton("rate", attributes, parts, (event) => {
      // A press of a key goes on to what it has opened.
      const then = event.detail === 0 ? this.opened : undefined;
      this.explorer.open({ factor: this.explorer.view, bucket: name }, then);
    });
  }

  private type(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const at = this.buttons.findIndex((one) => one.matches(":focus"));
    this.buttons[at + by]?.focus();
  }
}

const percent = (value: number | null): string => (value === null ? "–" : `${Math.round(100 * value)} %`);
