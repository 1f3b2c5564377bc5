/** Paints a stretch of tokens, touching only those whose paint changes. */
import type { Stretch } from "../model/spans";

const NOTHING: Stretch = { start: 0, end: 0 };

export class Paint {
  private painted = NOTHING;

  constructor(
    private readonly name: string,
    private tokens: readonly HTMLElement[],
  ) {}

  restart(tokens: readonly HTMLElement[]): void {
    this.tokens = tokens;
    this.painted = NOTHING;
  }

  over(stretch: Stretch | null): void {
    const next = stretch ?? NOTHING;
    const { start, end } = this.painted;
    if (start === next.start && end === next.end) return;
    for (let token = start; token < end; token += 1) {
      if (token < next.start || token >= next.end) this.set(token, null);
    }
    for (let token = next.start; token < next.end; token += 1) {
      this.set(token, token === next.end - 1 ? "last" : "inner");
    }
    this.painted = next;
  }

  private set(token: number, value: "inner" | "last" | null): void {
    const element = this.tokens[token];
    if (element === undefined) return;
    if (value === null) element.removeAttribute(this.name);
    else if (element.getAttribute(this.name) !== value) element.setAttribute(this.name, value);
  }
}
