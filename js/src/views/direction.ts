/** Letters of the scripts that run from right to left: Hebrew, Arabic and their kin. */
const RIGHT_TO_LEFT =
  /^[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Tells which way a text runs, by its first letter. `dir="auto"` would mean
 * the same, but Chromium then reads the whole text again at every change.
 */
export function directionOf(text: string): "ltr" | "rtl" {
  const letter = /\p{L}/u.exec(text)?.[0] ?? "";
  return RIGHT_TO_LEFT.test(letter) ? "rtl" : "ltr";
}
