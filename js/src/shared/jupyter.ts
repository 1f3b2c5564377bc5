/** Makes what Jupyter's widgets offer into what the page's logic asks for. */
import type { Clock, Environment, Unsubscribe, KernelConnection } from "./environment";
import type { KeyValueStorage } from "../annotator/model/browserStorage";

/** The part of anywidget's model that is used. */
export interface WidgetModel {
  get(name: string): unknown;
  send(content: unknown): void;
  on(event: string, callback: (...args: unknown[]) => void): void;
  off(event: string, callback: (...args: unknown[]) => void): void;
  readonly widget_manager?: unknown;
}

/** A Lumino signal, as JupyterLab's kernel connections have them. */
interface KernelStatusSignal {
  connect(slot: (sender: unknown, status: unknown) => void): unknown;
  disconnect(slot: (sender: unknown, status: unknown) => void): unknown;
}

/** After any of these a widget made before is heard by nobody. */
const DEAD_STATUSES: readonly unknown[] = ["restarting", "autorestarting", "dead", "terminating"];

export class JupyterConnection implements KernelConnection {
  private isDead = false;
  private readonly listeners = new Set<() => void>();
  private readonly unsubscribers: Unsubscribe[] = [];

  constructor(private readonly model: WidgetModel) {
    this.watchKernel();
    this.unsubscribers.push(
      this.listen("comm:close", () => this.setDead(true)),
      // Whoever speaks is there.
      this.onMessage(() => this.setDead(false)),
    );
  }

  send(message: object): void {
    this.model.send(message);
  }

  onMessage(listener: (raw: unknown) => void): Unsubscribe {
    return this.listen("msg:custom", (content) => listener(content));
  }

  get(trait: string): unknown {
    return this.model.get(trait);
  }

  onTraitChange(trait: string, listener: () => void): Unsubscribe {
    return this.listen(`change:${trait}`, () => listener());
  }

  isConnected(): boolean {
    return !this.isDead;
  }

  onConnectionChange(listener: () => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The network is back, or the page is looked at again, perhaps after a night with the lid closed. */
  onWake(listener: () => void): Unsubscribe {
    const look = (): void => {
      if (document.visibilityState === "visible") listener();
    };
    window.addEventListener("online", listener);
    document.addEventListener("visibilitychange", look);
    let isOn = true;
    const off = (): void => {
      if (!isOn) return;
      isOn = false;
      window.removeEventListener("online", listener);
      document.removeEventListener("visibilitychange", look);
    };
    this.unsubscribers.push(off);
    return off;
  }

  dispose(): void {
    this.unsubscribers.forEach((off) => off());
    this.listeners.clear();
  }

  private listen(event: string, callback: (...args: unknown[]) => void): Unsubscribe {
    this.model.on(event, callback);
    return () => this.model.off(event, callback);
  }

  private setDead(gone: boolean): void {
    if (gone === this.isDead) return;
    this.isDead = gone;
    this.listeners.forEach((listener) => listener());
  }

  /** Not every host tells how its kernel is; where none does, an answer left open tells. */
  private watchKernel(): void {
    const manager = this.model.widget_manager as { kernel?: { statusChanged?: KernelStatusSignal } } | undefined;
    const signal = manager?.kernel?.statusChanged;
    if (typeof signal?.connect !== "function") return;
    const slot = (_sender: unknown, status: unknown): void => {
      if (DEAD_STATUSES.includes(status)) this.setDead(true);
    };
    signal.connect(slot);
    this.unsubscribers.push(() => void signal.disconnect(slot));
  }
}

export function environmentFor(port: KernelConnection): Environment {
  return { connection: port, clock, storage: findStorage(), newId };
}

export const clock: Clock = {
  now: () => Date.now(),
  setTimer: (milliseconds, then) => {
    const timer = setTimeout(then, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Looking at the storage may already be forbidden. */
function findStorage(): KeyValueStorage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/** `crypto.randomUUID` is missing where JupyterLab is served without encryption. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
