/** What the page's logic needs of its host: somebody to talk to, storage, time. */
import type { KeyValueStorage } from "../annotator/model/browserStorage";

export type Unsubscribe = () => void;

export interface KernelConnection {
  /** Sends a message to the kernel; it may throw, and it may reach nobody. */
  send(message: object): void;
  onMessage(listener: (raw: unknown) => void): Unsubscribe;
  get(trait: string): unknown;
  onTraitChange(trait: string, listener: () => void): Unsubscribe;
  /** False once it is certain that nobody can hear: the kernel was restarted or has died. */
  isConnected(): boolean;
  onConnectionChange(listener: () => void): Unsubscribe;
  /** Called when the page may have slept or been cut off: what was sent may have been lost. */
  onWake(listener: () => void): Unsubscribe;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  setTimer(milliseconds: number, then: () => void): Unsubscribe;
}

export interface Environment {
  readonly connection: KernelConnection;
  readonly clock: Clock;
  readonly storage: KeyValueStorage | null;
  newId(): string;
}
