/** The place where the list or every occurrence stands, over the text and never over the buttons. */
import type { AnnotatorController, Part } from "../model/controller";
import { createElement } from "../../shared/dom";
import { OccurrencesView } from "./occurrencesView";
import { ExampleListView } from "./exampleListView";

export class SidePanelView {
  readonly element = createElement("div", "drawer");
  private readonly list: ExampleListView;
  private readonly occurrences: OccurrencesView;
  private shown: ExampleListView | OccurrencesView | null = null;

  /**
   * @param leave Gives the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly leave: () => void,
  ) {
    const close = (): void => this.close();
    this.list = new ExampleListView(controller, close);
    this.occurrences = new OccurrencesView(controller, close);
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
    const { open } = this.controller.sidePanel;
    const next = open === "list" ? this.list : open === "everywhere" ? this.occurrences : null;
    if (next !== this.shown) this.switchTo(next);
    next?.update();
  }

  /** Keys while it is open; tells whether the key has been used up. */
  type(event: KeyboardEvent): boolean {
    if (event.key !== "Escape") return this.shown?.type(event) ?? false;
    this.close();
    return true;
  }

  private switchTo(next: ExampleListView | OccurrencesView | null): void {
    const hadFocus = this.element.contains(document.activeElement);
    this.shown = next;
    this.element.replaceChildren(...(next === null ? [] : [next.element]));
    this.element.hidden = next === null;
    if (hadFocus) this.leave();
  }

  private close(): void {
    this.controller.updatePanel((panels) => panels.close());
    this.leave();
  }
}
