/** Paints a stretch of tokens, touching only those whose paint changes. */
import type { TokenRange } from "../../shared/tokens";

const EMPTY: TokenRange = { start: 0, end: 0 };

export class RangeHighlight {
  private current = EMPTY;

  constructor(
    private readonly name: string,
    private tokens: readonly HTMLElement[],
  ) {}

  reset(tokens: readonly HTMLElement[]): void {
    this.tokens = tokens;
    this.current = EMPTY;
  }

  setRange(stretch: TokenRange | null): void {
    const next = stretch ?? EMPTY;
    const { start, end } = this.current;
    if (start === next.start && end === next.end) return;
    for (let token = start; token < end; token += 1) {
      if (token < next.start || token >= next.end) this.set(token, null);
    }
    for (let token = next.start; token < next.end; token += 1) {
      this.set(token, token === next.end - 1 ? "last" : "inner");
    }
    this.current = next;
  }

  private set(token: number, value: "inner" | "last" | null): void {
    const element = this.tokens[token];
    if (element === undefined) return;
    if (value === null) element.removeAttribute(this.name);
    else if (element.getAttribute(this.name) !== value) element.setAttribute(this.name, value);
  }
}
