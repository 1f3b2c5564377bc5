/** What findings must be like to be shown: a line of choices, each of which says what it is. */
import { createButton, createIcon, createElement } from "../shared/dom";
import type { ErrorExplorer } from "./explorer";
import type { FindingFilter } from "./messages";

interface FilterChoice {
  readonly name: string;
  /** What is offered, and what each of it asks for; the first asks for nothing. */
  readonly options: readonly (readonly [string, Partial<FindingFilter>])[];
  /** Which of the options holds. */
  readonly now: number;
}

const LENGTHS: FilterChoice["options"] = [
  ["any length", { shortest: null, longest: null }],
  ["1 token", { shortest: 1, longest: 1 }],
  ["2 tokens", { shortest: 2, longest: 2 }],
  ["3 tokens", { shortest: 3, longest: 3 }],
  ["4 tokens and more", { shortest: 4, longest: null }],
];
const SEEN: FilterChoice["options"] = [
  ["seen or not", { seen: null }],
  ["seen in training", { seen: true }],
  ["not seen in training", { seen: false }],
];
const SURE: FilterChoice["options"] = [
  ["any confidence", { least: null, most: null }],
  ["below .5", { least: null, most: 0.5 }],
  [".5 to .9", { least: 0.5, most: 0.9 }],
  [".9 and above", { least: 0.9, most: null }],
];
const JUDGED: FilterChoice["options"] = [
  ["judged or not", { judged: null }],
  ["not judged yet", { judged: false }],
  ["judged", { judged: true }],
];

export class FilterBar {
  readonly element = createElement("div", "conditions", { role: "group", "aria-label": "Conditions" });
  private readonly field: HTMLInputElement;
  private readonly rest = createElement("span", "conditions-rest");
  private drawnFor = "";

  constructor(private readonly explorer: ErrorExplorer) {
    this.field = createElement("input", "search conditions-text", {
      type: "search",
      placeholder: "words in the text",
      "aria-label": "Only texts with these words",
      "data-condition": "text",
      spellcheck: "false",
    });
    this.field.addEventListener("change", () => explorer.setFilter({ text: this.field.value.trim() }));
    this.element.append(this.field, this.rest);
  }

  update(): void {
    const { state } = this.explorer;
    const signature = JSON.stringify([state.conditions, state.splits, state.columns, this.labels()]);
    if (signature === this.drawnFor) return;
    this.drawnFor = signature;
    if (!this.field.matches(":focus")) this.field.value = state.conditions.text;
    const focused = (this.rest.querySelector(":focus") as HTMLElement | null)?.dataset.condition;
    this.rest.replaceChildren(
      ...this.choices().map((filterChoice) => this.select(filterChoice)),
      ...state.conditions.predicates.map((name) => this.chip(name)),
      ...this.way(),
    );
    const again = [...this.rest.children].find((one) => (one as HTMLElement).dataset.condition === focused);
    if (focused !== undefined) (again as HTMLElement | undefined)?.focus();
  }

  /** Labels stay on offer where a condition has taken their spans away. */
  private labels(): readonly string[] {
    const { controller, state } = this.explorer;
    return [...new Set([...controller.setup.labels, ...state.labels])];
  }

  private choices(): FilterChoice[] {
    const { conditions, splits, columns } = this.explorer.state;
    const label = conditions.labels[0];
    const { shortest, longest, seen, least, most, judged, split } = conditions;
    const labels = this.labels().map((one) => [one, { labels: [one] }] as const);
    const found = [
      choice("label", [["any label", { labels: [] }], ...labels], ([name]) => name === label),
      choice("length", LENGTHS, ([, one]) => one.shortest === shortest && one.longest === longest),
      choice("seen", SEEN, ([, one]) => one.seen === seen),
      choice("confidence", SURE, ([, one]) => one.least === least && one.most === most),
      choice("judged", JUDGED, ([, one]) => one.judged === judged),
    ];
    if (splits.length > 1) {
      const names = splits.map((one) => [one, { split: one }] as const);
      const any = ["any split", { split: null }] as const;
      found.push(choice("split", [any, ...names], ([, one]) => one.split === split));
    }
    return [...found, ...Object.entries(columns).map(([name, values]) => this.column(name, values))];
  }

  private column(name: string, values: readonly string[]): FilterChoice {
    const { meta } = this.explorer.state.conditions;
    const { [name]: now, ...others } = meta;
    const any = [`any ${name}`, { meta: others }] as const;
    const options = values.map((value) => [value, { meta: { ...others, [name]: value } }] as const);
    return choice(name, [any, ...options], ([value], i) => i > 0 && value === now);
  }

  private select({ name, options, now }: FilterChoice): HTMLElement {
    const items = options.map(([words], i) => {
      const item = createElement("option", "", { value: String(i) }, words);
      item.selected = i === now;
      return item;
    });
    const attributes = { "aria-label": name, "data-condition": name, "data-set": now > 0 ? "" : null };
    const select = createElement("select", "condition", attributes, ...items);
    select.addEventListener("change", () => this.explorer.setFilter(options[select.selectedIndex]?.[1] ?? {}));
    return select;
  }

  private chip(name: string): HTMLElement {
    const { predicates } = this.explorer.state.conditions;
    const says = { "aria-label": `Take off ${name}`, title: "Set by code" };
    return createButton("chip", { "data-condition": `code:${name}`, ...says }, [createElement("bdi", "", {}, name), createIcon("cross")], () =>
      this.explorer.setFilter({ predicates: predicates.filter((one) => one !== name) }),
    );
  }

  private way(): HTMLElement[] {
    const { conditions } = this.explorer.state;
    const { labels, meta, predicates, text, ...rest } = conditions;
    const isSet =
      labels.length + predicates.length + Object.keys(meta).length > 0 ||
      text !== "" ||
      Object.values(rest).some((one) => one !== null);
    const all = (): HTMLElement =>
      createButton("chip", { "data-condition": "none" }, ["all findings"], () => this.explorer.clearFilter());
    return isSet ? [all()] : [];
  }
}

function choice(
  name: string,
  options: FilterChoice["options"],
  holds: (option: FilterChoice["options"][number], index: number) => boolean,
): FilterChoice {
  return { name, options, now: Math.max(0, options.findIndex(holds)) };
}
