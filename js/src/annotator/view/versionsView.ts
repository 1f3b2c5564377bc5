/** What others say of the example, side by side: each can be taken as it is. */
import { createButton, createElement, setAttributes, setLabelColor } from "../../shared/dom";
import { pluralize } from "../../shared/format";
import type { Version } from "../../shared/protocol";
import type { AnnotatorController, Part } from "../model/controller";
import { ANSWER_NAMES } from "../model/messageText";
import { fromWire, type Span } from "../model/spans";
import { showsVersion, versionsOf } from "../model/versions";

export class VersionsView {
  readonly element = createElement("div", "versions", { role: "group", "aria-label": "Versions", hidden: "" });
  private buttons: readonly HTMLButtonElement[] = [];

  constructor(
    private readonly controller: AnnotatorController,
    private readonly leave: () => void,
  ) {}

  update(parts: ReadonlySet<Part>): void {
    if (parts.has("example") || parts.has("setup")) this.draw();
    if (["example", "spans", "answer"].some((part) => parts.has(part as Part))) this.mark();
  }

  private draw(): void {
    const versions = versionsOf(this.controller.shown);
    this.buttons = versions.map((version) => this.buttonFor(version));
    this.element.replaceChildren(...this.buttons);
    setAttributes(this.element, { hidden: versions.length > 0 ? null : "" });
  }

  private mark(): void {
    const { shown } = this.controller;
    versionsOf(shown).forEach((version, i) => {
      const taken = showsVersion(shown, version);
      const one = this.buttons[i];
      if (one) setAttributes(one, { "aria-pressed": String(taken) });
    });
  }

  private buttonFor(version: Version): HTMLButtonElement {
    const spans = fromWire(version.spans);
    const says = `${ANSWER_NAMES[version.answer].toLowerCase()}, ${pluralize(spans.length, "span")}`;
    const attributes = {
      "data-version": version.by,
      "aria-label": `Take the version of ${version.by}: ${says}`,
      title: "Take this version (v takes the next)",
    };
    const who = createElement("span", "version-by", {}, version.by);
    const what = createElement("span", "version-says", {}, says);
    return createButton("version", attributes, [who, what, ...spans.map((one) => this.chip(one))], () => {
      this.controller.takeVersion(version);
      this.leave();
    });
  }

  private chip(span: Span): HTMLElement {
    const label = createElement("span", "version-label", {}, span.label);
    const chip = createElement("span", "version-span", {}, this.controller.textOf(span), label);
    setLabelColor(chip, this.controller.setup.colors[span.label]);
    return chip;
  }
}
