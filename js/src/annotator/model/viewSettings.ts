/** How the text is shown: its size, and whether its lines are as wide as the cell; kept by the browser. */
import { reactive } from "../../shared/reactive";
import type { KeyValueStorage } from "../../shared/environment";
import { BrowserStorage, storageKey } from "./browserStorage";

/** Sizes of the text, as multiples of the usual one. */
const SCALES = [0.8, 0.9, 1, 1.15, 1.3, 1.5, 1.75, 2] as const;
const USUAL = 1;

export class ViewSettings {
  private readonly storage: BrowserStorage;
  private readonly state = reactive<{ scale: number; isWide: boolean }>({ scale: USUAL, isWide: false });

  constructor(storage: KeyValueStorage | null) {
    this.storage = new BrowserStorage(storage, `${storageKey(["view"])}:`);
    const found = new Map(this.storage.entries());
    this.state.scale = SCALES.find((one) => one === found.get("scale")) ?? USUAL;
    this.state.isWide = found.get("wide") === true;
  }

  get scale(): number {
    return this.state.scale;
  }

  /** Whether lines are as wide as the cell, not 80 characters at most. */
  get isWide(): boolean {
    return this.state.isWide;
  }

  /** Set the next size in a direction; return a sentence to announce. */
  changeScale(by: 1 | -1): string {
    const next = SCALES[SCALES.findIndex((one) => one === this.scale) + by];
    if (next === undefined) return by === 1 ? "The text gets no larger" : "The text gets no smaller";
    this.state.scale = next;
    this.storage.set("scale", next);
    return `Text at ${Math.round(100 * next)} %`;
  }

  toggleWidth(): string {
    this.state.isWide = !this.isWide;
    this.storage.set("wide", this.isWide);
    return this.isWide ? "Lines as wide as the cell" : "Lines of 80 characters";
  }
}
