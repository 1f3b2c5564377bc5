/** What is read of a `KeyboardEvent`. */
export interface KeyStroke {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/**
 * Names a stroke so that it means the same on every keyboard layout: digits by
 * their place, letters by what they print (by their place where that is not a
 * Latin letter), punctuation by what it prints.
 */
export function chordOf(stroke: KeyStroke): string {
  const mod = stroke.ctrlKey || stroke.metaKey ? "mod+" : "";
  const alt = stroke.altKey ? "alt+" : "";
  const shift = stroke.shiftKey ? "shift+" : "";
  const digit = digitOf(stroke);
  if (digit !== null) return `${mod}${shift}${alt}${digit}`;
  const letter = letterOf(stroke);
  if (letter !== null) return mod ? `${mod}${shift}${alt}${letter}` : `${alt}${letter}`;
  if (stroke.key === " ") return `${mod}${shift}${alt}Space`;
  if (stroke.key.length === 1) return `${mod}${alt}${stroke.key}`;
  return `${mod}${shift}${alt}${stroke.key}`;
}

function digitOf({ code, key }: KeyStroke): string | null {
  const place = /^Digit(\d)$/.exec(code)?.[1];
  // With the number lock off, the pad's keys are arrows and say so.
  const pad = /^Numpad(\d)$/.exec(code)?.[1];
  return place ?? (pad !== undefined && pad === key ? pad : null);
}

function letterOf({ code, key }: KeyStroke): string | null {
  if (/^[a-z]$/i.test(key)) return key.toLowerCase();
  const place = /^Key([A-Z])$/.exec(code)?.[1];
  return place !== undefined && /^[^\p{ASCII}]$/u.test(key) ? place.toLowerCase() : null;
}

/** Keys that are the browser's own: they do not reach the notebook, but keep their meaning. */
export function isBrowserKey(stroke: KeyStroke): boolean {
  if (/^F\d+$/.test(stroke.key)) return true;
  if (!(stroke.ctrlKey || stroke.metaKey)) return false;
  return /^[crltnwqfpijmh+\-=\d]$/i.test(stroke.key) || stroke.key === "Tab";
}

/** Writes a chord or a shown key as the person's keyboard has it. */
export function formatKeys(shown: string, mac: boolean): string {
  const signs: Record<string, string> = mac
    ? { ctrl: "⌘", shift: "⇧", alt: "⌥" }
    : { ctrl: "ctrl ", shift: "⇧", alt: "alt " };
  return shown
    .split("+")
    .map((part) => signs[part] ?? part)
    .join("");
}
