/**
 * A corner of the browser's storage: one entry a name, so that two pages that
 * share a corner never write over each other's entries.
 *
 * Storage may be full, forbidden or filled with something else. Then the shelf
 * holds what it is given in memory only, and says so.
 */

import type { KeyValueStorage } from "../../shared/environment";

export class BrowserStorage {
  /** False once something could not be stored: it would not survive the page. */
  isDurable: boolean;

  constructor(
    private readonly storage: KeyValueStorage | null,
    private readonly prefix: string,
  ) {
    this.isDurable = storage !== null;
  }

  set(name: string, value: unknown): void {
    try {
      this.storage?.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      this.isDurable = false;
    }
  }

  remove(name: string): void {
    try {
      this.storage?.removeItem(this.prefix + name);
    } catch {
      this.isDurable = false;
    }
  }

  /** Everything that can be read, whoever put it there. */
  entries(): [string, unknown][] {
    return this.keys().flatMap((key) => {
      const value = this.read(key);
      return value === undefined ? [] : [[key.slice(this.prefix.length), value] as [string, unknown]];
    });
  }

  private keys(): string[] {
    const { storage, prefix } = this;
    try {
      const all = Array.from({ length: storage?.length ?? 0 }, (_, i) => storage?.key(i) ?? "");
      return all.filter((key) => key.startsWith(prefix));
    } catch {
      this.isDurable = false;
      return [];
    }
  }

  private read(key: string): unknown {
    try {
      return JSON.parse(this.storage?.getItem(key) ?? "") as unknown;
    } catch {
      // Not ours, or cut off: what cannot be read cannot be sent either.
      return undefined;
    }
  }
}

/** Names the corner of one annotator's work on one split. */
export function storageKey(parts: readonly string[]): string {
  return ["nbner", ...parts.map(encodeURIComponent)].join(":");
}
