/** What the parts of the view share. */
import type { ParserTrace } from "./trace";

export interface TraceComponent {
  readonly element: HTMLElement;
  /** Shows a place; the place after the last word is the end. */
  show(place: number): void;
}

export const labelColor = (run: ParserTrace, label: string): string | null => (label ? (run.colors[label] ?? null) : null);
