/** Which key does what: one table, for the commands and for the card. */
import { chordOf, type Stroke } from "../shared/keyboard";

export type Command = "play" | "back" | "next" | "first" | "last" | "mistake" | "faster" | "slower" | "help" | "leave";

export interface Row {
  readonly shown: readonly string[];
  readonly does: string;
  readonly chords: Readonly<Record<string, Command>>;
}

export const ROWS: readonly Row[] = [
  { shown: ["space"], does: "Play and pause", chords: { Space: "play" } },
  { shown: ["←", "→"], does: "One word back, one word on", chords: { ArrowLeft: "back", ArrowRight: "next" } },
  { shown: ["home", "end"], does: "Before the first word, after the last", chords: { Home: "first", End: "last" } },
  { shown: ["m"], does: "The next word at which the choice costs gold", chords: { m: "mistake" } },
  { shown: ["+", "−"], does: "Play faster, slower", chords: { "+": "faster", "=": "faster", "-": "slower" } },
  { shown: ["?", "h"], does: "This card", chords: { "?": "help", h: "help" } },
  { shown: ["escape"], does: "Leave", chords: { Escape: "leave" } },
  { shown: ["click a word"], does: "Go there", chords: {} },
];

const COMMANDS = new Map(ROWS.flatMap(({ chords }) => Object.entries(chords)));

/** A held arrow goes on; all else is done once. */
const REPEATING: ReadonlySet<Command> = new Set<Command>(["back", "next"]);

export function commandOf(stroke: Stroke & { readonly repeat?: boolean }): Command | null {
  const command = COMMANDS.get(chordOf(stroke)) ?? null;
  return stroke.repeat === true && command !== null && !REPEATING.has(command) ? null : command;
}
