/** Progress, save status, and what is known of the example. */
import { createButton, createElement, createIcon, createKeyHint, setAttributes, setText, type IconName } from "../../shared/dom";
import { formatCount, formatProbability } from "../../shared/format";
import type { EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";
import type { Act } from "../model/keyMap";
import { formatProgress } from "../model/messageText";
import { describeDone } from "../model/partialWork";
import { showKey } from "./keyHint";

/** A known detail of an example: a field of its metadata, or a sentence. */
type Fact = string | { readonly key: string; readonly value: string };

const textOfFact = (fact: Fact): string => (typeof fact === "string" ? fact : `${fact.key}: ${fact.value}`);

/** Render a fact; an address of the web in the metadata is a link. */
function renderFact(fact: Fact): (Node | string)[] {
  const address = typeof fact === "string" ? null : webAddress(fact.value);
  if (typeof fact === "string" || address === null) return [textOfFact(fact)];
  const link = { href: address, target: "_blank", rel: "noopener noreferrer", tabindex: "-1" };
  return [`${fact.key}: `, createElement("a", "link", link, fact.value)];
}

/** Return a text as an address that is safe to follow; null for anything but http and https. */
function webAddress(text: string): string | null {
  if (!/^https?:\/\/\S+$/iu.test(text)) return null;
  try {
    const { protocol, href } = new URL(text);
    return protocol === "http:" || protocol === "https:" ? href : null;
  } catch {
    return null;
  }
}

export class StatusBar {
  /** The thin line along the top edge. */
  readonly progressBar = createElement("div", "progress-bar", { role: "progressbar", "aria-label": "Answered" });
  readonly head: HTMLElement;
  /** The line below the text. */
  readonly info: HTMLElement;
  private readonly place = createElement("span", "place");
  private readonly count = createElement("span", "count");
  private readonly target = createElement("span", "target", { role: "status" });
  private readonly save = createElement("span", "save");
  private readonly saveWord = createElement("span", "save-word");
  private readonly why = createElement("span", "why", { role: "status" });
  private readonly hint = createElement("span", "hint");
  private readonly meta = createElement("span", "meta");

  constructor(
    private readonly controller: AnnotatorController,
    openHelp: () => void,
    openPanel: (panel: "list" | "confident") => void,
    toggleGuideline: () => void,
    note: HTMLElement,
    effects: EffectScope,
  ) {
    this.save.append(createElement("span", "dot", { "aria-hidden": "true" }), this.saveWord);
    const help = this.createButton("All keys", "help", null, openHelp, effects);
    const list = this.createButton("List of examples", "list", "list", () => openPanel("list"), effects);
    const sure = this.createButton("What the model is sure of", "accept_confident", "sure", () => openPanel("confident"), effects);
    const guideline = this.createButton("Guideline", "guideline", "book", toggleGuideline, effects);
    const standing = createElement("span", "standing", {}, this.target, this.count, this.save, guideline, sure, list, help);
    effects.run(() => {
      sure.hidden = controller.setup.confident !== true;
    });
    effects.run(() => {
      guideline.hidden = !controller.guideline.exists;
      setAttributes(guideline, { "aria-pressed": String(controller.guideline.state.isOpen) });
    });
    this.head = createElement("div", "head", {}, this.place, standing);
    const messages = createElement("div", "says", {}, this.why, this.hint);
    this.info = createElement("div", "info", {}, messages, createElement("div", "about", {}, this.meta, note));
    effects.run(() => this.showPlace());
    effects.run(() => this.showProgress());
    effects.run(() => this.showSaveStatus());
    effects.run(() => this.showExample());
    effects.run(() => this.showHint());
  }

  private createButton(
    name: string,
    act: Act,
    icon: IconName | null,
    onClick: () => void,
    effects: EffectScope,
  ): HTMLButtonElement {
    const hint = createKeyHint("");
    const attributes = { "aria-label": name, ...(icon !== null && { "data-act": act }) };
    // The button of the help card is the sign itself.
    const content = icon === null ? [hint] : [createIcon(icon), hint];
    const button = createButton(icon === null ? "help-button" : "icon-button", attributes, content, onClick);
    effects.run(() => {
      showKey(this.controller, act, button, hint, name);
      if (icon === null && hint.textContent === "") setText(hint, "?");
    });
    return button;
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
    const target = this.describeTarget();
    setText(this.target, target);
    this.target.hidden = target === "";
    this.count.title = (["accept", "reject", "ignore"] as const)
      .map((answer) => `${formatCount(counts[answer])} ${PARTICIPLES[answer]}`)
      .join(", ");
    this.progressBar.style.setProperty("--nbner-share", String(share));
    setAttributes(this.progressBar, {
      "aria-valuenow": String(done),
      "aria-valuemin": "0",
      "aria-valuemax": String(counts.total),
      "aria-valuetext": `${formatProgress(counts)} answered`,
    });
  }

  private showSaveStatus(): void {
    const { saveStatus, problem, currentNotice } = this.controller;
    const { state, word, why } = saveStatus;
    setAttributes(this.save, { "data-save": state });
    setText(this.saveWord, word);
    setText(this.why, why || problem || currentNotice.text);
    this.why.title = why || problem || currentNotice.detail || currentNotice.text;
  }

  private showExample(): void {
    const { setup, shown, kBest, resultPosition } = this.controller;
    const task = shown?.task;
    const facts: Fact[] = Object.entries(task?.meta ?? {}).map(([key, value]) => ({ key, value: String(value) }));
    const verb = setup.mends ? "doubted" : "suggested";
    if (task?.suggested === true && task.by) facts.push(`${verb} by ${this.nameSources(task.by)}`);
    if (shown !== null && shown.state.done > 0) facts.unshift(`done up to ${describeDone(shown)}`);
    if (kBest.position !== null) {
      const { at, of, probability } = kBest.position;
      facts.unshift(`analysis ${at} of ${of} · ${formatProbability(probability)}`);
    }
    if (resultPosition !== null) {
      const { at, of } = resultPosition;
      facts.unshift(`${formatCount(at)} of ${formatCount(of)} in the list`);
    }
    const text = facts.map(textOfFact).join("\n");
    if (this.meta.title === text) return;
    this.meta.title = text;
    this.meta.replaceChildren(...facts.flatMap((fact, i) => [...(i > 0 ? [" · "] : []), ...renderFact(fact)]));
  }

  /** Describe how much of today's target is done; at its end, that it is reached, and nothing more. */
  private describeTarget(): string {
    const { target, counts } = this.controller;
    if (target === null) return "";
    const { daily, today, answered } = target;
    const done = Math.max(0, today + counts.total - counts.open - answered);
    const progress = `${formatCount(done)} of ${formatCount(daily)} today`;
    return done >= daily ? `${progress}: that is today's target` : progress;
  }

  /** Name what has suggested: an annotator knows a model by its time and its F. */
  private nameSources(sources: string): string {
    const { sources: names = {} } = this.controller.setup;
    return sources
      .split(", ")
      .map((one) => names[one] ?? one)
      .join(", ");
  }

  private showHint(): void {
    const isBare = this.controller.shown?.state.spans.length === 0;
    setText(this.hint, isBare ? "No spans: accept says that there is no entity here." : "");
  }
}

const PARTICIPLES = { accept: "accepted", reject: "rejected", ignore: "ignored" } as const;
