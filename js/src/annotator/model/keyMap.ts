/** The keys of one widget: the built-in ones, with those that the user has chosen in their place. */
import { chordOf, type KeyStroke } from "../../shared/keyboard";
import type { Setup } from "../../shared/protocol";
import { COMMANDS, KEY_BINDINGS, labelChord, REPEATING, type Command, type KeyBinding, type LabelCommand } from "./keyBindings";

/** The acts whose keys can be changed, with their built-in chords; `widgets/key_bindings.py` has the same. */
export const ACTS = {
  accept: ["a"],
  reject: ["x"],
  ignore: ["Space"],
  take_back: ["Backspace"],
  flag: ["f"],
  note: ["n"],
  back: [","],
  next: ["."],
  first_open: ["g"],
  list: ["l"],
  version: ["v"],
  difference: ["j"],
  previous_difference: ["k"],
  label_active: ["Enter"],
  remove: ["Delete"],
  label_everywhere: ["e"],
  unlabel_everywhere: ["r"],
  confidence: ["c"],
  accept_confident: ["p"],
  alternative: ["t"],
  guideline: ["i"],
  edit_labels: ["m"],
  filter: ["/"],
  done: ["b"],
  next_unsure: ["u"],
  search: ["s"],
  smaller: ["-"],
  larger: ["+"],
  width: ["w"],
  undo: ["mod+z"],
  redo: ["mod+shift+z", "mod+y"],
  save: ["mod+s"],
  help: ["?", "h"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Act = keyof typeof ACTS;

const DIGIT = /^[1-9]$/;

/** Return a command that gives a label, or none; undefined for an act, which keeps its key. */
const labelOrNone = (command: Command | null): LabelCommand | null | undefined =>
  command === null || command.do === "label" ? command : undefined;

const actOf = new Map(
  Object.entries(ACTS).flatMap(([act, chords]) => chords.map((chord) => [chord as string, act as Act] as const)),
);

export class KeyMap {
  private readonly commands = new Map(COMMANDS);
  private readonly chords = new Map<string, string>();
  private readonly labelChords = new Map<string, string>();

  constructor(private readonly setup: Pick<Setup, "labels" | "keys" | "labelKeys">) {
    const { labels, keys = {}, labelKeys = {} } = setup;
    const moved = Object.entries(keys).filter(([act]) => act in ACTS) as [Act, string][];
    const movedLabels = labels.flatMap((label, index) => {
      const chord = labelKeys[label];
      return chord === undefined ? [] : [{ label, index, chord }];
    });
    // First all lose their built-in keys, so that two can change places.
    moved.forEach(([act]) => ACTS[act].forEach((chord) => this.commands.delete(chord)));
    movedLabels.forEach(({ index }) => this.commands.delete(labelChord(index) ?? ""));
    for (const [act, chord] of moved) {
      const command = COMMANDS.get(ACTS[act][0]);
      if (command !== undefined && chord !== "") this.commands.set(chord, command);
    }
    for (const { index, chord } of movedLabels) {
      if (chord !== "") this.commands.set(chord, { do: "label", index });
    }
    this.nameChords(moved);
    labels.forEach((label, index) => {
      const chord = labelKeys[label] ?? labelChord(index);
      const command = chord === null ? undefined : this.commands.get(chord);
      if (chord !== null && command?.do === "label" && command.index === index) this.labelChords.set(label, chord);
    });
  }

  /** Return the chord of an act; null where it has none. */
  chordOf(act: Act): string | null {
    return this.chords.get(act) ?? null;
  }

  /** Return whether the user has chosen a key: it does what was chosen wherever there is an annotator. */
  isChosen(stroke: KeyStroke): boolean {
    const { keys = {}, labelKeys = {} } = this.setup;
    return [...Object.values(keys), ...Object.values(labelKeys)].includes(chordOf(stroke));
  }

  chordOfLabel(label: string): string | null {
    return this.labelChords.get(label) ?? null;
  }

  /** Return the digit of the version at an index; null where it has none. */
  chordOfVersion(index: number): string | null {
    const digit = String(index + 1);
    return DIGIT.test(digit) && labelOrNone(this.commands.get(digit) ?? null) !== undefined ? digit : null;
  }

  /**
   * Return the command of a key stroke; null if it has none.
   *
   * @param versions How many versions of the example there are to choose from, each by its digit.
   */
  commandOf(stroke: KeyStroke & { readonly repeat?: boolean }, versions = 0): Command | null {
    const command = this.findVersion(stroke, versions) ?? this.findCommand(stroke);
    return stroke.repeat === true && command !== null && !REPEATING.has(command.do) ? null : command;
  }

  /** The table of keys for the help card, with a line for each label that has a key of its own. */
  get bindings(): readonly KeyBinding[] {
    const { labels, labelKeys = {} } = this.setup;
    const lines = KEY_BINDINGS.map((binding) => this.describe(binding)).filter((one) => one !== null);
    const own = labels
      .filter((label) => (labelKeys[label] ?? "") !== "")
      .map((label) => ({ group: "Label" as const, keys: [nameOf(labelKeys[label] ?? "")], description: label, chords: {} }));
    return [...lines, ...own];
  }

  private nameChords(moved: readonly (readonly [Act, string])[]): void {
    const chosen = new Map(moved);
    for (const [act, [builtIn]] of Object.entries(ACTS) as [Act, readonly [string]][]) {
      const chord = chosen.get(act) ?? builtIn;
      const isOwn = chord !== "" && this.commands.get(chord) === COMMANDS.get(builtIn);
      if (isOwn) this.chords.set(act, chord);
    }
  }

  private findVersion(stroke: KeyStroke, versions: number): Command | null {
    const chord = chordOf(stroke);
    const otherwise = labelOrNone(this.commands.get(chord) ?? null);
    if (!DIGIT.test(chord) || Number(chord) > versions || otherwise === undefined) return null;
    return { do: "version-at", index: Number(chord) - 1, otherwise };
  }

  private findCommand(stroke: KeyStroke): Command | null {
    const command = this.commands.get(chordOf(stroke)) ?? null;
    // On many keyboards `/` and `?` are shifted digits: they keep their command where no label has that key.
    return command?.do === "label" && command.index >= this.setup.labels.length
      ? (this.commands.get(stroke.key) ?? null)
      : command;
  }

  /** Return a binding with the keys that its acts have now; null where they have none. */
  private describe(binding: KeyBinding): KeyBinding | null {
    const acts = Object.keys(binding.chords).map((chord) => actOf.get(chord));
    const isAsBuilt = acts.every((act) => act === undefined || this.chordOf(act) === ACTS[act][0]);
    if (isAsBuilt) return binding;
    const present = [...new Set(acts)].flatMap((act) => (act === undefined ? [] : [this.chordOf(act)]));
    const keys = present.filter((chord) => chord !== null).map(nameOf);
    return keys.length === 0 ? null : { ...binding, keys };
  }
}

const NAMES: Readonly<Record<string, string>> = { mod: "ctrl" };
const SIGNS: Readonly<Record<string, string>> = { Space: "␣", Backspace: "⌫", Enter: "⏎", Delete: "⌦", mod: "ctrl" };
const ARIA: Readonly<Record<string, string>> = { mod: "Control", shift: "Shift", alt: "Alt" };

const translate = (chord: string, names: Readonly<Record<string, string>>, other: (part: string) => string): string =>
  chord
    .split(/(?<=.)\+/)
    .map((part) => names[part] ?? other(part))
    .join("+");

/** Return the name of a chord for the help card, as `formatKeys` takes it. */
export const nameOf = (chord: string): string => translate(chord, NAMES, (part) => part.toLowerCase());

/** Return the sign of a chord for a button, as `formatKeys` takes it. */
export const signOf = (chord: string): string => translate(chord, SIGNS, (part) => part);

/** Return a chord as `aria-keyshortcuts` takes it. */
export const ariaOf = (chord: string): string => translate(chord, ARIA, (part) => part);
