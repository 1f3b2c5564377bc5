/** Puts the state viewer together in one place of the page, and takes it away again. */
import { belongsToBrowser, spell } from "../shared/keyboard";
import type { Off } from "../shared/environment";
import { button, icon, keyHint, make, setAttributes, setHue, setText, type Icon } from "../shared/dom";
import { Bars } from "./actionBars";
import { Beam } from "./beam";
import { Card } from "./keyHelp";
import { commandOf, type Command } from "./keyBindings";
import { hueOf, type Part } from "./component";
import type { Player } from "./player";
import { isAmong, mistakesOf, saidAt, wordsOf, type Run } from "./trace";
import { StateLine } from "./parserState";
import { Text } from "./traceText";

export function mount(place: HTMLElement, run: Run, player: Player): Off {
  const view = new TraceView(run, player);
  place.append(view.root);
  return () => view.dispose();
}

class TraceView {
  readonly root: HTMLElement;
  private readonly hair = make("div", "hair", { role: "progressbar", "aria-label": "Decided", "aria-valuemin": "0" });
  private readonly count = make("span", "count");
  private readonly said = make("div", "step-said", { role: "status" });
  private readonly parts: readonly Part[];
  private readonly buttons = new Map<Command, HTMLButtonElement>();
  private readonly card: Card;
  private readonly mistakes: readonly number[];
  private readonly unsubscribe: Off;

  constructor(
    private readonly run: Run,
    private readonly player: Player,
  ) {
    const mac = /mac|iphone|ipad/i.test(navigator.platform);
    this.mistakes = mistakesOf(run);
    this.card = new Card(mac);
    const text = new Text(run, (token) => {
      player.jump(token);
      this.root.focus({ preventScroll: true });
    });
    const [state, bars, beam] = [new StateLine(run), new Bars(run), new Beam(run)];
    // The text measures where the word is: last, so that the page is laid out once.
    this.parts = [state, bars, beam, text];
    const panels = make("div", "step-panels", {}, bars.element, beam.element);
    this.root = make(
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
      this.hair,
      this.head(),
      text.element,
      goldLine(run),
      state.element,
      this.said,
      make("div", "step-panels-frame", {}, panels),
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
    const help = button(
      "help-button",
      { "aria-label": "All keys", "aria-keyshortcuts": "?", title: "All keys" },
      [keyHint("?")],
      () => this.card.toggle(),
    );
    const note = make("span", "place", { title: this.run.note || null }, ["greedy search", this.run.note].filter(Boolean).join(" · "));
    return make("div", "head", {}, note, make("span", "standing", {}, this.count, help));
  }

  private foot(mac: boolean): HTMLElement {
    const left = make(
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
    const right = make("div", "others", {}, this.run.gold === null ? null : mistake);
    return make("div", "foot-frame", {}, make("div", "foot", {}, left, right));
  }

  private choice(command: Command, sign: Icon, word: string, key: string, mac: boolean): HTMLButtonElement {
    const attributes = { "data-act": command, "aria-label": word, "aria-keyshortcuts": key, title: word };
    const content = [icon(sign), make("span", "word", {}, word), keyHint(spell(key, mac))];
    const element = button("choice", attributes, content, () => this.carryOut(command));
    this.buttons.set(command, element);
    return element;
  }

  private show(): void {
    const { player, run, root } = this;
    const { place, last } = player;
    setAttributes(root, { "data-step": String(place), "data-playing": player.isPlaying ? "" : null });
    setText(this.count, place === last ? `done, ${last} words` : `word ${place + 1} of ${last}`);
    this.hair.style.setProperty("--nbner-share", String(last > 0 ? place / last : 1));
    setAttributes(this.hair, { "aria-valuenow": String(place), "aria-valuemax": String(last) });
    setText(this.said, saidAt(run, place));
    this.showButtons();
    this.parts.forEach((part) => part.show(place));
  }

  private showButtons(): void {
    const { player, buttons } = this;
    const { place, last } = player;
    const set = (command: Command, enabled: boolean): void => {
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
    setAttributes(play, { "aria-label": word, title: `${word}: ${player.wordsAMinute} words a minute` });
    play.firstElementChild?.replaceWith(icon(player.isPlaying ? "pause" : "play"));
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
    if (isOnButton || event.key === "Tab" || belongsToBrowser(event)) return;
    event.preventDefault();
    const command = commandOf(event);
    if (command !== null) this.carryOut(command);
  }

  private carryOut(command: Command): void {
    const { player } = this;
    switch (command) {
      case "play":
        return player.toggle();
      case "back":
        return player.by(-1);
      case "next":
        return player.by(1);
      case "first":
        return player.jump(0);
      case "last":
        return player.jump(player.last);
      case "mistake":
        return player.jump(this.nextMistake() ?? player.place);
      case "faster":
        return player.faster(1);
      case "slower":
        return player.faster(-1);
      case "help":
        return this.card.toggle();
      case "leave":
        return this.root.blur();
    }
  }
}

/** The gold as it is, with what greedy search makes of it. */
function goldLine(run: Run): HTMLElement | null {
  if (run.gold === null) return null;
  const chips = run.gold.map((entity) => {
    const [start, end, label] = entity;
    const sign = isAmong(entity, run.found) ? "✓" : "✕";
    const chip = make(
      "span",
      "step-chip",
      { title: sign === "✓" ? "Greedy search finds it" : "Greedy search does not find it" },
      make("span", "step-chip-words", {}, wordsOf(run, start, end)),
      make("span", "tag", {}, label),
      make("span", "step-verdict", { "aria-label": sign === "✓" ? "found" : "not found" }, sign),
    );
    setHue(chip, hueOf(run, label));
    return chip;
  });
  const what = chips.length > 0 ? chips.flatMap((chip, i) => (i > 0 ? [" ", chip] : [chip])) : ["no entity"];
  return make("div", "step-gold", {}, make("span", "step-name", {}, "Gold"), make("span", "", {}, ...what));
}
