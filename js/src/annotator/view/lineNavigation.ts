/** Finds tokens by visual lines, as the page is laid out. */
import type { TokenGrid } from "../../shared/tokens";

/** Find the token one visual line up or down that is nearest to a horizontal position. */
export function tokenOnNextLine(
  tokens: readonly HTMLElement[],
  from: number,
  by: 1 | -1,
  x: number,
  grid: TokenGrid,
): number | null {
  const edge = lineEdge(tokens, from, by);
  const line: number[] = [];
  let y: number | null = null;
  for (let token = edge + by; token >= 0 && token < tokens.length; token += by) {
    const box = boxOf(tokens, token);
    y ??= box.y;
    if (Math.abs(box.y - y) > box.height / 2) break;
    if (!grid.isBlank(token)) line.push(token);
    else if (line.length === 0) y = null;
  }
  const distance = (token: number): number => Math.abs(centerOf(tokens, token) - x);
  return line.length === 0 ? null : line.reduce((a, b) => (distance(b) < distance(a) ? b : a));
}

/** Find the last token of a visual line in a direction. */
export function lineEdge(tokens: readonly HTMLElement[], from: number, by: 1 | -1): number {
  const { y, height } = boxOf(tokens, from);
  let token = from;
  while (tokens[token + by] !== undefined) {
    if (Math.abs(boxOf(tokens, token + by).y - y) > height / 2) break;
    token += by;
  }
  return token;
}

/** Return the horizontal center of a token. */
export function centerOf(tokens: readonly HTMLElement[], token: number): number {
  const { x, width } = boxOf(tokens, token);
  return x + width / 2;
}

/** Return a token's first box: a long token that is broken over lines counts where it begins. */
const boxOf = (tokens: readonly HTMLElement[], token: number): DOMRect =>
  tokens[token]?.getClientRects()[0] ?? new DOMRect();
