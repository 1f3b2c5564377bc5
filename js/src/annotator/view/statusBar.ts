/** How far the work has come, whether it is saved, and what is known of the example. */
import type { Controller, Part } from "../model/controller";
import { figure, likely, plural, progress } from "../../shared/format";
import { button, icon, keyHint, make, setAttributes, setText } from "../../shared/dom";

export class Status {
  /** The hair along the top edge. */
  readonly hair = make("div", "hair", { role: "progressbar", "aria-label": "Answered" });
  readonly head: HTMLElement;
  /** The line below the text. */
  readonly info: HTMLElement;
  private readonly place = make("span", "place");
  private readonly count = make("span", "count");
  private readonly save = make("span", "save");
  private readonly saveWord = make("span", "save-word");
  private readonly why = make("span", "why", { role: "status" });
  private readonly hint = make("span", "hint");
  private readonly meta = make("span", "meta");

  constructor(
    private readonly controller: Controller,
    openHelp: () => void,
    openList: () => void,
    note: HTMLElement,
  ) {
    this.save.append(make("span", "dot", { "aria-hidden": "true" }), this.saveWord);
    const attributes = { "aria-label": "All keys", "aria-keyshortcuts": "?", title: "All keys" };
    const help = button("help-button", attributes, [keyHint("?")], openHelp);
    const listing = {
      "aria-label": "List of examples",
      "aria-keyshortcuts": "l",
      title: "List of examples: l",
      "data-act": "list",
    };
    const list = button("drawer-button", listing, [icon("list"), keyHint("l")], openList);
    this.head = make(
      "div",
      "head",
      {},
      this.place,
      make("span", "standing", {}, this.count, this.save, list, help),
    );
    const says = make("div", "says", {}, this.why, this.hint);
    this.info = make("div", "info", {}, says, make("div", "about", {}, this.meta, note));
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
    setText(this.count, progress(counts));
    this.count.title = [
      plural(counts.accept, "accepted"),
      plural(counts.reject, "rejected"),
      plural(counts.ignore, "ignored"),
    ]
      .join(", ")
      .replace(/eds/g, "ed");
    this.hair.style.setProperty("--nbner-share", String(share));
    setAttributes(this.hair, {
      "aria-valuenow": String(done),
      "aria-valuemin": "0",
      "aria-valuemax": String(counts.total),
      "aria-valuetext": `${progress(counts)} answered`,
    });
  }

  private showSaving(): void {
    const { state, word, why } = this.controller.saving;
    setAttributes(this.save, { "data-save": state });
    setText(this.saveWord, word);
    const { problem, news } = this.controller;
    setText(this.why, why || problem || news.text);
    this.why.title = why || problem || news.detail || news.text;
  }

  private showExample(): void {
    const item = this.controller.shown;
    const task = item?.task;
    const pairs = Object.entries(task?.meta ?? {}).map(([key, value]) => `${key}: ${String(value)}`);
    const verb = this.controller.setup.mends ? "doubted" : "suggested";
    if (task?.suggested === true && task.by) pairs.push(`${verb} by ${task.by}`);
    const { tourPlace, advice } = this.controller;
    if (advice.place !== null) {
      const { at, of, probability } = advice.place;
      pairs.unshift(`analysis ${at} of ${of} · ${likely(probability)}`);
    }
    if (tourPlace !== null) pairs.unshift(`${figure(tourPlace.at)} of ${figure(tourPlace.of)} in the list`);
    setText(this.meta, pairs.join(" · "));
    this.meta.title = pairs.join("\n");
    const isBare = item !== undefined && item !== null && item.state.spans.length === 0;
    setText(this.hint, isBare ? "No spans: accept says that there is no entity here." : "");
  }
}
