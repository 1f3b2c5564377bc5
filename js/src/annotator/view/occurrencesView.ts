/** Every occurrence of some words, one line each, to be ticked and changed in one go. */
import type { Controller } from "../model/controller";
import type { Everywhere, Line } from "../model/occurrences";
import { figure, plural } from "../../shared/format";
import { button, icon, keyHint, make, setAttributes, setHue, setText } from "../../shared/dom";
import { makeRow, Rows } from "../../shared/rowList";

export class EverywherePanel {
  readonly element: HTMLElement;
  private readonly title = make("span", "drawer-title");
  private readonly count = make("span", "drawer-count", { role: "status" });
  private readonly scope: HTMLButtonElement;
  private readonly cased: HTMLButtonElement;
  private readonly go: HTMLButtonElement;
  private readonly goWord = make("span", "");
  private readonly rows: Rows<Line>;

  constructor(
    private readonly controller: Controller,
    private readonly close: () => void,
  ) {
    this.scope = this.chip("coming examples too", "←→", "ArrowRight", () => this.setFar(!this.all.far));
    this.cased = this.chip("same case", "c", "c", () => this.setCased(!this.all.cased));
    const apply = { "aria-keyshortcuts": "Enter", "data-act": "apply" };
    this.go = button("chip go", apply, [this.goWord, keyHint("⏎")], () => this.apply());
    const shut = { "aria-label": "Close", "aria-keyshortcuts": "Escape" };
    const cross = button("drawer-button", shut, [keyHint("esc"), icon("cross")], close);
    const all = this.chip("all", "a", "a", () => this.work((one) => one.toggleAll()));
    this.rows = new Rows("Occurrences", (line) => this.write(line), (index) => this.toggle(index));
    setAttributes(this.rows.element, { tabindex: "-1", "aria-multiselectable": "true" });
    const head = make("div", "drawer-head", {}, this.title, this.count, cross);
    const whole = make("span", "drawer-fact", {}, "whole tokens");
    const chips = make("div", "chips", {}, this.go, all, this.scope, this.cased, whole);
    this.element = make("div", "everywhere", { "data-panel": "everywhere" }, head, chips, this.rows.element);
  }

  focus(): void {
    this.rows.element.focus({ preventScroll: true });
  }

  update(): void {
    const { all } = this;
    const verb = all.take === "label" ? "Label every" : "Remove from every";
    setText(this.title, `${verb} “${all.phrase}” · ${all.label}`);
    setHue(this.element, this.controller.setup.colors[all.label]);
    setText(this.count, this.standing());
    setAttributes(this.scope, { "aria-pressed": String(all.far) });
    setAttributes(this.cased, { "aria-pressed": String(all.cased) });
    setText(this.goWord, `${all.take === "label" ? "label" : "remove"} ${figure(all.ticked.length)}`);
    setAttributes(this.go, { "aria-disabled": all.ticked.length === 0 ? "true" : null });
    const { lines } = all;
    this.rows.show(lines);
    lines.forEach(({ ticked }, i) => {
      const row = this.rows.at(i);
      if (row !== undefined) setAttributes(row, { "aria-checked": String(ticked) });
    });
    setAttributes(this.rows.element, { "aria-activedescendant": this.rows.point(all.at) });
  }

  /** Keys in the panel; tells whether the key has been used up. */
  type({ key, target }: KeyboardEvent): boolean {
    const { all } = this;
    const isButton = target instanceof HTMLButtonElement;
    if (isButton && (key === "Enter" || key === " ")) return false;
    const does: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.work((one) => one.pointAt(one.at + 1)),
      ArrowUp: () => this.work((one) => one.pointAt(one.at - 1)),
      ArrowLeft: () => this.setFar(false),
      ArrowRight: () => this.setFar(true),
      " ": () => this.toggle(all.at),
      a: () => this.work((one) => one.toggleAll()),
      c: () => this.setCased(!all.cased),
      Enter: () => this.apply(),
    };
    does[key]?.();
    return key in does;
  }

  private get all(): Everywhere {
    return this.controller.panels.everywhere;
  }

  private standing(): string {
    const { lines, same, more, isWaiting, problem } = this.all;
    const parts = [
      plural(lines.length, "place"),
      same > 0 ? `${figure(same)} here already` : "",
      more ? "the first of more" : "",
      isWaiting ? "looking in the coming ones …" : "",
      problem,
    ];
    return parts.filter(Boolean).join(" · ");
  }

  private work(change: (all: Everywhere) => void): void {
    this.controller.atPanel(({ everywhere }) => change(everywhere));
  }

  private setFar(far: boolean): void {
    if (far !== this.all.far) this.work((one) => one.setFar(far));
  }

  private setCased(cased: boolean): void {
    this.work((one) => one.setCased(cased));
  }

  private toggle(index: number): void {
    this.work((one) => one.toggle(index));
  }

  private apply(): void {
    if (this.all.ticked.length === 0) return;
    this.work((one) => one.apply());
    this.close();
  }

  private chip(word: string, key: string, shortcut: string, act: () => void): HTMLButtonElement {
    return button("chip", { "aria-keyshortcuts": shortcut, tabindex: "-1" }, [word, keyHint(key)], act);
  }

  private write({ left, hit, right, problem, example, ticked }: Line): HTMLElement {
    const box = make("span", "row-sign", {}, icon("box"), icon("accept"));
    // A line that runs the other way, to be cut at its far end, would put this gap there too.
    const words = left.trimEnd();
    const parts = [
      make("span", "kwic-left", {}, make("bdi", "", {}, words)),
      make("span", "", {}, left.slice(words.length), make("b", "kwic-hit", {}, hit)),
      make("bdi", "kwic-right", {}, right),
    ];
    const where = problem || (example === null ? "here" : "");
    return makeRow(
      {
        role: "option",
        "aria-checked": String(ticked),
        "aria-disabled": problem === "" ? null : "true",
        "data-place": example ?? "here",
      },
      box,
      make("span", "kwic", {}, ...parts),
      make("span", "row-about", {}, where),
    );
  }
}
