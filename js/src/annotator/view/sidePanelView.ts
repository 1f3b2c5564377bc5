/** The place where the list or every occurrence stands, over the text and never over the buttons. */
import type { Controller, Part } from "../model/controller";
import { make } from "../../shared/dom";
import { EverywherePanel } from "./occurrencesView";
import { ListPanel } from "./exampleListView";

export class Drawer {
  readonly element = make("div", "drawer");
  private readonly list: ListPanel;
  private readonly everywhere: EverywherePanel;
  private shown: ListPanel | EverywherePanel | null = null;

  /**
   * @param leave Gives the focus back to the text.
   */
  constructor(
    private readonly controller: Controller,
    private readonly leave: () => void,
  ) {
    const close = (): void => this.close();
    this.list = new ListPanel(controller, close);
    this.everywhere = new EverywherePanel(controller, close);
    this.element.hidden = true;
  }

  get isOpen(): boolean {
    return this.shown !== null;
  }

  /** Puts the hand where one types. */
  focus(): void {
    this.shown?.focus();
  }

  update(parts: ReadonlySet<Part>): void {
    if (!parts.has("panel") && !parts.has("setup")) return;
    const { open } = this.controller.panels;
    const next = open === "list" ? this.list : open === "everywhere" ? this.everywhere : null;
    if (next !== this.shown) this.exchange(next);
    next?.update();
  }

  /** Keys while it is open; tells whether the key has been used up. */
  type(event: KeyboardEvent): boolean {
    if (event.key !== "Escape") return this.shown?.type(event) ?? false;
    this.close();
    return true;
  }

  private exchange(next: ListPanel | EverywherePanel | null): void {
    const hadFocus = this.element.contains(document.activeElement);
    this.shown = next;
    this.element.replaceChildren(...(next === null ? [] : [next.element]));
    this.element.hidden = next === null;
    if (hadFocus) this.leave();
  }

  private close(): void {
    this.controller.atPanel((panels) => panels.close());
    this.leave();
  }
}
