/** Tokens and ranges of tokens: plain values, half-open, counted in token indices. */

/** A token's text and the white space that follows it. */
export type Token = readonly [text: string, gap: string];

/** A half-open range of token indices. */
export interface TokenRange {
  readonly start: number;
  readonly end: number;
}

/** The tokens of a text as far as caret movement needs to know them. */
export interface TokenGrid {
  readonly size: number;
  isBlank(token: number): boolean;
}

export const isBlank = (text: string): boolean => text.trim() === "";

export const singleToken = (token: number): TokenRange => ({ start: token, end: token + 1 });

/** Return the text of a token range, without the white space behind its last token. */
export function textOfRange(tokens: readonly Token[], { start, end }: TokenRange): string {
  const inside = tokens.slice(start, end);
  return inside.map(([text, gap], i) => (i < inside.length - 1 ? text + gap : text)).join("");
}
