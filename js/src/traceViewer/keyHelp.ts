/** One card with all keys, drawn from the table that the keys themselves come from. */
import { spell } from "../shared/keyboard";
import { button, icon, make } from "../shared/dom";
import { ROWS } from "./keyBindings";

const SIGNS = [
  ["✓ zero cost", "The training oracle allows it: nothing of the gold is lost that can still be reached"],
  ["✕ costs gold", "The chosen action loses something of the gold"],
  ["beam", "What spaCy's beam search holds before this word, by the sum of raw scores; entities that greedy search has and it has not are struck through"],
] as const;
const MODIFIERS: readonly string[] = ["Shift", "Control", "Alt", "Meta"];

export class Card {
  readonly element = make("div", "help", { role: "dialog", "aria-label": "Keys" });

  constructor(private readonly mac: boolean) {
    this.element.hidden = true;
    this.element.addEventListener("click", () => this.toggle());
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  toggle(): void {
    if (!this.element.hasChildNodes()) this.fill();
    this.element.hidden = !this.element.hidden;
  }

  /** Any key closes it. */
  type(key: string): void {
    if (!MODIFIERS.includes(key)) this.element.hidden = true;
  }

  private fill(): void {
    const keys = ROWS.map(({ shown, does }) => line(shown.map((key) => spell(key, this.mac)), does));
    const signs = SIGNS.map(([sign, does]) => line([sign], does));
    const close = button("close", { "aria-label": "Close" }, [icon("cross")], () => this.toggle());
    const groups = make("div", "help-groups", {}, group("Keys", keys), group("What the signs say", signs));
    this.element.replaceChildren(groups, close);
  }
}

// Hosts style headings and lists in their own way: plain elements with roles stay as they are.

function group(title: string, lines: readonly HTMLElement[]): HTMLElement {
  const heading = make("div", "help-title", { role: "heading", "aria-level": "3" }, title);
  return make("div", "help-group", {}, heading, make("div", "", { role: "list" }, ...lines));
}

function line(keys: readonly string[], does: string): HTMLElement {
  const shown = make("span", "help-keys", {}, ...keys.map((key) => make("span", "key", {}, key)));
  return make("div", "help-line", { role: "listitem" }, shown, make("span", "help-does", {}, does));
}
