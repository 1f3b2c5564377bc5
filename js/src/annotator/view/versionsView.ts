/** The annotators' versions of an example, side by side: each can be taken over. */
import { createButton, createElement, createKeyHint, setAttributes, setLabelColor } from "../../shared/dom";
import { pluralize } from "../../shared/format";
import type { Version } from "../../shared/protocol";
import { computed, type EffectScope } from "../../shared/reactive";
import { textOfRange, type TokenRange } from "../../shared/tokens";
import { showsVersion, versionsOf } from "../model/alternatives";
import type { AnnotatorController } from "../model/controller";
import { differencesOf } from "../model/differences";
import { signOf } from "../model/keyMap";
import { ANSWER_NAMES } from "../model/messageText";
import { fromWire, overlapping, type Spans } from "../model/spans";

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
    const buttons = computed(() => versions.value.map((_, i) => this.createButton(versions.value, i)));
    effects.run(() => {
      const heading = versions.value.length > 1 ? this.createHeading(differencesOf(versions.value).length) : null;
      this.element.replaceChildren(...(heading === null ? [] : [heading]), ...buttons.value);
      setAttributes(this.element, { hidden: buttons.value.length > 0 ? null : "" });
    });
    effects.run(() =>
      versions.value.forEach((version, i) =>
        buttons.value[i]?.setAttribute("aria-pressed", String(showsVersion(controller.shown, version))),
      ),
    );
  }

  private createHeading(differences: number): HTMLElement {
    const text = differences === 0 ? "The versions do not differ" : pluralize(differences, "difference");
    const { keyMap } = this.controller;
    const chords = [keyMap.chordOf("difference"), keyMap.chordOf("previous_difference")];
    const hints = chords.flatMap((chord) => (chord === null || differences === 0 ? [] : [createKeyHint(signOf(chord))]));
    return createElement("div", "versions-head", {}, text, ...hints);
  }

  private createButton(versions: readonly Version[], index: number): HTMLButtonElement {
    const version = versions[index] as Version;
    const spans = fromWire(version.spans);
    const summary = `${ANSWER_NAMES[version.answer].toLowerCase()}, ${pluralize(spans.length, "span")}`;
    const key = versions.length > 1 ? this.controller.keyMap.chordOfVersion(index) : null;
    const attributes = {
      "data-version": version.by,
      "aria-keyshortcuts": key,
      title: `Take this version (${key === null ? "" : `${key}: here or all of it; `}v takes the next)`,
    };
    const content = [
      key === null ? null : createKeyHint(key),
      createElement("span", "version-by", {}, version.by),
      createElement("span", "version-says", {}, summary),
      ...this.createChips(spans, differencesOf(versions)),
    ];
    return createButton("version", attributes, content, () => {
      this.controller.takeVersion(version);
      this.focusText();
    });
  }

  /** Create a chip for every span, and one for every difference at which the version has none. */
  private createChips(spans: Spans, differences: readonly TokenRange[]): HTMLElement[] {
    const missing = differences.filter((range) => overlapping(spans, range).length === 0);
    const said = spans.map((span) => ({ range: span, label: span.label as string | null }));
    const chips = [...said, ...missing.map((range) => ({ range, label: null }))];
    return chips
      .sort((left, right) => left.range.start - right.range.start)
      .map(({ range, label }) => {
        const isDisputed = differences.some(({ start, end }) => start <= range.start && range.end <= end);
        return this.createChip(range, label, isDisputed);
      });
  }

  private createChip(range: TokenRange, label: string | null, isDisputed: boolean): HTMLElement {
    const attributes = { "data-differs": isDisputed ? "" : null, "data-none": label === null ? "" : null };
    const text = textOfRange(this.controller.shown?.task.tokens ?? [], range);
    const name = createElement("span", "version-label", {}, label ?? "nothing");
    const chip = createElement("span", "version-span", attributes, text, name);
    if (label !== null) setLabelColor(chip, this.controller.setup, label);
    return chip;
  }
}
