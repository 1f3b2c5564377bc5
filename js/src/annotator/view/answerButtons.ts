/** The buttons below the text, always in the same place, each with its key. */
import type { Controller, CoreCommand, Part } from "../model/controller";
import { spell } from "../../shared/keyboard";
import type { AnswerKind } from "../../shared/protocol";
import { button, icon, keyHint, make, setAttributes, type Icon } from "../../shared/dom";

interface Choice {
  readonly icon: Icon;
  readonly word: string;
  readonly title: string;
  readonly key: string;
  readonly shortcut: string;
  readonly command: CoreCommand | { readonly do: "note" };
}

const decide = (answer: AnswerKind): CoreCommand => ({ do: "decide", answer });

const DECISIONS: readonly Choice[] = [
  choice("accept", "Accept: these spans are the complete gold", "a", decide("accept")),
  choice("reject", "Reject: these spans are wrong", "x", decide("reject")),
  choice("ignore", "Ignore: leave this example out", "␣ Space", decide("ignore")),
  choice("undo", "Undo: take the last decision back", "⌫ Backspace", { do: "take-back" }),
];

const OTHERS: readonly Choice[] = [
  choice("flag", "Flag: mark this example for later", "f", { do: "flag" }),
  choice("note", "Note: write something about this example", "n", { do: "note" }),
  choice("back", "Back: the example before", ",", { do: "browse", by: -1 }),
  choice("next", "Next: the example after, without deciding", ".", { do: "browse", by: 1 }),
];

/** The title begins with the button's word; a key may have a sign and, behind it, a name. */
function choice(name: Icon, title: string, keys: string, command: Choice["command"]): Choice {
  const word = title.split(":", 1)[0] ?? "";
  const [key = "", shortcut = key] = keys.split(" ");
  return { icon: name, word, title, key, shortcut, command };
}

export class Decisions {
  readonly element: HTMLElement;
  private readonly buttons = new Map<Icon, HTMLButtonElement>();

  /**
   * @param leave Gives the focus back to the text after a click.
   * @param openNote Lets a note be written.
   */
  constructor(
    private readonly controller: Controller,
    private readonly mac: boolean,
    private readonly leave: () => void,
    private readonly openNote: () => void,
  ) {
    const answers = DECISIONS.map((one) => this.makeButton(one, "data-answer"));
    const others = OTHERS.map((one) => this.makeButton(one, "data-act"));
    const left = make("div", "answers", { role: "group", "aria-label": "Decision" }, ...answers);
    const right = make("div", "others", { role: "group", "aria-label": "Example" }, ...others);
    this.element = make("div", "foot-frame", {}, make("div", "foot", {}, left, right));
  }

  update(parts: ReadonlySet<Part>): void {
    if (!["example", "answer", "progress", "save"].some((part) => parts.has(part as Part))) return;
    const { controller } = this;
    const state = controller.shown?.state;
    const isThere = state !== undefined;
    for (const { icon: name } of DECISIONS.slice(0, 3)) {
      this.set(name, isThere, state?.answer === name);
    }
    this.set("undo", controller.canTakeBack);
    this.set("flag", isThere, state?.flagged === true);
    this.set("note", isThere, state !== undefined && state.note !== "");
    this.set("back", controller.canBrowse(-1));
    this.set("next", controller.canBrowse(1));
  }

  private makeButton(one: Choice, attribute: string): HTMLButtonElement {
    const attributes = {
      [attribute]: one.icon,
      "aria-label": one.word,
      "aria-keyshortcuts": one.shortcut,
      title: one.title,
    };
    const sign = [icon(one.icon), make("span", "word", {}, one.word)];
    // An arrow points away from its word.
    if (one.icon === "next") sign.reverse();
    const content = [...sign, keyHint(spell(one.key, this.mac))];
    const element = button("choice", attributes, content, (event) => {
      if (one.command.do === "note") return this.openNote();
      this.controller.run(one.command);
      // A click from the keyboard leaves the focus where the hand is.
      if (event.detail > 0) this.leave();
    });
    this.buttons.set(one.icon, element);
    return element;
  }

  private set(name: Icon, enabled: boolean, pressed?: boolean): void {
    const element = this.buttons.get(name);
    if (element === undefined) return;
    setAttributes(element, {
      "aria-disabled": enabled ? null : "true",
      ...(pressed !== undefined && { "aria-pressed": String(pressed) }),
    });
  }
}
