/** anywidget's model without Jupyter: traits, and messages to what stands in for a kernel. */
import type { WidgetModel } from "../shared/jupyter";

type Callback = (...args: unknown[]) => void;

/** What answers a page's messages: it returns the messages that are sent back. */
export type Responder = (message: unknown) => readonly object[];

export class StandInModel implements WidgetModel {
  private readonly callbacks = new Map<string, Set<Callback>>();

  constructor(
    private readonly traits: Record<string, unknown>,
    private readonly respond: Responder,
  ) {}

  get(name: string): unknown {
    return this.traits[name];
  }

  set(name: string, value: unknown): void {
    this.traits[name] = value;
  }

  save_changes(): void {
    // There is no kernel to synchronize with.
  }

  /** Answer later, as a kernel would, and with copies, so that neither side changes the other's. */
  send(content: unknown): void {
    const message = structuredClone(content);
    queueMicrotask(() => this.respond(message).forEach((reply) => this.tell(reply)));
  }

  tell(message: object): void {
    const copy = structuredClone(message);
    this.callbacks.get("msg:custom")?.forEach((callback) => callback(copy));
  }

  on(event: string, callback: Callback): void {
    const known = this.callbacks.get(event) ?? new Set();
    this.callbacks.set(event, known.add(callback));
  }

  off(event: string, callback: Callback): void {
    this.callbacks.get(event)?.delete(callback);
  }
}
