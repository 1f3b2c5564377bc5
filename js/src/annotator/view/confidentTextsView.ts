/** Open texts whose every suggestion is probable, one row each, with the errors to expect in them. */
import {
  createButton,
  createCloseButton,
  createElement,
  createIcon,
  createKeyHint,
  isButtonPress,
  setAttributes,
  setLabelColor,
  setText,
} from "../../shared/dom";
import { formatCount, formatProbability, pluralize } from "../../shared/format";
import type { ConfidentRow } from "../../shared/protocol";
import { createRow, RowList } from "../../shared/rowList";
import type { ConfidentTexts } from "../model/confidentTexts";
import type { AnnotatorController } from "../model/controller";

/** How many rows a key moves. */
const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };

export class ConfidentTextsView {
  readonly element: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly status = createElement("span", "side-panel-count", { role: "status" });
  private readonly expected = createElement("div", "sure-expected");
  private readonly notes = createElement("div", "sure-notes");
  private readonly acceptButton: HTMLButtonElement;
  private readonly acceptWord = createElement("span", "");
  private readonly stopButton: HTMLButtonElement;
  private readonly stopWord = createElement("span", "");
  private readonly undoButton: HTMLButtonElement;
  private readonly rows: RowList<ConfidentRow>;

  constructor(
    private readonly controller: AnnotatorController,
    close: () => void,
  ) {
    this.field = createElement("input", "search sure-field", {
      type: "number",
      min: "0.01",
      max: "1",
      step: "0.01",
      "aria-label": "Lowest probability of every suggestion",
    });
    this.field.addEventListener("change", () => this.change((one) => one.setProbability(this.field.valueAsNumber)));
    const accept = { "aria-keyshortcuts": "Enter", "data-act": "accept-sure" };
    this.acceptButton = createButton("chip go", accept, [this.acceptWord, createKeyHint("⏎")], () =>
      this.change((one) => one.accept()),
    );
    this.stopButton = createButton("chip", { "data-act": "stop-sure" }, [this.stopWord, createKeyHint("s")], () =>
      this.stopOrResume(),
    );
    this.undoButton = createButton("chip", { "data-act": "undo-sure" }, ["Undo", createKeyHint("⌫")], () =>
      this.change((one) => one.undo()),
    );
    this.rows = new RowList("Texts", (row) => this.renderRow(row), (index) => this.change((one) => one.toggleRow(index)));
    setAttributes(this.rows.element, { tabindex: "0", "aria-multiselectable": "true" });
    this.rows.element.addEventListener("scroll", () => this.loadOnScroll());
    const title = createElement("span", "side-panel-title", {}, "Every suggestion at least");
    const closeButton = createCloseButton("Close what is sure", close);
    const head = createElement("div", "side-panel-head", {}, title, this.field, createKeyHint("← →"), this.status, closeButton);
    const chips = createElement("div", "chips", {}, this.acceptButton, this.stopButton, this.undoButton, this.expected);
    this.element = createElement("div", "list", { "data-panel": "confident" }, head, chips, this.notes, this.rows.element);
  }

  focus(): void {
    this.rows.element.focus({ preventScroll: true });
  }

  update(): void {
    const { texts, state } = this;
    const { rows, activeIndex, probability, reply } = state;
    if (this.field !== document.activeElement || this.field.value === "") this.field.value = String(probability);
    setText(this.status, this.describeState());
    setText(this.expected, this.describeExpected());
    setText(this.notes, reply?.notes ?? "");
    setText(this.acceptWord, `accept ${formatCount(texts.ticked.texts)} unseen`);
    setAttributes(this.acceptButton, { "aria-disabled": texts.canAccept ? null : "true" });
    this.acceptButton.hidden = texts.isComputing;
    this.stopButton.hidden = !texts.isComputing && reply?.state !== "stopped";
    setText(this.stopWord, texts.isComputing ? "stop" : "go on");
    this.undoButton.hidden = (reply?.undo ?? "") === "" || texts.isComputing;
    this.rows.setRows(rows);
    rows.forEach((row, i) => {
      const element = this.rows.elementAt(i);
      if (element !== undefined) setAttributes(element, { "aria-checked": String(texts.isTicked(row)) });
    });
    setAttributes(this.rows.element, { "aria-activedescendant": this.rows.setActive(activeIndex) });
  }

  /** Handle a key in the panel; return whether it has been handled. */
  handleKey(event: KeyboardEvent): boolean {
    if (isButtonPress(event) || event.target === this.field) return this.handleFieldKey(event);
    const { activeIndex } = this.state;
    const step = STEPS[event.key];
    if (step !== undefined) {
      this.change((one) => one.setActive(activeIndex + step));
      return true;
    }
    const handlers: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => this.change((one) => one.stepProbability(-1)),
      ArrowRight: () => this.change((one) => one.stepProbability(1)),
      " ": () => this.change((one) => one.toggleRow(activeIndex)),
      s: () => this.stopOrResume(),
      Backspace: () => this.change((one) => one.undo()),
      Enter: () => this.change((one) => one.accept()),
    };
    handlers[event.key]?.();
    return event.key in handlers;
  }

  private handleFieldKey({ key, target }: KeyboardEvent): boolean {
    if (target !== this.field || key !== "Enter") return false;
    this.change((one) => one.setProbability(this.field.valueAsNumber));
    this.focus();
    return true;
  }

  private get texts(): ConfidentTexts {
    return this.controller.sidePanel.confidentTexts;
  }

  private get state(): ConfidentTexts["state"] {
    return this.texts.state;
  }

  private change(change: (texts: ConfidentTexts) => void): void {
    this.controller.updatePanel(({ confidentTexts }) => change(confidentTexts));
  }

  private stopOrResume(): void {
    if (this.texts.isComputing) this.change((one) => one.stop());
    else if (this.state.reply?.state === "stopped") this.change((one) => one.resume());
  }

  private loadOnScroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.rows.element;
    if (scrollTop + 2 * clientHeight > scrollHeight) this.change((one) => one.loadMore());
  }

  private describeState(): string {
    const { reply, problem } = this.state;
    if (problem !== "") return problem;
    if (reply === null) return "asking the kernel …";
    const said = reply.text === "" ? "" : `${reply.text} `;
    const checked = `${formatCount(reply.checked)} of ${formatCount(reply.pending)} open texts checked`;
    if (reply.state === "computing") return `${said}${checked} …`;
    if (reply.state === "stopped") return `${said}stopped: ${checked}`;
    return `${said}${formatCount(reply.total)} of ${pluralize(reply.pending, "open text")}`;
  }

  private describeExpected(): string {
    if (this.texts.isComputing || this.state.reply === null) return "";
    const { texts, spans, wrong, missed } = this.texts.ticked;
    if (texts === 0) return "No text is ticked";
    return `${pluralize(spans, "suggested span")}: about ${wrong.toFixed(1)} wrong, ${missed.toFixed(1)} missed`;
  }

  private renderRow({ id, parts, lowest }: ConfidentRow): HTMLElement {
    const box = createElement("span", "row-sign", {}, createIcon("box"), createIcon("accept"));
    const words = parts.map(([text, label]) => (label === "" ? text : this.renderSpan(text, label)));
    const text = createElement("bdi", "sure-text", {}, ...words);
    const about = createElement("span", "row-about", {}, formatProbability(lowest));
    return createRow({ role: "option", "data-sure": id }, box, text, about);
  }

  private renderSpan(text: string, label: string): HTMLElement {
    const span = createElement("span", "version-span", {}, text, createElement("span", "version-label", {}, label));
    setLabelColor(span, this.controller.setup, label);
    return span;
  }
}
