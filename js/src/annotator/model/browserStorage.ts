/**
 * Entries under one prefix of the browser's storage, each under a key of its
 * own, so that two pages never overwrite each other's entries.
 *
 * Storage may be full, forbidden or hold foreign data: nothing here throws.
 */
import type { KeyValueStorage } from "../../shared/environment";
import { reactive } from "../../shared/reactive";

export class BrowserStorage {
  private readonly state = reactive({ isDurable: true });

  constructor(
    private readonly storage: KeyValueStorage | null,
    private readonly prefix: string,
  ) {
    this.state.isDurable = storage !== null;
  }

  /** False once something could not be stored: it would not survive a reload of the page. */
  get isDurable(): boolean {
    return this.state.isDurable;
  }

  set(name: string, value: unknown): void {
    try {
      this.storage?.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      this.state.isDurable = false;
    }
  }

  remove(name: string): void {
    try {
      this.storage?.removeItem(this.prefix + name);
    } catch {
      this.state.isDurable = false;
    }
  }

  /** Return all readable entries, also those that another page has written. */
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
      this.state.isDurable = false;
      return [];
    }
  }

  private read(key: string): unknown {
    try {
      return JSON.parse(this.storage?.getItem(key) ?? "") as unknown;
    } catch {
      // Foreign or truncated: what cannot be parsed cannot be sent either.
      return undefined;
    }
  }
}

/** Join parts, such as store, dataset and annotator, into a key of the browser's storage. */
export function storageKey(parts: readonly string[]): string {
  return ["nbner", ...parts.map(encodeURIComponent)].join(":");
}
