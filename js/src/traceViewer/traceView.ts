/** Assembles the trace viewer in an output cell, and removes it. */
import {
  createButton,
  createElement,
  createIcon,
  createKeyHint,
  createRoot,
  setAttributes,
  setLabelColor,
  setText,
  type IconName,
} from "../shared/dom";
import type { Unsubscribe } from "../shared/environment";
import { HelpCard } from "../shared/helpCard";
import { formatKeys, isBrowserKey, isComposing } from "../shared/keyboard";
import { ActionBars } from "./actionBars";
import { BeamView } from "./beam";
import { helpGroups, traceCommandOf, type TraceCommand } from "./keyBindings";
import { ParserStateView } from "./parserState";
import type { TracePlayer } from "./player";
import { costlyTokens, describeStep, includesEntity, textBetween, type ParserTrace } from "./trace";
import { TraceText } from "./traceText";

/** Add a view to a place of the page; return what removes it. */
export function mount(place: HTMLElement, trace: ParserTrace, player: TracePlayer): Unsubscribe {
  const view = new TraceView(trace, player);
  place.append(view.root);
  return () => view.dispose();
}

interface Component {
  readonly element: HTMLElement;
  /** Show a position; the one after the last word is the end. */
  show(position: number): void;
}

class TraceView {
  readonly root: HTMLElement;
  private readonly progressBar = createElement("div", "progress-bar", {
    role: "progressbar",
    "aria-label": "Decided",
    "aria-valuemin": "0",
  });
  private readonly count = createElement("span", "count");
  private readonly description = createElement("div", "step-said", { role: "status" });
  private readonly components: readonly Component[];
  private readonly buttons = new Map<TraceCommand, HTMLButtonElement>();
  private readonly help = new HelpCard(helpGroups);
  private readonly mistakes: readonly number[];
  private readonly unsubscribe: Unsubscribe;

  constructor(
    private readonly trace: ParserTrace,
    private readonly player: TracePlayer,
  ) {
    this.mistakes = costlyTokens(trace);
    const text = new TraceText(trace, (token) => {
      player.jump(token);
      this.root.focus({ preventScroll: true });
    });
    const [state, actions, beam] = [new ParserStateView(trace), new ActionBars(trace), new BeamView(trace)];
    // The text measures the layout: it comes last, so that the page is laid out once.
    this.components = [state, actions, beam, text];
    const panels = createElement("div", "step-panels", {}, actions.element, beam.element);
    this.root = createRoot(
      "root",
      { "data-nbner": "trace", "aria-label": "State machine, step by step", tabindex: "0" },
      this.progressBar,
      this.createHead(),
      text.element,
      createGoldLine(trace),
      state.element,
      this.description,
      createElement("div", "step-panels-frame", {}, panels),
      this.createFoot(),
      this.help.element,
    );
    this.root.addEventListener("keydown", (event) => this.handleKey(event));
    this.show();
    this.unsubscribe = player.subscribe(() => this.show());
  }

  dispose(): void {
    this.unsubscribe();
    this.root.remove();
  }

  private createHead(): HTMLElement {
    const attributes = { "aria-label": "All keys", "aria-keyshortcuts": "?", title: "All keys" };
    const help = createButton("help-button", attributes, [createKeyHint("?")], () => this.help.toggle());
    const { note } = this.trace;
    const title = ["greedy search", note].filter(Boolean).join(" · ");
    const standing = createElement("span", "standing", {}, this.count, help);
    return createElement("div", "head", {}, createElement("span", "place", { title: note || null }, title), standing);
  }

  private createFoot(): HTMLElement {
    const left = createElement(
      "div",
      "answers",
      { role: "group", "aria-label": "Steps" },
      this.createCommandButton("first", "first", "Start", "home"),
      this.createCommandButton("back", "back", "Back", "←"),
      this.createCommandButton("play", "play", "Play", "space"),
      this.createCommandButton("next", "next", "Next", "→"),
      this.createCommandButton("last", "last", "End", "end"),
    );
    const mistake = this.createCommandButton("mistake", "cross", "Next mistake", "m");
    const right = createElement("div", "others", {}, this.trace.gold === null ? null : mistake);
    return createElement("div", "foot-frame", {}, createElement("div", "foot", {}, left, right));
  }

  private createCommandButton(command: TraceCommand, icon: IconName, word: string, key: string): HTMLButtonElement {
    const attributes = { "data-act": command, "aria-keyshortcuts": key, title: word };
    const content = [createIcon(icon), createElement("span", "word", {}, word), createKeyHint(formatKeys(key))];
    const element = createButton("choice", attributes, content, () => this.run(command));
    this.buttons.set(command, element);
    return element;
  }

  private show(): void {
    const { player, trace } = this;
    const { position, last } = player;
    setAttributes(this.root, { "data-step": String(position), "data-playing": player.isPlaying ? "" : null });
    setText(this.count, position === last ? `done, ${last} words` : `word ${position + 1} of ${last}`);
    this.progressBar.style.setProperty("--nbner-share", String(last > 0 ? position / last : 1));
    setAttributes(this.progressBar, { "aria-valuenow": String(position), "aria-valuemax": String(last) });
    setText(this.description, describeStep(trace, position));
    this.showButtons();
    this.components.forEach((component) => component.show(position));
  }

  private showButtons(): void {
    const { player, buttons } = this;
    const { position, last } = player;
    const setEnabled = (command: TraceCommand, isEnabled: boolean): void => {
      const element = buttons.get(command);
      if (element !== undefined) setAttributes(element, { "aria-disabled": isEnabled ? null : "true" });
    };
    setEnabled("first", position > 0);
    setEnabled("back", position > 0);
    setEnabled("next", position < last);
    setEnabled("last", position < last);
    setEnabled("mistake", this.nextMistake() !== undefined);
    const play = buttons.get("play");
    const word = player.isPlaying ? "Pause" : "Play";
    const name = play?.querySelector(".nbner-word");
    if (play === undefined || name?.textContent === word) return;
    setAttributes(play, { title: `${word}: ${player.wordsPerMinute} words a minute` });
    play.firstElementChild?.replaceWith(createIcon(player.isPlaying ? "pause" : "play"));
    name?.replaceChildren(word);
  }

  /** Return the next token at which the choice costs gold; after the last one, the first. */
  private nextMistake(): number | undefined {
    return this.mistakes.find((token) => token > this.player.position) ?? this.mistakes[0];
  }

  private handleKey(event: KeyboardEvent): void {
    if (isComposing(event)) return;
    if (this.help.isOpen) {
      event.preventDefault();
      return this.help.handleKey(event.key);
    }
    const isOnButton = event.target !== this.root && (event.key === "Enter" || event.key === " ");
    if (isOnButton || event.key === "Tab" || isBrowserKey(event)) return;
    event.preventDefault();
    const command = traceCommandOf(event);
    if (command !== null) this.run(command);
  }

  private run(command: TraceCommand): void {
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
        return player.jump(this.nextMistake() ?? player.position);
      case "faster":
        return player.changePace(1);
      case "slower":
        return player.changePace(-1);
      case "help":
        return this.help.toggle();
      case "leave":
        return this.root.blur();
    }
  }
}

/** Create the line of gold entities, with whether greedy search finds each; null without gold. */
function createGoldLine(trace: ParserTrace): HTMLElement | null {
  if (trace.gold === null) return null;
  const chips = trace.gold.map((entity) => {
    const [start, end, label] = entity;
    const isFound = includesEntity(entity, trace.found);
    const chip = createElement(
      "span",
      "step-chip",
      { title: isFound ? "Greedy search finds it" : "Greedy search does not find it" },
      createElement("span", "step-chip-words", {}, textBetween(trace, start, end)),
      createElement("span", "tag", {}, label),
      createElement("span", "step-verdict", { "aria-label": isFound ? "found" : "not found" }, isFound ? "✓" : "✕"),
    );
    setLabelColor(chip, trace, label);
    return chip;
  });
  const content = chips.length > 0 ? chips.flatMap((chip, i) => (i > 0 ? [" ", chip] : [chip])) : ["no entity"];
  const name = createElement("span", "step-name", {}, "Gold");
  return createElement("div", "step-gold", {}, name, createElement("span", "", {}, ...content));
}
