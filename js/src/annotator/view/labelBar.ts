/** The labels with their keys; from a certain number on, with a field that filters them by name. */
import { createButton, createElement, createKeyHint, setAttributes, setLabelColor } from "../../shared/dom";
import { formatKeys } from "../../shared/keyboard";
import { computed, type EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";
import { MIN_LABELS_TO_FILTER } from "../model/keyBindings";
import { ariaOf, signOf } from "../model/keyMap";
import { showKey } from "./keyHint";
import type { LabelTip } from "./labelTip";

export class LabelBar {
  readonly element: HTMLElement;
  private readonly list = createElement("div", "labels");
  private readonly filter: HTMLInputElement;
  private readonly field: HTMLElement;
  private readonly buttons = computed(
    () => new Map(this.controller.setup.labels.map((label) => [label, this.createButton(label)])),
  );

  /**
   * @param focusText Moves the focus back to the text.
   * @param tip Shows the definition of a label.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    private readonly tip: LabelTip,
    effects: EffectScope,
  ) {
    this.filter = createElement("input", "filter", {
      type: "text",
      placeholder: "filter",
      "aria-label": "Filter labels by name",
      autocomplete: "off",
      spellcheck: "false",
    });
    const filterHint = createKeyHint("");
    this.field = createElement("div", "field", {}, this.filter, filterHint);
    effects.run(() => showKey(controller, "filter", this.filter, filterHint));
    this.element = createElement("div", "bar", { role: "group", "aria-label": "Labels" }, this.list, this.field);
    this.filter.addEventListener("input", () => this.applyFilter());
    this.filter.addEventListener("blur", () => this.resetFilter());
    tip.follow(this.list);
    effects.run(() => this.showButtons());
    effects.run(() => this.flag("aria-pressed", controller.activeLabel, "true", "false"));
    effects.run(() => this.flag("data-current", controller.currentSpan?.label ?? null, "", null));
  }

  focusFilter(): void {
    if (!this.field.hidden) this.filter.focus({ preventScroll: true });
  }

  owns(target: EventTarget | null): boolean {
    return target === this.filter;
  }

  /** Handle a key typed into the filter; return whether it has been handled. */
  handleKey(key: string): boolean {
    if (key === "Enter") this.pickBest();
    if (key === "Escape" || key === "Enter") this.focusText();
    return key === "Escape" || key === "Enter" || key.startsWith("Arrow");
  }

  private showButtons(): void {
    const buttons = this.buttons.value;
    this.list.replaceChildren(...buttons.values());
    this.field.hidden = buttons.size < MIN_LABELS_TO_FILTER;
  }

  /** Set an attribute of one label's button; return the cleanup that resets it. */
  private flag(name: string, label: string | null, on: string, off: string | null): () => void {
    const button = this.buttons.value.get(label ?? "");
    if (button !== undefined) setAttributes(button, { [name]: on });
    return () => {
      if (button !== undefined) setAttributes(button, { [name]: off });
    };
  }

  private createButton(label: string): HTMLButtonElement {
    const chord = this.controller.keyMap.chordOfLabel(label);
    const hint = chord === null ? null : createKeyHint(formatKeys(signOf(chord)));
    const name = createElement("bdi", "pick-name", {}, label);
    const attributes = {
      "data-pick": label,
      "aria-description": this.controller.setup.definitions?.[label] ?? null,
      "aria-keyshortcuts": chord === null ? null : ariaOf(chord),
      "aria-pressed": "false",
      // Thirty tab stops would lie between the text and the answers.
      tabindex: "-1",
    };
    const element = createButton("pick", attributes, [hint, name], () => {
      this.controller.pickLabel(label);
      this.focusText();
    });
    setLabelColor(element, this.controller.setup, label);
    return element;
  }

  private get searchText(): string {
    return this.filter.value.trim().toLocaleLowerCase();
  }

  /** The first label that begins with the typed text, else contains it, else has it in its definition. */
  private get best(): string | null {
    const { searchText } = this;
    if (searchText === "") return null;
    const { labels, definitions = {} } = this.controller.setup;
    const found = labels.filter((label) => matches(label, searchText));
    const defined = labels.find((label) => matches(definitions[label] ?? "", searchText));
    return found.find((label) => label.toLocaleLowerCase().startsWith(searchText)) ?? found[0] ?? defined ?? null;
  }

  private applyFilter(): void {
    // Keep the bar's height while labels appear and disappear.
    this.list.style.minHeight = this.searchText === "" ? "" : `${this.list.offsetHeight}px`;
    const { best, searchText } = this;
    const { definitions = {} } = this.controller.setup;
    for (const [label, element] of this.buttons.value) {
      element.hidden = !matches(label, searchText) && !matches(definitions[label] ?? "", searchText);
      setAttributes(element, { "data-best": label === best ? "" : null });
    }
    this.tip.show(best === null ? null : (this.buttons.value.get(best) ?? null));
  }

  private pickBest(): void {
    if (this.best !== null) this.controller.pickLabel(this.best);
  }

  private resetFilter(): void {
    this.filter.value = "";
    this.applyFilter();
  }
}

const matches = (label: string, text: string): boolean => label.toLocaleLowerCase().includes(text);
