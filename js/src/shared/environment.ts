/** What the page's logic needs of its host: somebody to talk to, storage, time. */
import type { Storage } from "../annotator/model/browserStorage";

export type Off = () => void;

export interface Port {
  /** Sends a message to the kernel; it may throw, and it may reach nobody. */
  send(message: object): void;
  onMessage(listener: (raw: unknown) => void): Off;
  get(trait: string): unknown;
  onChange(trait: string, listener: () => void): Off;
  /** False once it is certain that nobody can hear: the kernel was restarted or has died. */
  connected(): boolean;
  onConnection(listener: () => void): Off;
  /** Called when the page may have slept or been cut off: what was sent may have been lost. */
  onWake(listener: () => void): Off;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  after(milliseconds: number, then: () => void): Off;
}

export interface Host {
  readonly port: Port;
  readonly clock: Clock;
  readonly storage: Storage | null;
  newId(): string;
}
