/** Adapts anywidget's model and JupyterLab's kernel status to the widgets' `Environment`. */
import type { Clock, Environment, KernelConnection, KeyValueStorage, Unsubscribe } from "./environment";
import { hasStyle } from "./loadedWidgets";

/** The part of anywidget's model that is used. */
export interface WidgetModel {
  get(name: string): unknown;
  send(content: unknown): void;
  on(event: string, callback: (...args: unknown[]) => void): void;
  off(event: string, callback: (...args: unknown[]) => void): void;
  readonly widget_manager?: unknown;
}

/** The part of a Lumino signal that is used: JupyterLab's kernel connections have one. */
interface KernelStatusSignal {
  connect(slot: (sender: unknown, status: unknown) => void): unknown;
  disconnect(slot: (sender: unknown, status: unknown) => void): unknown;
}

/** Statuses after which widgets made before have no counterpart in the kernel. */
const DEAD_STATUSES: readonly unknown[] = ["restarting", "autorestarting", "dead", "terminating"];

export class JupyterConnection implements KernelConnection {
  private isDead = false;
  private readonly listeners = new Set<() => void>();
  private readonly unsubscribers: Unsubscribe[] = [];

  constructor(private readonly model: WidgetModel) {
    this.watchKernelStatus();
    this.unsubscribers.push(
      this.listen("comm:close", () => this.setDead(true)),
      // A kernel that sends messages is alive.
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

  /** Call back when the network is back or the page becomes visible, perhaps after a sleep. */
  onWake(listener: () => void): Unsubscribe {
    const onVisible = (): void => {
      if (document.visibilityState === "visible") listener();
    };
    window.addEventListener("online", listener);
    document.addEventListener("visibilitychange", onVisible);
    let isListening = true;
    const unsubscribe = (): void => {
      if (!isListening) return;
      isListening = false;
      window.removeEventListener("online", listener);
      document.removeEventListener("visibilitychange", onVisible);
    };
    this.unsubscribers.push(unsubscribe);
    return unsubscribe;
  }

  dispose(): void {
    this.unsubscribers.forEach((unsubscribe) => unsubscribe());
    this.listeners.clear();
  }

  private listen(event: string, callback: (...args: unknown[]) => void): Unsubscribe {
    this.model.on(event, callback);
    return () => this.model.off(event, callback);
  }

  private setDead(isDead: boolean): void {
    if (isDead === this.isDead) return;
    this.isDead = isDead;
    this.listeners.forEach((listener) => listener());
  }

  /** Follow the kernel's status where the host exposes it; elsewhere the transport's timeout has to do. */
  private watchKernelStatus(): void {
    const manager = this.model.widget_manager as
      | { kernel?: { statusChanged?: KernelStatusSignal } }
      | undefined;
    const signal = manager?.kernel?.statusChanged;
    if (typeof signal?.connect !== "function") return;
    const slot = (_sender: unknown, status: unknown): void => {
      if (DEAD_STATUSES.includes(status)) this.setDead(true);
    };
    signal.connect(slot);
    this.unsubscribers.push(() => void signal.disconnect(slot));
  }
}

export function environmentFor(connection: KernelConnection, widget: string): Environment {
  return { connection, clock, storage: findStorage(), newId, isLoaded: () => hasStyle(widget) };
}

export const clock: Clock = {
  now: () => Date.now(),
  setTimer: (milliseconds, then) => {
    const timer = setTimeout(then, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Return the browser's storage; null where reading `localStorage` is already forbidden. */
function findStorage(): KeyValueStorage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/** Return a random id. `crypto.randomUUID` is missing where JupyterLab is served without encryption. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
