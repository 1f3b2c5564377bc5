/** The buttons below the text, always in the same place, each with its key. */
import type { AnnotatorController, CoreCommand, Part } from "../model/controller";
import { formatKeys } from "../../shared/keyboard";
import type { AnswerKind } from "../../shared/protocol";
import { createButton, createIcon, createKeyHint, createElement, setAttributes, type IconName } from "../../shared/dom";

interface ButtonSpec {
  readonly icon: IconName;
  readonly word: string;
  readonly title: string;
  readonly key: string;
  readonly shortcut: string;
  readonly command: CoreCommand | { readonly do: "note" };
}

const decide = (answer: AnswerKind): CoreCommand => ({ do: "decide", answer });

const ANSWERS: readonly ButtonSpec[] = [
  buttonSpec("accept", "Accept: these spans are the complete gold", "a", decide("accept")),
  buttonSpec("reject", "Reject: these spans are wrong", "x", decide("reject")),
  buttonSpec("ignore", "Ignore: leave this example out", "␣ Space", decide("ignore")),
  buttonSpec("undo", "Undo: take the last decision back", "⌫ Backspace", { do: "take-back" }),
];

const OTHERS: readonly ButtonSpec[] = [
  buttonSpec("flag", "Flag: mark this example for later", "f", { do: "flag" }),
  buttonSpec("note", "Note: write something about this example", "n", { do: "note" }),
  buttonSpec("back", "Back: the example before", ",", { do: "browse", by: -1 }),
  buttonSpec("next", "Next: the example after, without deciding", ".", { do: "browse", by: 1 }),
];

/** The title begins with the button's word; a key may have a sign and, behind it, a name. */
function buttonSpec(name: IconName, title: string, keys: string, command: ButtonSpec["command"]): ButtonSpec {
  const word = title.split(":", 1)[0] ?? "";
  const [key = "", shortcut = key] = keys.split(" ");
  return { icon: name, word, title, key, shortcut, command };
}

export class AnswerButtons {
  readonly element: HTMLElement;
  private readonly buttons = new Map<IconName, HTMLButtonElement>();

  /**
   * @param leave Gives the focus back to the text after a click.
   * @param openNote Lets a note be written.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly mac: boolean,
    private readonly leave: () => void,
    private readonly openNote: () => void,
  ) {
    const answers = ANSWERS.map((one) => this.makeButton(one, "data-answer"));
    const others = OTHERS.map((one) => this.makeButton(one, "data-act"));
    const left = createElement("div", "answers", { role: "group", "aria-label": "Decision" }, ...answers);
    const right = createElement("div", "others", { role: "group", "aria-label": "Example" }, ...others);
    this.element = createElement("div", "foot-frame", {}, createElement("div", "foot", {}, left, right));
  }

  update(parts: ReadonlySet<Part>): void {
    if (!["example", "answer", "progress", "save"].some((part) => parts.has(part as Part))) return;
    const { controller } = this;
    const state = controller.shown?.state;
    const isThere = state !== undefined;
    for (const { icon: name } of ANSWERS.slice(0, 3)) {
      this.set(name, isThere, state?.answer === name);
    }
    this.set("undo", controller.canUndoDecision);
    this.set("flag", isThere, state?.flagged === true);
    this.set("note", isThere, state !== undefined && state.note !== "");
    this.set("back", controller.canBrowse(-1));
    this.set("next", controller.canBrowse(1));
  }

  private makeButton(one: ButtonSpec, attribute: string): HTMLButtonElement {
    const attributes = {
      [attribute]: one.icon,
      "aria-label": one.word,
      "aria-keyshortcuts": one.shortcut,
      title: one.title,
    };
    const sign = [createIcon(one.icon), createElement("span", "word", {}, one.word)];
    // An arrow points away from its word.
    if (one.icon === "next") sign.reverse();
    const content = [...sign, createKeyHint(formatKeys(one.key, this.mac))];
    const element = createButton("choice", attributes, content, (event) => {
      if (one.command.do === "note") return this.openNote();
      this.controller.run(one.command);
      // A click from the keyboard leaves the focus where the hand is.
      if (event.detail > 0) this.leave();
    });
    this.buttons.set(one.icon, element);
    return element;
  }

  private set(name: IconName, enabled: boolean, pressed?: boolean): void {
    const element = this.buttons.get(name);
    if (element === undefined) return;
    setAttributes(element, {
      "aria-disabled": enabled ? null : "true",
      ...(pressed !== undefined && { "aria-pressed": String(pressed) }),
    });
  }
}
