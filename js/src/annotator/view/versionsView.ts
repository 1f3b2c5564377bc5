/** The annotators' versions of an example, side by side: each can be taken over. */
import { createButton, createElement, setAttributes, setLabelColor } from "../../shared/dom";
import { pluralize } from "../../shared/format";
import type { Version } from "../../shared/protocol";
import { computed, type EffectScope } from "../../shared/reactive";
import { showsVersion, versionsOf } from "../model/alternatives";
import type { AnnotatorController } from "../model/controller";
import { ANSWER_NAMES } from "../model/messageText";
import { fromWire, type Span } from "../model/spans";

export class VersionsView {
  readonly element = createElement("div", "versions", { role: "group", "aria-label": "Versions" });

  /**
   * @param focusText Moves the focus back to the text.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    effects: EffectScope,
  ) {
    const versions = computed(() => versionsOf(controller.shown));
    const buttons = computed(() => versions.value.map((version) => this.createButton(version)));
    effects.run(() => {
      this.element.replaceChildren(...buttons.value);
      setAttributes(this.element, { hidden: buttons.value.length > 0 ? null : "" });
    });
    effects.run(() =>
      versions.value.forEach((version, i) =>
        buttons.value[i]?.setAttribute("aria-pressed", String(showsVersion(controller.shown, version))),
      ),
    );
  }

  private createButton(version: Version): HTMLButtonElement {
    const spans = fromWire(version.spans);
    const summary = `${ANSWER_NAMES[version.answer].toLowerCase()}, ${pluralize(spans.length, "span")}`;
    const attributes = {
      "data-version": version.by,
      title: "Take this version (v takes the next)",
    };
    const content = [
      createElement("span", "version-by", {}, version.by),
      createElement("span", "version-says", {}, summary),
      ...spans.map((span) => this.createChip(span)),
    ];
    return createButton("version", attributes, content, () => {
      this.controller.takeVersion(version);
      this.focusText();
    });
  }

  private createChip(span: Span): HTMLElement {
    const label = createElement("span", "version-label", {}, span.label);
    const chip = createElement("span", "version-span", {}, this.controller.textOf(span), label);
    setLabelColor(chip, this.controller.setup, span.label);
    return chip;
  }
}
