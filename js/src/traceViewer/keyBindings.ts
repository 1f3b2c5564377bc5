/** Which key does what: one table, for the commands and for the card. */
import { chordOf, type KeyStroke } from "../shared/keyboard";

export type TraceCommand = "play" | "back" | "next" | "first" | "last" | "mistake" | "faster" | "slower" | "help" | "leave";

export interface TraceKeyBinding {
  readonly keys: readonly string[];
  readonly description: string;
  readonly chords: Readonly<Record<string, TraceCommand>>;
}

export const TRACE_KEY_BINDINGS: readonly TraceKeyBinding[] = [
  { keys: ["space"], description: "Play and pause", chords: { Space: "play" } },
  { keys: ["←", "→"], description: "One word back, one word on", chords: { ArrowLeft: "back", ArrowRight: "next" } },
  { keys: ["home", "end"], description: "Before the first word, after the last", chords: { Home: "first", End: "last" } },
  { keys: ["m"], description: "The next word at which the choice costs gold", chords: { m: "mistake" } },
  { keys: ["+", "−"], description: "Play faster, slower", chords: { "+": "faster", "=": "faster", "-": "slower" } },
  { keys: ["?", "h"], description: "This card", chords: { "?": "help", h: "help" } },
  { keys: ["escape"], description: "Leave", chords: { Escape: "leave" } },
  { keys: ["click a word"], description: "Go there", chords: {} },
];

const COMMANDS = new Map(TRACE_KEY_BINDINGS.flatMap(({ chords }) => Object.entries(chords)));

/** A held arrow goes on; all else is done once. */
const REPEATING: ReadonlySet<TraceCommand> = new Set<TraceCommand>(["back", "next"]);

export function traceCommandOf(stroke: KeyStroke & { readonly repeat?: boolean }): TraceCommand | null {
  const command = COMMANDS.get(chordOf(stroke)) ?? null;
  return stroke.repeat === true && command !== null && !REPEATING.has(command) ? null : command;
}
