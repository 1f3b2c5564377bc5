/** What the parts of the view share. */
import type { Run } from "./trace";

export interface Part {
  readonly element: HTMLElement;
  /** Shows a place; the place after the last word is the end. */
  show(place: number): void;
}

export const hueOf = (run: Run, label: string): string | null => (label ? (run.colors[label] ?? null) : null);
