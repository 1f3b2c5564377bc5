/** Makes what Jupyter's widgets offer into what the page's logic asks for. */
import type { Clock, Host, Off, Port } from "./environment";
import type { Storage } from "../annotator/model/browserStorage";

/** The part of anywidget's model that is used. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(event: string, callback: (...args: unknown[]) => void): void;
  off(event: string, callback: (...args: unknown[]) => void): void;
  readonly widget_manager?: unknown;
}

/** A Lumino signal, as JupyterLab's kernel connections have them. */
interface Signal {
  connect(slot: (sender: unknown, status: unknown) => void): unknown;
  disconnect(slot: (sender: unknown, status: unknown) => void): unknown;
}

/** After any of these a widget made before is heard by nobody. */
const GONE: readonly unknown[] = ["restarting", "autorestarting", "dead", "terminating"];

export class JupyterPort implements Port {
  private gone = false;
  private readonly listeners = new Set<() => void>();
  private readonly offs: Off[] = [];

  constructor(private readonly model: Model) {
    this.watchKernel();
    this.offs.push(
      this.listen("comm:close", () => this.setGone(true)),
      // Whoever speaks is there.
      this.onMessage(() => this.setGone(false)),
    );
  }

  send(message: object): void {
    this.model.send(message);
  }

  onMessage(listener: (raw: unknown) => void): Off {
    return this.listen("msg:custom", (content) => listener(content));
  }

  get(trait: string): unknown {
    return this.model.get(trait);
  }

  onChange(trait: string, listener: () => void): Off {
    return this.listen(`change:${trait}`, () => listener());
  }

  connected(): boolean {
    return !this.gone;
  }

  onConnection(listener: () => void): Off {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The network is back, or the page is looked at again, perhaps after a night with the lid closed. */
  onWake(listener: () => void): Off {
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
    this.offs.push(off);
    return off;
  }

  dispose(): void {
    this.offs.forEach((off) => off());
    this.listeners.clear();
  }

  private listen(event: string, callback: (...args: unknown[]) => void): Off {
    this.model.on(event, callback);
    return () => this.model.off(event, callback);
  }

  private setGone(gone: boolean): void {
    if (gone === this.gone) return;
    this.gone = gone;
    this.listeners.forEach((listener) => listener());
  }

  /** Not every host tells how its kernel is; where none does, an answer left open tells. */
  private watchKernel(): void {
    const manager = this.model.widget_manager as { kernel?: { statusChanged?: Signal } } | undefined;
    const signal = manager?.kernel?.statusChanged;
    if (typeof signal?.connect !== "function") return;
    const slot = (_sender: unknown, status: unknown): void => {
      if (GONE.includes(status)) this.setGone(true);
    };
    signal.connect(slot);
    this.offs.push(() => void signal.disconnect(slot));
  }
}

export function hostOf(port: Port): Host {
  return { port, clock, storage: storageOf(), newId };
}

export const clock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, then) => {
    const timer = setTimeout(then, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Looking at the storage may already be forbidden. */
function storageOf(): Storage | null {
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
