/** The buttons below the text, each with its key. */
import { createButton, createElement, createIcon, createKeyHint, setAttributes, type IconName } from "../../shared/dom";
import type { AnswerKind } from "../../shared/protocol";
import type { EffectScope } from "../../shared/reactive";
import type { AnnotatorController } from "../model/controller";
import type { CoreCommand } from "../model/keyBindings";
import type { Act } from "../model/keyMap";
import { showKey } from "./keyHint";

interface ButtonSpec {
  readonly icon: IconName;
  readonly word: string;
  readonly title: string;
  readonly act: Act;
  readonly command: CoreCommand | { readonly do: "note" };
}

const decide = (answer: AnswerKind): CoreCommand => ({ do: "decide", answer });

const ANSWERS: readonly ButtonSpec[] = [
  buttonSpec("accept", "Accept: these spans are the complete gold", "accept", decide("accept")),
  buttonSpec("reject", "Reject: these spans are wrong", "reject", decide("reject")),
  buttonSpec("ignore", "Ignore: leave this example out", "ignore", decide("ignore")),
  buttonSpec("undo", "Undo: take the last decision back", "take_back", { do: "take-back" }),
];

const OTHERS: readonly ButtonSpec[] = [
  buttonSpec("flag", "Flag: mark this example for later", "flag", { do: "flag" }),
  buttonSpec("note", "Note: write something about this example", "note", { do: "note" }),
  buttonSpec("back", "Back: the example before", "back", { do: "browse", by: -1 }),
  buttonSpec("next", "Next: the example after, without deciding", "next", { do: "browse", by: 1 }),
];

/**
 * Describe a button.
 *
 * @param title Begins with the button's word.
 * @param act What its key does.
 */
function buttonSpec(icon: IconName, title: string, act: Act, command: ButtonSpec["command"]): ButtonSpec {
  const word = title.split(":", 1)[0] ?? "";
  return { icon, word, title, act, command };
}

export class AnswerButtons {
  readonly element: HTMLElement;
  private readonly buttons = new Map<IconName, HTMLButtonElement>();
  private readonly hints: (readonly [HTMLButtonElement, HTMLElement, Act])[] = [];

  /**
   * @param focusText Moves the focus back to the text after a click.
   * @param openNote Opens the field for a note.
   */
  constructor(
    private readonly controller: AnnotatorController,
    private readonly focusText: () => void,
    private readonly openNote: () => void,
    effects: EffectScope,
  ) {
    const answers = ANSWERS.map((spec) => this.createButton(spec, "data-answer"));
    const others = OTHERS.map((spec) => this.createButton(spec, "data-act"));
    const left = createElement("div", "answers", { role: "group", "aria-label": "Decision" }, ...answers);
    const right = createElement("div", "others", { role: "group", "aria-label": "Example" }, ...others);
    this.element = createElement("div", "foot-frame", {}, createElement("div", "foot", {}, left, right));
    effects.run(() => this.update());
    effects.run(() => {
      for (const [button, hint, act] of this.hints) showKey(controller, act, button, hint);
    });
  }

  private update(): void {
    const { controller } = this;
    const state = controller.shown?.state;
    const isShown = state !== undefined;
    for (const answer of ["accept", "reject", "ignore"] as const) {
      this.setButton(answer, isShown, state?.answer === answer);
    }
    this.setButton("undo", controller.canRetractDecision);
    this.setButton("flag", isShown, state?.flagged === true);
    this.setButton("note", isShown, isShown && state.note !== "");
    this.setButton("back", controller.canBrowse(-1));
    this.setButton("next", controller.canBrowse(1));
  }

  private createButton(spec: ButtonSpec, attribute: string): HTMLButtonElement {
    const attributes = {
      [attribute]: spec.icon,
      title: spec.title,
    };
    const parts = [createIcon(spec.icon), createElement("span", "word", {}, spec.word)];
    // The arrow is on the side it points to.
    if (spec.icon === "next") parts.reverse();
    const hint = createKeyHint("");
    const content = [...parts, hint];
    const element = createButton("choice", attributes, content, (event) => {
      if (spec.command.do === "note") return this.openNote();
      this.controller.run(spec.command);
      // A press from the keyboard keeps the focus on the button.
      if (event.detail > 0) this.focusText();
    });
    this.buttons.set(spec.icon, element);
    this.hints.push([element, hint, spec.act]);
    return element;
  }

  private setButton(name: IconName, isEnabled: boolean, isPressed?: boolean): void {
    const element = this.buttons.get(name);
    if (element === undefined) return;
    setAttributes(element, {
      "aria-disabled": isEnabled ? null : "true",
      ...(isPressed !== undefined && { "aria-pressed": String(isPressed) }),
    });
  }
}
