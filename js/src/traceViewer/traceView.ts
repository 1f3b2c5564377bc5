/** Puts the state viewer together in one place of the page, and takes it away again. */
import { isBrowserKey, formatKeys } from "../shared/keyboard";
import type { Unsubscribe } from "../shared/environment";
import { createButton, createIcon, createKeyHint, createElement, setAttributes, setLabelColor, setText, type IconName } from "../shared/dom";
import { ActionBars } from "./actionBars";
import { BeamView } from "./beam";
import { TraceHelpCard } from "./keyHelp";
import { traceCommandOf, type TraceCommand } from "./keyBindings";
import { labelColor, type TraceComponent } from "./component";
import type { TracePlayer } from "./player";
import { includesEntity, costlyTokens, describeStep, textOfRange, type ParserTrace } from "./trace";
import { ParserStateView } from "./parserState";
import { TraceText } from "./traceText";

export function mount(place: HTMLElement, run: ParserTrace, player: TracePlayer): Unsubscribe {
  const view = new TraceView(run, player);
  place.append(view.root);
  return () => view.dispose();
}

class TraceView {
  readonly root: HTMLElement;
  private readonly progressBar = createElement("div", "progress-bar", { role: "progressbar", "aria-label": "Decided", "aria-valuemin": "0" });
  private readonly count = createElement("span", "count");
  private readonly said = createElement("div", "step-said", { role: "status" });
  private readonly parts: readonly TraceComponent[];
  private readonly buttons = new Map<TraceCommand, HTMLButtonElement>();
  private readonly card: TraceHelpCard;
  private readonly mistakes: readonly number[];
  private readonly unsubscribe: Unsubscribe;

  constructor(
    private readonly run: ParserTrace,
    private readonly player: TracePlayer,
  ) {
    const mac = /mac|iphone|ipad/i.test(navigator.platform);
    this.mistakes = costlyTokens(run);
    this.card = new TraceHelpCard(mac);
    const text = new TraceText(run, (token) => {
      player.jump(token);
      this.root.focus({ preventScroll: true });
    });
    const [state, bars, beam] = [new ParserStateView(run), new ActionBars(run), new BeamView(run)];
    // The text measures where the word is: last, so that the page is laid out once.
    this.parts = [state, bars, beam, text];
    const panels = createElement("div", "step-panels", {}, bars.element, beam.element);
    this.root = createElement(
      "div",
      "root",
      {
        "data-nbner": "trace",
        // JupyterLab's shortcuts listen before the event gets here; this tells them not to.
        "data-lm-suppress-shortcuts": "true",
        role: "application",
        "aria-label": "State machine, step by step",
        tabindex: "0",
      },
      this.progressBar,
      this.head(),
      text.element,
      goldLine(run),
      state.element,
      this.said,
      createElement("div", "step-panels-frame", {}, panels),
      this.foot(mac),
      this.card.element,
    );
    this.listen();
    this.show();
    this.unsubscribe = player.subscribe(() => this.show());
  }

  dispose(): void {
    this.unsubscribe();
    this.root.remove();
  }

  private listen(): void {
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    const swallow = (event: Event): void => event.stopPropagation();
    this.root.addEventListener("keyup", swallow);
    this.root.addEventListener("keypress", swallow);
  }

  private head(): HTMLElement {
    const help = createButton(
      "help-button",
      { "aria-label": "All keys", "aria-keyshortcuts": "?", title: "All keys" },
      [createKeyHint("?")],
      () => this.card.toggle(),
    );
    const note = createElement("span", "place", { title: this.run.note || null }, ["greedy search", this.run.note].filter(Boolean).join(" · "));
    return createElement("div", "head", {}, note, createElement("span", "standing", {}, this.count, help));
  }

  private foot(mac: boolean): HTMLElement {
    const left = createElement(
      "div",
      "answers",
      { role: "group", "aria-label": "Steps" },
      this.choice("first", "first", "Start", "home", mac),
      this.choice("back", "back", "Back", "←", mac),
      this.choice("play", "play", "Play", "space", mac),
      this.choice("next", "next", "Next", "→", mac),
      this.choice("last", "last", "End", "end", mac),
    );
    const mistake = this.choice("mistake", "cross", "Next mistake", "m", mac);
    const right = createElement("div", "others", {}, this.run.gold === null ? null : mistake);
    return createElement("div", "foot-frame", {}, createElement("div", "foot", {}, left, right));
  }

  private choice(command: TraceCommand, sign: IconName, word: string, key: string, mac: boolean): HTMLButtonElement {
    const attributes = { "data-act": command, "aria-label": word, "aria-keyshortcuts": key, title: word };
    const content = [createIcon(sign), createElement("span", "word", {}, word), createKeyHint(formatKeys(key, mac))];
    const element = createButton("choice", attributes, content, () => this.carryOut(command));
    this.buttons.set(command, element);
    return element;
  }

  private show(): void {
    const { player, run, root } = this;
    const { place, last } = player;
    setAttributes(root, { "data-step": String(place), "data-playing": player.isPlaying ? "" : null });
    setText(this.count, place === last ? `done, ${last} words` : `word ${place + 1} of ${last}`);
    this.progressBar.style.setProperty("--nbner-share", String(last > 0 ? place / last : 1));
    setAttributes(this.progressBar, { "aria-valuenow": String(place), "aria-valuemax": String(last) });
    setText(this.said, describeStep(run, place));
    this.showButtons();
    this.parts.forEach((part) => part.show(place));
  }

  private showButtons(): void {
    const { player, buttons } = this;
    const { place, last } = player;
    const set = (command: TraceCommand, enabled: boolean): void => {
      const element = buttons.get(command);
      if (element !== undefined) setAttributes(element, { "aria-disabled": enabled ? null : "true" });
    };
    set("first", place > 0);
    set("back", place > 0);
    set("next", place < last);
    set("last", place < last);
    set("mistake", this.nextMistake() !== undefined);
    const play = buttons.get("play");
    const word = player.isPlaying ? "Pause" : "Play";
    if (play === undefined || play.getAttribute("aria-label") === word) return;
    setAttributes(play, { "aria-label": word, title: `${word}: ${player.wordsPerMinute} words a minute` });
    play.firstElementChild?.replaceWith(createIcon(player.isPlaying ? "pause" : "play"));
    play.querySelector(".nbner-word")?.replaceChildren(word);
  }

  /** The next one; after the last, the first. */
  private nextMistake(): number | undefined {
    return this.mistakes.find((token) => token > this.player.place) ?? this.mistakes[0];
  }

  /** No key goes on from here to the notebook, whether it means something or not. */
  private onKey(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.isComposing || event.key === "Dead" || event.key === "Process") return;
    if (this.card.isOpen) {
      event.preventDefault();
      return this.card.type(event.key);
    }
    const isOnButton = event.target !== this.root && (event.key === "Enter" || event.key === " ");
    if (isOnButton || event.key === "Tab" || isBrowserKey(event)) return;
    event.preventDefault();
    const command = traceCommandOf(event);
    if (command !== null) this.carryOut(command);
  }

  private carryOut(command: TraceCommand): void {
    const { player } = this;
    switch (command) {
      case "play":
        return player.toggle();
      case "back":
        return player.step(-1);
      case "next":
        return player.step(1);
      case "first":
        return player.jump(0);
      case "last":
        return player.jump(player.last);
      case "mistake":
        return player.jump(this.nextMistake() ?? player.place);
      case "faster":
        return player.changePace(1);
      case "slower":
        return player.changePace(-1);
      case "help":
        return this.card.toggle();
      case "leave":
        return this.root.blur();
    }
  }
}

/** The gold as it is, with what greedy search makes of it. */
function goldLine(run: ParserTrace): HTMLElement | null {
  if (run.gold === null) return null;
  const chips = run.gold.map((entity) => {
    const [start, end, label] = entity;
    const sign = includesEntity(entity, run.found) ? "✓" : "✕";
    const chip = createElement(
      "span",
      "step-chip",
      { title: sign === "✓" ? "Greedy search finds it" : "Greedy search does not find it" },
      createElement("span", "step-chip-words", {}, textOfRange(run, start, end)),
      createElement("span", "tag", {}, label),
      createElement("span", "step-verdict", { "aria-label": sign === "✓" ? "found" : "not found" }, sign),
    );
    setLabelColor(chip, labelColor(run, label));
    return chip;
  });
  const what = chips.length > 0 ? chips.flatMap((chip, i) => (i > 0 ? [" ", chip] : [chip])) : ["no entity"];
  return createElement("div", "step-gold", {}, createElement("span", "step-name", {}, "Gold"), createElement("span", "", {}, ...what));
}
