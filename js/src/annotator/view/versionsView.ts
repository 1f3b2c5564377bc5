/** The annotators' versions of an example, or the analyses of its set, side by side: each can be taken over. */
import { createButton, createElement, createKeyHint, setAttributes, setLabelColor } from "../../shared/dom";
import { formatCount, formatProbability, pluralize } from "../../shared/format";
import type { AnalysisSet, Version } from "../../shared/protocol";
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
      const heading = this.createHeading(versions.value, controller.shown?.task.set);
      this.element.replaceChildren(...(heading === null ? [] : [heading]), ...buttons.value);
      setAttributes(this.element, { hidden: this.element.childElementCount > 0 ? null : "" });
    });
    effects.run(() =>
      versions.value.forEach((version, i) =>
        buttons.value[i]?.setAttribute("aria-pressed", String(showsVersion(controller.shown, version))),
      ),
    );
  }

  private createHeading(versions: readonly Version[], set: AnalysisSet | undefined): HTMLElement | null {
    const head = set === undefined ? "" : describeSet(set);
    if (versions.length < 2) return head === "" ? null : createElement("div", "versions-head", {}, head);
    const differences = differencesOf(versions).length;
    const differ = differences === 0 ? "The versions do not differ" : pluralize(differences, "difference");
    const text = head === "" ? differ : `${head}, ${differ}`;
    const { keyMap } = this.controller;
    const chords = [keyMap.chordOf("difference"), keyMap.chordOf("previous_difference")];
    const hints = chords.flatMap((chord) => (chord === null || differences === 0 ? [] : [createKeyHint(signOf(chord))]));
    return createElement("div", "versions-head", {}, text, ...hints);
  }

  private createButton(versions: readonly Version[], index: number): HTMLButtonElement {
    const version = versions[index] as Version;
    const spans = fromWire(version.spans);
    const key = versions.length > 1 ? this.controller.keyMap.chordOfVersion(index) : null;
    const { probability: p } = version;
    const says = p === undefined ? ANSWER_NAMES[version.answer].toLowerCase() : `probability ${formatProbability(p)}`;
    const summary = `${says}, ${pluralize(spans.length, "span")}`;
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

/** How many analyses have a digit each. */
const MAX_DIGITS = 9;

/** Describe a set in a line: how many analyses it has, and what to do where they are not few. */
export function describeSet({ level, size, complete, current }: AnalysisSet): string {
  if (!current) return "The sets are out of date: another model is in use. Open the widget anew";
  const at = `at ${Number((100 * level).toFixed(1))} %`;
  if (!complete) return `The set ${at} goes beyond a list of ${formatCount(size)}: label as usual`;
  if (size === 1) return `The only analysis ${at}: annotator.sets lists all such texts, to be accepted as one act`;
  return size > MAX_DIGITS ? `${formatCount(size)} analyses ${at}: label as usual` : `${size} analyses ${at}`;
}
