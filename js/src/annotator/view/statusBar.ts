/** How far the work has come, whether it is saved, and what is known of the example. */
import {
  createButton,
  createElement,
  createIcon,
  createKeyHint,
  setAttributes,
  setText,
} from "../../shared/dom";
import { formatCount, formatProbability, pluralize } from "../../shared/format";
import type { AnnotatorController, Part } from "../model/controller";
import { formatProgress } from "../model/messageText";

export class StatusBar {
  /** The hair along the top edge. */
  readonly progressBar = createElement("div", "hair", { role: "progressbar", "aria-label": "Answered" });
  readonly head: HTMLElement;
  /** The line below the text. */
  readonly info: HTMLElement;
  private readonly place = createElement("span", "place");
  private readonly count = createElement("span", "count");
  private readonly save = createElement("span", "save");
  private readonly saveWord = createElement("span", "save-word");
  private readonly why = createElement("span", "why", { role: "status" });
  private readonly hint = createElement("span", "hint");
  private readonly meta = createElement("span", "meta");

  constructor(
    private readonly controller: AnnotatorController,
    openHelp: () => void,
    openList: () => void,
    note: HTMLElement,
  ) {
    this.save.append(createElement("span", "dot", { "aria-hidden": "true" }), this.saveWord);
    const attributes = { "aria-label": "All keys", "aria-keyshortcuts": "?", title: "All keys" };
    const help = createButton("help-button", attributes, [createKeyHint("?")], openHelp);
    const listing = {
      "aria-label": "List of examples",
      "aria-keyshortcuts": "l",
      title: "List of examples: l",
      "data-act": "list",
    };
    const list = createButton("drawer-button", listing, [createIcon("list"), createKeyHint("l")], openList);
    this.head = createElement(
      "div",
      "head",
      {},
      this.place,
      createElement("span", "standing", {}, this.count, this.save, list, help),
    );
    const says = createElement("div", "says", {}, this.why, this.hint);
    this.info = createElement("div", "info", {}, says, createElement("div", "about", {}, this.meta, note));
  }

  update(parts: ReadonlySet<Part>): void {
    const has = (...some: Part[]): boolean => some.some((part) => parts.has(part));
    if (has("setup")) this.showPlace();
    if (has("progress", "save", "answer", "example")) this.showProgress();
    if (has("save", "progress", "notice")) this.showSaving();
    if (has("example", "spans", "answer", "advice")) this.showExample();
  }

  private showPlace(): void {
    const { dataset, split, mode } = this.controller.setup;
    setText(this.place, [dataset, split, ...(mode === "make-gold" ? ["make-gold"] : [])].join(" · "));
  }

  private showProgress(): void {
    const { counts } = this.controller;
    const done = counts.total - counts.open;
    const share = counts.total > 0 ? Math.min(1, Math.max(0, done / counts.total)) : 0;
    setText(this.count, formatProgress(counts));
    this.count.title = [
      pluralize(counts.accept, "accepted"),
      pluralize(counts.reject, "rejected"),
      pluralize(counts.ignore, "ignored"),
    ]
      .join(", ")
      .replace(/eds/g, "ed");
    this.progressBar.style.setProperty("--nbner-share", String(share));
    setAttributes(this.progressBar, {
      "aria-valuenow": String(done),
      "aria-valuemin": "0",
      "aria-valuemax": String(counts.total),
      "aria-valuetext": `${formatProgress(counts)} answered`,
    });
  }

  private showSaving(): void {
    const { state, word, why } = this.controller.saveStatus;
    setAttributes(this.save, { "data-save": state });
    setText(this.saveWord, word);
    const { problem, currentNotice: news } = this.controller;
    setText(this.why, why || problem || news.text);
    this.why.title = why || problem || news.detail || news.text;
  }

  private showExample(): void {
    const item = this.controller.shown;
    const task = item?.task;
    const pairs = Object.entries(task?.meta ?? {}).map(([key, value]) => `${key}: ${String(value)}`);
    const verb = this.controller.setup.mends ? "doubted" : "suggested";
    if (task?.suggested === true && task.by) pairs.push(`${verb} by ${task.by}`);
    const { resultPosition: tourPlace, kBest: advice } = this.controller;
    if (advice.position !== null) {
      const { at, of, probability } = advice.position;
      pairs.unshift(`analysis ${at} of ${of} · ${formatProbability(probability)}`);
    }
    if (tourPlace !== null) pairs.unshift(`${formatCount(tourPlace.at)} of ${formatCount(tourPlace.of)} in the list`);
    setText(this.meta, pairs.join(" · "));
    this.meta.title = pairs.join("\n");
    const isBare = item !== undefined && item !== null && item.state.spans.length === 0;
    setText(this.hint, isBare ? "No spans: accept says that there is no entity here." : "");
  }
}
