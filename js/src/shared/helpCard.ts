/** A card that lists keys and signs with their meanings. */
import { createButton, createElement, createIcon } from "./dom";

/** Lines under a title: the keys or signs, and what they mean. */
export interface HelpGroup {
  readonly title: string;
  readonly lines: readonly (readonly [keys: readonly string[], description: string])[];
}

/** Pixels of the widget above and below the card. */
const MARGIN = 6;

export class HelpCard {
  readonly element = createElement("div", "help", { role: "dialog", "aria-label": "Keys" });

  /**
   * @param groups Called each time the card is opened.
   */
  constructor(private readonly groups: () => readonly HelpGroup[]) {
    this.element.hidden = true;
    this.element.addEventListener("click", () => this.close());
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  toggle(): void {
    if (this.isOpen) this.close();
    else this.open();
  }

  open(): void {
    const close = createButton("close", { "aria-label": "Close" }, [createIcon("cross")], () => this.close());
    const groups = createElement("div", "help-groups", {}, ...this.groups().map(renderGroup));
    this.element.replaceChildren(groups, close);
    this.element.hidden = false;
    // The widget is as high as its card while that is open, so that no line is cut off.
    const { parentElement: root, scrollHeight } = this.element;
    root?.style.setProperty("min-height", `${scrollHeight + MARGIN}px`);
  }

  close(): void {
    this.element.hidden = true;
    this.element.parentElement?.style.removeProperty("min-height");
  }

  /** Handle a key: those that scroll do so where the card is cut off, any other closes it. */
  handleKey(key: string): void {
    const { scrollHeight, clientHeight } = this.element;
    const share = SCROLL_SHARES[key];
    if (share !== undefined && scrollHeight > clientHeight) this.element.scrollTop += share * clientHeight;
    else if (!MODIFIERS.includes(key)) this.close();
  }
}

/** The share of the card's height by which a key scrolls. */
const SCROLL_SHARES: Readonly<Record<string, number>> = {
  ArrowDown: 0.2,
  ArrowUp: -0.2,
  PageDown: 0.8,
  PageUp: -0.8,
};
const MODIFIERS: readonly string[] = ["Shift", "Control", "Alt", "Meta"];

// Hosts style headings and lists in their own way: plain elements with roles are left alone.

function renderGroup({ title, lines }: HelpGroup): HTMLElement {
  const heading = createElement("div", "help-title", { role: "heading", "aria-level": "3" }, title);
  return createElement("div", "help-group", {}, heading, createElement("div", "", { role: "list" }, ...lines.map(renderLine)));
}

function renderLine([keys, description]: HelpGroup["lines"][number]): HTMLElement {
  const hints = keys.map((key) => createElement("span", "key", {}, key));
  const parts = [
    createElement("span", "help-keys", {}, ...hints),
    createElement("span", "help-does", {}, description),
  ];
  return createElement("div", "help-line", { role: "listitem" }, ...parts);
}
