/** One card with all keys, drawn from the table that the keys themselves come from. */
import { formatKeys } from "../shared/keyboard";
import { createButton, createIcon, createElement } from "../shared/dom";
import { TRACE_KEY_BINDINGS } from "./keyBindings";

const SIGNS = [
  ["✓ zero cost", "The training oracle allows it: nothing of the gold is lost that can still be reached"],
  ["✕ costs gold", "The chosen action loses something of the gold"],
  ["beam", "What spaCy's beam search holds before this word, by the sum of raw scores; entities that greedy search has and it has not are struck through"],
] as const;
const MODIFIERS: readonly string[] = ["Shift", "Control", "Alt", "Meta"];

export class TraceHelpCard {
  readonly element = createElement("div", "help", { role: "dialog", "aria-label": "Keys" });

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
    const keys = TRACE_KEY_BINDINGS.map(({ keys: shown, description: does }) => line(shown.map((key) => formatKeys(key, this.mac)), does));
    const signs = SIGNS.map(([sign, does]) => line([sign], does));
    const close = createButton("close", { "aria-label": "Close" }, [createIcon("cross")], () => this.toggle());
    const groups = createElement("div", "help-groups", {}, group("Keys", keys), group("What the signs say", signs));
    this.element.replaceChildren(groups, close);
  }
}

// Hosts style headings and lists in their own way: plain elements with roles stay as they are.

function group(title: string, lines: readonly HTMLElement[]): HTMLElement {
  const heading = createElement("div", "help-title", { role: "heading", "aria-level": "3" }, title);
  return createElement("div", "help-group", {}, heading, createElement("div", "", { role: "list" }, ...lines));
}

function line(keys: readonly string[], does: string): HTMLElement {
  const shown = createElement("span", "help-keys", {}, ...keys.map((key) => createElement("span", "key", {}, key)));
  return createElement("div", "help-line", { role: "listitem" }, shown, createElement("span", "help-does", {}, does));
}
