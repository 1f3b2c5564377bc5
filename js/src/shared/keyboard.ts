/** Names key strokes independently of the keyboard's layout, and formats keys for display. */

/** The part of a `KeyboardEvent` that is used. */
export interface KeyStroke {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/**
 * Return a name of a key stroke that is the same on every keyboard layout:
 * digits by position, letters by what they print (by position where that is not
 * a Latin letter), punctuation by what it prints.
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

/** Return the number from 1 to 9 of a key without a modifier; null for any other key. */
export function plainNumber(stroke: KeyStroke): number | null {
  const number = Number(chordOf(stroke));
  return number >= 1 && number <= 9 ? number : null;
}

function digitOf({ code, key }: KeyStroke): string | null {
  const digit = /^Digit(\d)$/.exec(code)?.[1];
  // With num lock off, the keys of the numeric pad report arrows.
  const padDigit = /^Numpad(\d)$/.exec(code)?.[1];
  return digit ?? (padDigit !== undefined && padDigit === key ? padDigit : null);
}

function letterOf({ code, key }: KeyStroke): string | null {
  if (/^[a-z]$/i.test(key)) return key.toLowerCase();
  const position = /^Key([A-Z])$/.exec(code)?.[1];
  return position !== undefined && /^[^\p{ASCII}]$/u.test(key) ? position.toLowerCase() : null;
}

/** Return whether a key is one of the browser's own: hidden from the notebook, but with its usual effect. */
export function isBrowserKey(stroke: KeyStroke): boolean {
  if (/^F\d+$/.test(stroke.key)) return true;
  if (!(stroke.ctrlKey || stroke.metaKey)) return false;
  return /^[crltnwqfpijmh+\-=\d]$/i.test(stroke.key) || stroke.key === "Tab";
}

/** Return whether a key stroke belongs to the composition of a character. */
export const isComposing = (event: KeyboardEvent): boolean =>
  event.isComposing || event.key === "Dead" || event.key === "Process";

const isMac = (): boolean => /mac|iphone|ipad/i.test(navigator.platform);

/** Format a chord with the modifiers' names on the user's keyboard. */
export function formatKeys(chord: string, mac = isMac()): string {
  const modifiers: Record<string, string> = mac
    ? { ctrl: "⌘", shift: "⇧", alt: "⌥" }
    : { ctrl: "ctrl ", shift: "⇧", alt: "alt " };
  return chord
    .split(/\+(?=.)/u)
    .map((part) => modifiers[part] ?? part)
    .join("");
}
