/** The panel that covers the text, but not the buttons: examples, occurrences, labels, or what the model is sure of. */
import { createElement } from "../../shared/dom";
import type { EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";
import { ConfidentTextsView } from "./confidentTextsView";
import { ExampleListView } from "./exampleListView";
import type { PanelName } from "../model/sidePanel";
import { LabelsView } from "./labelsView";
import { OccurrencesView } from "./occurrencesView";

type Panel = ExampleListView | OccurrencesView | LabelsView | ConfidentTextsView;

export class SidePanelView {
  readonly element = createElement("div", "side-panel");
  private readonly views: Readonly<Record<PanelName, Panel>>;
  private open: Panel | null = null;

  /**
   * @param focusText Moves the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    effects: EffectScope,
  ) {
    const close = (): void => this.close();
    this.views = {
      list: new ExampleListView(controller, close),
      occurrences: new OccurrencesView(controller, close),
      labels: new LabelsView(controller, close),
      confident: new ConfidentTextsView(controller, close),
    };
    this.element.hidden = true;
    effects.run(() => this.update());
  }

  get isOpen(): boolean {
    return this.open !== null;
  }

  focus(): void {
    this.open?.focus();
  }

  /** Handle a key while the panel is open; return whether it has been handled. */
  handleKey(event: KeyboardEvent): boolean {
    if (event.key !== "Escape" || this.open instanceof LabelsView) {
      const isHandled = this.open?.handleKey(event) ?? false;
      if (isHandled || event.key !== "Escape") return isHandled;
    }
    this.close();
    return true;
  }

  private update(): void {
    const name = this.controller.sidePanel.open;
    const view = name === null ? null : this.views[name];
    if (view !== this.open) this.switchTo(view);
    view?.update();
  }

  private switchTo(view: Panel | null): void {
    const hadFocus = this.element.contains(document.activeElement);
    // Before the focused field goes: a widget without the focus counts as left after Escape.
    if (hadFocus) this.focusText();
    this.open = view;
    this.element.replaceChildren(...(view === null ? [] : [view.element]));
    this.element.hidden = view === null;
  }

  private close(): void {
    this.controller.updatePanel((sidePanel) => sidePanel.close());
    this.focusText();
  }
}
