/** The table of key bindings, from which both the commands and the help card are built. */
import type { AnswerKind, OccurrenceAction } from "../../shared/protocol";

export type LabelCommand = { readonly do: "label"; readonly index: number };

export type Command =
  | { readonly do: "decide"; readonly answer: AnswerKind }
  | { readonly do: "take-back" | "undo" | "redo" | "save" | "flag" | "remove" }
  | { readonly do: "filter" | "help" | "leave" | "label-active" | "version" | "note" }
  | { readonly do: "list" | "confident" }
  | { readonly do: "unsure" | "done" | "search" | "width" }
  | { readonly do: "scale"; readonly by: 1 | -1 }
  | { readonly do: "guideline" }
  | { readonly do: "edit-labels" }
  | { readonly do: "difference"; readonly by: 1 | -1 }
  | { readonly do: "first-open" | "alternative" | "confidence" }
  | { readonly do: "candidate"; readonly by: 1 | -1 }
  | { readonly do: "occurrences"; readonly action: OccurrenceAction }
  | { readonly do: "resize"; readonly edge: "start" | "end"; readonly by: 1 | -1 }
  | LabelCommand
  /** Takes a version; where the caret is at no difference, the digit does what it does elsewhere. */
  | { readonly do: "version-at"; readonly index: number; readonly otherwise: LabelCommand | null }
  | { readonly do: "browse"; readonly by: 1 | -1 }
  | { readonly do: "span"; readonly by: 1 | -1 }
  | { readonly do: "horizontal"; readonly by: 1 | -1; readonly extend: boolean }
  | { readonly do: "line"; readonly by: 1 | -1; readonly extend: boolean }
  | { readonly do: "line-edge"; readonly side: "start" | "end"; readonly extend: boolean }
  | { readonly do: "text-edge"; readonly side: "start" | "end"; readonly extend: boolean };

/** Commands that only a view can run, because they depend on lines and text direction. */
export type ViewCommand = Extract<
  Command,
  { do: "filter" | "search" | "help" | "guideline" | "leave" | "note" | "confidence" | "horizontal" | "resize" | "line" | "line-edge" }
>;
export type CoreCommand = Exclude<Command, ViewCommand>;

export interface KeyBinding {
  readonly group: "Decide" | "Label" | "Move" | "Undo and more" | "In a list";
  /** The keys as they are displayed; each is an alternative, with its modifiers. */
  readonly keys: readonly string[];
  readonly description: string;
  readonly chords: Readonly<Record<string, Command>>;
  /** With fewer labels the binding is left out of the help card. */
  readonly minLabels?: number;
  /** What the widget must have for the binding to be in the help card. */
  readonly needs?: "suggestions" | "analyses" | "versions" | "guideline" | "labelEditor" | "confident";
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"] as const;
const BANKS = ["", "shift+", "shift+alt+"] as const;
/** How many labels have a key. */
export const KEYED_LABELS = DIGITS.length * BANKS.length;
/** From this number on, labels can be filtered by name. */
export const MIN_LABELS_TO_FILTER = 11;

const labelChords = (bank: number): Record<string, Command> =>
  Object.fromEntries(
    DIGITS.map((digit, i) => [
      `${BANKS[bank]}${digit}`,
      { do: "label", index: bank * DIGITS.length + i } as const,
    ]),
  );

/** Bind a movement with and without shift, which extends the selection. */
const motion = (
  chord: string,
  make: (extend: boolean) => Command,
): Record<string, Command> => ({ [chord]: make(false), [`shift+${chord}`]: make(true) });

export const KEY_BINDINGS: readonly KeyBinding[] = [
  binding("Decide", ["a"], "Accept: these spans are the complete gold", {
    a: { do: "decide", answer: "accept" },
  }),
  binding("Decide", ["x"], "Reject: these spans are wrong", {
    x: { do: "decide", answer: "reject" },
  }),
  binding("Decide", ["space"], "Ignore: leave this example out", {
    Space: { do: "decide", answer: "ignore" },
  }),
  binding("Decide", ["backspace"], "Take the last decision back", { Backspace: { do: "take-back" } }),
  binding("Decide", ["f"], "Flag the example", { f: { do: "flag" } }),
  binding("Decide", ["n"], "Write a note", { n: { do: "note" } }),
  binding("Decide", [",", "."], "Back and next, without deciding", {
    ",": { do: "browse", by: -1 },
    ".": { do: "browse", by: 1 },
  }),
  binding("Decide", ["b"], "Done up to the caret: kept, to go on another day", { b: { do: "done" } }),
  binding("Decide", ["g"], "The first open example", { g: { do: "first-open" } }),
  binding("Decide", ["l"], "List and search all examples", { l: { do: "list" } }),
  { ...binding("Decide", ["p"], "List what the model is sure of, to accept it as one act", { p: { do: "confident" } }), needs: "confident" },
  binding("Label", ["1–9", "0"], "Labels 1 to 10", labelChords(0)),
  { ...binding("Label", ["shift+1–0"], "Labels 11 to 20", labelChords(1)), minLabels: 11 },
  { ...binding("Label", ["shift+alt+1–0"], "Labels 21 to 30", labelChords(2)), minLabels: 21 },
  { ...binding("Label", ["v"], "The next version or analysis as it is", { v: { do: "version" } }), needs: "versions" },
  { ...binding("Label", ["1–9"], "That version or analysis: here if they differ here, without a caret all of it", {}), needs: "versions" },
  {
    ...binding("Move", ["j", "k"], "The next and the previous place where the versions differ", {
      j: { do: "difference", by: 1 },
      k: { do: "difference", by: -1 },
    }),
    needs: "versions",
  },
  binding("Label", ["enter"], "The active label", { Enter: { do: "label-active" } }),
  binding("Label", ["delete"], "Remove the span under the caret", { Delete: { do: "remove" } }),
  binding("Label", ["alt+←", "alt+→"], "Move the span's end; with shift, its start", {
    "alt+ArrowLeft": { do: "resize", edge: "end", by: -1 },
    "alt+ArrowRight": { do: "resize", edge: "end", by: 1 },
    "shift+alt+ArrowLeft": { do: "resize", edge: "start", by: -1 },
    "shift+alt+ArrowRight": { do: "resize", edge: "start", by: 1 },
  }),
  binding("Label", ["e"], "Label every occurrence", {
    e: { do: "occurrences", action: "label" },
  }),
  binding("Label", ["r"], "Unlabel every occurrence", {
    r: { do: "occurrences", action: "unlabel" },
  }),
  { ...binding("Label", ["c"], "Hide unsure suggestions", { c: { do: "confidence" } }), needs: "suggestions" },
  { ...binding("Label", ["↑", "↓"], "Without a caret: other analyses", {}), needs: "analyses" },
  { ...binding("Label", ["t"], "Take what was also suggested", { t: { do: "alternative" } }), needs: "suggestions" },
  { ...binding("Label", ["i"], "The guideline beside the text", { i: { do: "guideline" } }), needs: "guideline" },
  { ...binding("Label", ["m"], "Change the label set", { m: { do: "edit-labels" } }), needs: "labelEditor" },
  {
    ...binding("Label", ["/"], "Filter the labels by name or definition", { "/": { do: "filter" } }),
    minLabels: MIN_LABELS_TO_FILTER,
  },
  binding("Move", ["←", "→"], "Token by token", {
    ...motion("ArrowLeft", (extend) => ({ do: "horizontal", by: -1, extend })),
    ...motion("ArrowRight", (extend) => ({ do: "horizontal", by: 1, extend })),
  }),
  binding("Move", ["↑", "↓"], "Line by line", {
    ...motion("ArrowUp", (extend) => ({ do: "line", by: -1, extend })),
    ...motion("ArrowDown", (extend) => ({ do: "line", by: 1, extend })),
  }),
  binding("Move", ["home", "end"], "Ends of the line; with ctrl, of the text", {
    ...motion("Home", (extend) => ({ do: "line-edge", side: "start", extend })),
    ...motion("End", (extend) => ({ do: "line-edge", side: "end", extend })),
    "mod+Home": { do: "text-edge", side: "start", extend: false },
    "mod+End": { do: "text-edge", side: "end", extend: false },
    "mod+shift+Home": { do: "text-edge", side: "start", extend: true },
    "mod+shift+End": { do: "text-edge", side: "end", extend: true },
  }),
  binding("Move", ["shift+arrow"], "Extend the selection", {}),
  binding("Move", ["tab", "shift+tab"], "Span by span, then out", {
    Tab: { do: "span", by: 1 },
    "shift+Tab": { do: "span", by: -1 },
  }),
  { ...binding("Move", ["u"], "The next unsure suggestion", { u: { do: "unsure" } }), needs: "suggestions" },
  binding("Move", ["s"], "Search in this text", { s: { do: "search" } }),
  binding("Undo and more", ["ctrl+z"], "Undo, across examples", { "mod+z": { do: "undo" } }),
  binding("Undo and more", ["ctrl+shift+z", "ctrl+y"], "Redo", {
    "mod+shift+z": { do: "redo" },
    "mod+y": { do: "redo" },
  }),
  binding("Undo and more", ["ctrl+s"], "Save this moment's work", { "mod+s": { do: "save" } }),
  binding("Undo and more", ["−", "+"], "Smaller and larger text", {
    "-": { do: "scale", by: -1 },
    "+": { do: "scale", by: 1 },
  }),
  binding("Undo and more", ["w"], "Lines as wide as the cell", { w: { do: "width" } }),
  binding("Undo and more", ["escape"], "Drop the selection; then leave", { Escape: { do: "leave" } }),
  binding("Undo and more", ["?", "h"], "This card", { "?": { do: "help" }, h: { do: "help" } }),
  // The side panel handles these itself while it is open.
  binding("In a list", ["↑", "↓"], "Row by row", {}),
  binding("In a list", ["enter"], "Show the example; change what is ticked", {}),
  binding("In a list", ["ctrl+s"], "Keep the search, or forget it", {}),
  binding("In a list", ["space", "a"], "Tick one; tick all or none", {}),
  binding("In a list", ["←", "→"], "This example; the coming ones too", {}),
  { ...binding("In a list", ["←", "→"], "What is sure: a lower and a higher probability", {}), needs: "confident" },
  binding("In a list", ["c"], "The same case, or any", {}),
  binding("In a list", ["escape"], "Back to the text", {}),
];

function binding(
  group: KeyBinding["group"],
  keys: readonly string[],
  description: string,
  chords: Record<string, Command>,
): KeyBinding {
  return { group, keys, description, chords };
}

/** The commands of the built-in keys. */
export const COMMANDS = new Map(KEY_BINDINGS.flatMap(({ chords }) => Object.entries(chords)));

/** Commands that a held key repeats; a decision is made once however long its key is held. */
export const REPEATING = new Set<Command["do"]>([
  "horizontal",
  "resize",
  "line",
  "line-edge",
  "text-edge",
  "span",
  "undo",
  "redo",
]);

/** Return the chord of the label at an index; null for labels that have none. */
export function labelChord(index: number): string | null {
  const bank = BANKS[Math.floor(index / DIGITS.length)];
  const digit = DIGITS[index % DIGITS.length];
  return bank === undefined || digit === undefined ? null : `${bank}${digit}`;
}
