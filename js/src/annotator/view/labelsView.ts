/** The panel of the label set: a row a label, and a line that says what a change touches. */
import { createButton, createCloseButton, createElement, createKeyHint, setAttributes, setText } from "../../shared/dom";
import { formatCount } from "../../shared/format";
import type { LabelRow } from "../../shared/protocol";
import type { AnnotatorController } from "../model/controller";
import type { LabelEditor } from "../model/labelEditor";

export class LabelsView {
  readonly element: HTMLElement;
  private readonly rows = createElement("div", "label-rows", { role: "list", "aria-label": "Labels" });
  private readonly newName: HTMLInputElement;
  private readonly status = createElement("span", "label-status", { role: "status" });
  private readonly confirmButton: HTMLButtonElement;
  private readonly confirmWord = createElement("span", "");
  private readonly undoButton: HTMLButtonElement;
  private shownRows: readonly LabelRow[] | null = null;
  private shownColors: unknown = null;

  constructor(
    private readonly controller: AnnotatorController,
    close: () => void,
  ) {
    const closeButton = createCloseButton("Close the labels", close);
    this.confirmButton = createButton("chip go", { "data-act": "confirm" }, [this.confirmWord, createKeyHint("⏎")], () =>
      this.edit((editor) => editor.confirm()),
    );
    this.undoButton = createButton("chip", { "data-act": "undo-labels" }, ["Undo"], () =>
      this.edit((editor) => editor.undo()),
    );
    this.newName = createElement("input", "search", {
      type: "text",
      placeholder: "new label: enter adds it",
      "aria-label": "Name of a new label",
      autocomplete: "off",
      spellcheck: "false",
    });
    const title = createElement("span", "side-panel-title", {}, "Labels");
    const buttons = [this.confirmButton, this.undoButton, closeButton];
    const head = createElement("div", "side-panel-head", {}, title, this.status, ...buttons);
    const foot = createElement("div", "label-foot", {}, this.newName);
    this.element = createElement("div", "list", { "data-panel": "labels" }, head, this.rows, foot);
  }

  focus(): void {
    (this.rows.querySelector<HTMLElement>("input[type=text]") ?? this.newName).focus({ preventScroll: true });
  }

  update(): void {
    const { rows, proposal, text, undo, problem } = this.editor.state;
    const { colors } = this.controller.setup;
    if (rows !== this.shownRows || colors !== this.shownColors) this.showRows(rows ?? []);
    this.shownRows = rows;
    this.shownColors = colors;
    const row = rows?.find(({ label }) => label === proposal?.label);
    const touched = row === undefined ? "" : `: ${count(row.spans, "span")} in ${count(row.examples, "example")}`;
    const verb = proposal?.action === "merge" ? "Merge" : "Rename";
    const to = proposal?.action === "merge" ? "into" : "to";
    const plan = proposal === null ? "" : `${verb} ${proposal.label} ${to} ${proposal.to}${touched}`;
    const waiting = rows === null ? "counting the spans …" : "";
    setText(this.status, problem || plan || text || waiting);
    setAttributes(this.status, { "data-problem": problem === "" ? null : "" });
    this.status.title = this.status.textContent ?? "";
    this.confirmButton.hidden = proposal === null;
    setText(this.confirmWord, verb);
    this.undoButton.hidden = undo === "" || proposal !== null;
    this.undoButton.title = `Undo: ${undo}`;
  }

  /** Handle a key in the panel; return whether it has been handled. */
  handleKey({ key, altKey, target }: KeyboardEvent): boolean {
    const { editor } = this;
    const label = (target as Element | null)?.closest<HTMLElement>("[data-label-row]")?.dataset.labelRow;
    if (key === "Escape") {
      if (editor.state.proposal === null) return false;
      this.edit((one) => one.cancel());
      this.showRows(editor.state.rows ?? []);
      this.focusRow(label);
    } else if (altKey && (key === "ArrowUp" || key === "ArrowDown") && label !== undefined) {
      this.edit((one) => one.move(label, key === "ArrowUp" ? -1 : 1));
    } else if (key === "Enter" && target === this.newName) {
      this.edit((one) => one.add(this.newName.value));
      this.newName.value = "";
    } else if (key === "Enter" && target instanceof HTMLInputElement && target.type === "text") {
      this.edit((one) => one.confirm());
    } else {
      return false;
    }
    return true;
  }

  private get editor(): LabelEditor {
    return this.controller.sidePanel.labelEditor;
  }

  private edit(run: (editor: LabelEditor) => void): void {
    this.controller.updatePanel((panel) => run(panel.labelEditor));
  }

  private focusRow(label: string | undefined): void {
    const fields = [...this.rows.querySelectorAll<HTMLInputElement>("input[type=text]")];
    (fields.find((one) => one.value === label) ?? this.newName).focus({ preventScroll: true });
  }

  private showRows(rows: readonly LabelRow[]): void {
    const focused = document.activeElement;
    const index = [...this.rows.children].findIndex((one) => one.contains(focused));
    const { scrollTop } = this.rows;
    this.rows.replaceChildren(...rows.map((row) => this.renderRow(row, rows)));
    this.rows.scrollTop = scrollTop;
    const field = this.rows.children[index]?.querySelector<HTMLInputElement>("input[type=text]");
    if (index >= 0) (field ?? this.newName).focus({ preventScroll: true });
  }

  private renderRow({ label, spans, examples }: LabelRow, rows: readonly LabelRow[]): HTMLElement {
    const { colors } = this.controller.setup;
    const color = createElement("input", "label-color", {
      type: "color",
      value: colors[label] ?? "#8a8a8a",
      "aria-label": `Color of ${label}`,
    });
    color.addEventListener("change", () => this.edit((editor) => editor.recolor(label, color.value)));
    const name = createElement("input", "search label-name", {
      type: "text",
      value: label,
      "aria-label": `Name of ${label}`,
      autocomplete: "off",
      spellcheck: "false",
    });
    name.addEventListener("input", () => this.edit((editor) => editor.proposeName(label, name.value)));
    const option = (value: string, text = value): HTMLElement => createElement("option", "", { value }, text);
    const others = rows.filter((one) => one.label !== label).map((one) => option(one.label));
    const merging = { "aria-label": `Merge ${label} into` };
    const merge = createElement("select", "label-merge", merging, option("", "merge into …"), ...others);
    merge.addEventListener("change", () => this.edit((editor) => editor.proposeMerge(label, merge.value)));
    const used = createElement("span", "side-panel-fact", {}, `${count(spans, "span")} in ${count(examples, "example")}`);
    const move = (by: 1 | -1): HTMLElement => {
      const word = by < 0 ? "up" : "down";
      const attributes = { "aria-label": `Move ${label} ${word}`, title: `Move ${word}: alt ${by < 0 ? "↑" : "↓"}` };
      const onClick = (): void => this.edit((editor) => editor.move(label, by));
      return createButton("icon-button", attributes, [by < 0 ? "↑" : "↓"], onClick);
    };
    const parts = [color, name, used, merge, move(-1), move(1)];
    return createElement("div", "label-row", { role: "listitem", "data-label-row": label }, ...parts);
  }
}

const count = (number: number, noun: string): string => `${formatCount(number)} ${noun}${number === 1 ? "" : "s"}`;
