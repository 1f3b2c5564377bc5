/** The filter of the findings: a text field and one selection for each condition. */
import { createButton, createElement, createIcon } from "../shared/dom";
import type { EffectScope } from "../shared/reactive";
import type { ErrorExplorer } from "./explorer";
import type { FindingFilter } from "./messages";

/** What an option is called, and what it changes in the filter. */
type Option = readonly [name: string, change: Partial<FindingFilter>];

interface FilterChoice {
  readonly name: string;
  /** The first option removes the condition. */
  readonly options: readonly Option[];
  /** The index of the selected option. */
  readonly selected: number;
}

const LENGTHS: readonly Option[] = [
  ["any length", { shortest: null, longest: null }],
  ["1 token", { shortest: 1, longest: 1 }],
  ["2 tokens", { shortest: 2, longest: 2 }],
  ["3 tokens", { shortest: 3, longest: 3 }],
  ["4 tokens and more", { shortest: 4, longest: null }],
];
const SEEN: readonly Option[] = [
  ["seen or not", { seen: null }],
  ["seen in training", { seen: true }],
  ["not seen in training", { seen: false }],
];
const CONFIDENCES: readonly Option[] = [
  ["any confidence", { least: null, most: null }],
  ["below .5", { least: null, most: 0.5 }],
  [".5 to .9", { least: 0.5, most: 0.9 }],
  [".9 and above", { least: 0.9, most: null }],
];
const JUDGMENTS: readonly Option[] = [
  ["judged or not", { judged: null }],
  ["not judged yet", { judged: false }],
  ["judged", { judged: true }],
];

export class FilterBar {
  readonly element = createElement("div", "conditions", { role: "group", "aria-label": "Conditions" });
  private readonly field: HTMLInputElement;
  private readonly choices = createElement("span", "conditions-rest");
  private renderedFor = "";

  constructor(
    private readonly explorer: ErrorExplorer,
    effects: EffectScope,
  ) {
    this.field = createElement("input", "search conditions-text", {
      type: "search",
      placeholder: "words in the text",
      "aria-label": "Only texts with these words",
      "data-condition": "text",
      spellcheck: "false",
    });
    this.field.addEventListener("change", () => explorer.setFilter({ text: this.field.value.trim() }));
    this.element.append(this.field, this.choices);
    effects.run(() => this.update());
  }

  private update(): void {
    const { overview } = this.explorer.state;
    const signature = JSON.stringify([overview.conditions, overview.splits, overview.columns, this.labels()]);
    if (signature === this.renderedFor) return;
    this.renderedFor = signature;
    if (!this.field.matches(":focus")) this.field.value = overview.conditions.text;
    const focused = (this.choices.querySelector(":focus") as HTMLElement | null)?.dataset.condition;
    this.choices.replaceChildren(
      ...this.filterChoices().map((choice) => this.createSelect(choice)),
      ...overview.conditions.predicates.map((name) => this.createPredicateChip(name)),
      ...this.createClearChip(),
    );
    if (focused === undefined) return;
    const again = [...this.choices.children].find((one) => (one as HTMLElement).dataset.condition === focused);
    (again as HTMLElement | undefined)?.focus();
  }

  /** Return all labels to choose from, also those whose findings the filter excludes. */
  private labels(): readonly string[] {
    const { controller, state } = this.explorer;
    return [...new Set([...controller.setup.labels, ...state.overview.labels])];
  }

  private filterChoices(): FilterChoice[] {
    const { conditions, splits, columns } = this.explorer.state.overview;
    const label = conditions.labels[0];
    const { shortest, longest, seen, least, most, judged, split } = conditions;
    const labels = this.labels().map((one) => [one, { labels: [one] }] as const);
    const choices = [
      filterChoice("label", [["any label", { labels: [] }], ...labels], ([name]) => name === label),
      filterChoice("length", LENGTHS, ([, one]) => one.shortest === shortest && one.longest === longest),
      filterChoice("seen", SEEN, ([, one]) => one.seen === seen),
      filterChoice("confidence", CONFIDENCES, ([, one]) => one.least === least && one.most === most),
      filterChoice("judged", JUDGMENTS, ([, one]) => one.judged === judged),
    ];
    if (splits.length > 1) {
      const names = splits.map((one) => [one, { split: one }] as const);
      const any = ["any split", { split: null }] as const;
      choices.push(filterChoice("split", [any, ...names], ([, one]) => one.split === split));
    }
    return [...choices, ...Object.entries(columns).map(([name, values]) => this.columnChoice(name, values))];
  }

  private columnChoice(name: string, values: readonly string[]): FilterChoice {
    const { meta } = this.explorer.state.overview.conditions;
    const { [name]: current, ...others } = meta;
    const any = [`any ${name}`, { meta: others }] as const;
    const options = values.map((value) => [value, { meta: { ...others, [name]: value } }] as const);
    return filterChoice(name, [any, ...options], ([value], i) => i > 0 && value === current);
  }

  private createSelect({ name, options, selected }: FilterChoice): HTMLElement {
    const items = options.map(([text], i) => {
      const item = createElement("option", "", { value: String(i) }, text);
      item.selected = i === selected;
      return item;
    });
    const attributes = { "aria-label": name, "data-condition": name, "data-set": selected > 0 ? "" : null };
    const select = createElement("select", "condition", attributes, ...items);
    select.addEventListener("change", () => this.explorer.setFilter(options[select.selectedIndex]?.[1] ?? {}));
    return select;
  }

  private createPredicateChip(name: string): HTMLElement {
    const { predicates } = this.explorer.state.overview.conditions;
    const attributes = { "data-condition": `code:${name}`, "aria-label": `Take off ${name}`, title: "Set by code" };
    return createButton("chip", attributes, [createElement("bdi", "", {}, name), createIcon("cross")], () =>
      this.explorer.setFilter({ predicates: predicates.filter((one) => one !== name) }),
    );
  }

  /** Create the button that removes all conditions, if there are any. */
  private createClearChip(): HTMLElement[] {
    const { labels, meta, predicates, text, ...rest } = this.explorer.state.overview.conditions;
    const isSet =
      labels.length + predicates.length + Object.keys(meta).length > 0 ||
      text !== "" ||
      Object.values(rest).some((one) => one !== null);
    if (!isSet) return [];
    return [createButton("chip", { "data-condition": "none" }, ["all findings"], () => this.explorer.clearFilter())];
  }
}

/**
 * Describe a selection.
 *
 * @param isSelected Whether an option is the one in effect.
 */
function filterChoice(
  name: string,
  options: readonly Option[],
  isSelected: (option: Option, index: number) => boolean,
): FilterChoice {
  return { name, options, selected: Math.max(0, options.findIndex(isSelected)) };
}
