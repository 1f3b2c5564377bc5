/** What a widget's logic needs from its surroundings: the kernel, a clock, storage, ids. */

export type Unsubscribe = () => void;

export interface KernelConnection {
  /** Send a message to the kernel. May throw, and delivery is not guaranteed. */
  send(message: object): void;
  onMessage(listener: (raw: unknown) => void): Unsubscribe;
  /** Return the current value of a widget trait. */
  get(trait: string): unknown;
  onTraitChange(trait: string, listener: () => void): Unsubscribe;
  /** Return false once the kernel is known to have restarted or died. */
  isConnected(): boolean;
  onConnectionChange(listener: () => void): Unsubscribe;
  /** Call back when the page may have slept or been offline: sent messages may have been lost. */
  onWake(listener: () => void): Unsubscribe;
}

export interface Clock {
  /** Return milliseconds since the epoch. */
  now(): number;
  setTimer(milliseconds: number, then: () => void): Unsubscribe;
}

/** The part of the browser's `Storage` that is used. */
export interface KeyValueStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface Environment {
  readonly connection: KernelConnection;
  readonly clock: Clock;
  /** Null where the browser forbids storage. */
  readonly storage: KeyValueStorage | null;
  newId(): string;
  /** Return whether the page has the widget's script and style, and need not get them again. */
  isLoaded?(): boolean;
}
