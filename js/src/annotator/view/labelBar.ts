/** The labels, with their keys; with many of them, a field that filters them by name. */
import { createButton, createElement, createKeyHint, setAttributes, setLabelColor } from "../../shared/dom";
import { formatKeys } from "../../shared/keyboard";
import type { AnnotatorController, Part } from "../model/controller";
import { labelChord, MIN_LABELS_TO_FILTER } from "../model/keyBindings";

export class LabelBar {
  readonly element: HTMLElement;
  private readonly list = createElement("div", "labels");
  private readonly filter: HTMLInputElement;
  private readonly field: HTMLElement;
  private buttons: { label: string; element: HTMLButtonElement }[] = [];
  private byLabel = new Map<string, HTMLButtonElement>();
  private active: HTMLButtonElement | null = null;
  private current: HTMLButtonElement | null = null;

  /**
   * @param leave Gives the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly mac: boolean,
    private readonly leave: () => void,
  ) {
    this.filter = createElement("input", "filter", {
      type: "text",
      placeholder: "filter",
      "aria-label": "Filter labels by name",
      "aria-keyshortcuts": "/",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.field = createElement("div", "field", {}, this.filter, createKeyHint("/"));
    this.element = createElement(
      "div",
      "bar",
      { role: "group", "aria-label": "Labels" },
      this.list,
      this.field,
    );
    this.filter.addEventListener("input", () => this.narrow());
    this.filter.addEventListener("blur", () => this.reset());
    this.build();
  }

  update(parts: ReadonlySet<Part>): void {
    if (parts.has("setup")) this.build();
    if (parts.has("setup") || parts.has("label")) this.showActive();
    if (parts.has("cursor") || parts.has("spans") || parts.has("example")) this.showCurrent();
  }

  focusFilter(): void {
    if (!this.field.hidden) this.filter.focus({ preventScroll: true });
  }

  owns(target: EventTarget | null): boolean {
    return target === this.filter;
  }

  /** Keys typed into the filter; tells whether the key has been used up. */
  type(key: string): boolean {
    if (key === "Enter") this.pickBest();
    if (key === "Escape" || key === "Enter") this.leave();
    return key === "Escape" || key === "Enter" || key.startsWith("Arrow");
  }

  private build(): void {
    const { setup } = this.controller;
    this.buttons = setup.labels.map((label, i) => ({ label, element: this.makeButton(label, i) }));
    this.byLabel = new Map(this.buttons.map(({ label, element }) => [label, element]));
    this.active = this.current = null;
    this.list.replaceChildren(...this.buttons.map(({ element }) => element));
    this.field.hidden = setup.labels.length < MIN_LABELS_TO_FILTER;
    this.showActive();
  }

  private makeButton(label: string, index: number): HTMLButtonElement {
    const chord = labelChord(index);
    const hint = chord === null ? null : createKeyHint(formatKeys(chord, this.mac));
    const name = createElement("bdi", "pick-name", {}, label);
    // The caret walks the text: a tab stop for each label would lie in its way.
    const attributes = {
      "data-pick": label,
      "aria-label": label,
      "aria-keyshortcuts": chord,
      "aria-pressed": "false",
      tabindex: "-1",
    };
    const element = createButton("pick", attributes, [hint, name], () => {
      this.controller.pickLabel(label);
      this.leave();
    });
    setLabelColor(element, this.controller.setup.colors[label]);
    return element;
  }

  private showActive(): void {
    const active = this.byLabel.get(this.controller.activeLabel ?? "") ?? null;
    if (active === this.active) return;
    this.active?.setAttribute("aria-pressed", "false");
    active?.setAttribute("aria-pressed", "true");
    this.active = active;
  }

  private showCurrent(): void {
    const current = this.byLabel.get(this.controller.currentSpan?.label ?? "") ?? null;
    if (current === this.current) return;
    this.current?.removeAttribute("data-current");
    current?.setAttribute("data-current", "");
    this.current = current;
  }

  private get sought(): string {
    return this.filter.value.trim().toLocaleLowerCase();
  }

  /** The first label that begins with what is typed, or else that holds it. */
  private get best(): string | null {
    const { sought } = this;
    if (sought === "") return null;
    const found = this.buttons.map(({ label }) => label).filter((label) => matches(label, sought));
    return found.find((label) => label.toLocaleLowerCase().startsWith(sought)) ?? found[0] ?? null;
  }

  private narrow(): void {
    // The bar keeps its height while labels come and go.
    this.list.style.minHeight = this.sought === "" ? "" : `${this.list.offsetHeight}px`;
    for (const { label, element } of this.buttons) {
      element.hidden = !matches(label, this.sought);
      setAttributes(element, { "data-best": label === this.best ? "" : null });
    }
  }

  private pickBest(): void {
    if (this.best !== null) this.controller.pickLabel(this.best);
  }

  private reset(): void {
    this.filter.value = "";
    this.narrow();
  }
}

const matches = (label: string, sought: string): boolean =>
  label.toLocaleLowerCase().includes(sought);
