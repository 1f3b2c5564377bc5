/** The table of key bindings, from which both the commands and the help card are built. */
import type { HelpGroup } from "../shared/helpCard";
import { chordOf, formatKeys, type KeyStroke } from "../shared/keyboard";

export type TraceCommand = "play" | "back" | "next" | "first" | "last" | "mistake" | "faster" | "slower" | "help" | "leave";

interface TraceKeyBinding {
  readonly keys: readonly string[];
  readonly description: string;
  readonly chords: Readonly<Record<string, TraceCommand>>;
}

const TRACE_KEY_BINDINGS: readonly TraceKeyBinding[] = [
  { keys: ["space"], description: "Play and pause", chords: { Space: "play" } },
  { keys: ["←", "→"], description: "One word back, one word on", chords: { ArrowLeft: "back", ArrowRight: "next" } },
  { keys: ["home", "end"], description: "Before the first word, after the last", chords: { Home: "first", End: "last" } },
  { keys: ["m"], description: "The next word at which the choice costs gold", chords: { m: "mistake" } },
  { keys: ["+", "−"], description: "Play faster, slower", chords: { "+": "faster", "=": "faster", "-": "slower" } },
  { keys: ["?", "h"], description: "This card", chords: { "?": "help", h: "help" } },
  { keys: ["escape"], description: "Leave", chords: { Escape: "leave" } },
  { keys: ["click a word"], description: "Go there", chords: {} },
];

const SIGNS: HelpGroup = {
  title: "What the signs say",
  lines: [
    [["✓ zero cost"], "The training oracle allows it: nothing of the gold is lost that can still be reached"],
    [["✕ costs gold"], "The chosen action loses something of the gold"],
    [
      ["beam"],
      "What spaCy's beam search holds before this word, by the sum of raw scores; entities that greedy search has and it has not are struck through",
    ],
  ],
};

/** Return the content of the help card. */
export function helpGroups(): readonly HelpGroup[] {
  const lines = TRACE_KEY_BINDINGS.map(
    ({ keys, description }) => [keys.map((key) => formatKeys(key)), description] as const,
  );
  return [{ title: "Keys", lines }, SIGNS];
}

const COMMANDS = new Map(TRACE_KEY_BINDINGS.flatMap(({ chords }) => Object.entries(chords)));

/** Commands that a held key repeats. */
const REPEATING: ReadonlySet<TraceCommand> = new Set<TraceCommand>(["back", "next"]);

export function traceCommandOf(stroke: KeyStroke & { readonly repeat?: boolean }): TraceCommand | null {
  const command = COMMANDS.get(chordOf(stroke)) ?? null;
  return stroke.repeat === true && command !== null && !REPEATING.has(command) ? null : command;
}
