/** Tells the views what has changed: once for everything that changes in one go. */
import type { Unsubscribe } from "../../shared/environment";

export type ChangeTopic =
  | "setup"
  | "example"
  | "spans"
  | "cursor"
  | "label"
  | "answer"
  | "progress"
  | "save"
  | "panel"
  | "notice"
  | "advice"
  | "said";

export type Listener = (parts: ReadonlySet<ChangeTopic>) => void;

export abstract class ChangeNotifier {
  private readonly listeners = new Set<Listener>();
  private parts = new Set<ChangeTopic>();
  private depth = 0;
  private greeted = false;

  /** Calls back after every change with what has changed; the returned function ends that. */
  subscribe(listener: Listener): Unsubscribe {
    this.listeners.add(listener);
    if (!this.greeted) this.greet();
    this.greeted = true;
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.listeners.clear();
  }

  changed(part: ChangeTopic): void {
    this.parts.add(part);
    if (this.depth === 0) this.flush();
  }

  /** Does several things as one change, of which the views hear once. */
  batch(work: () => void): void {
    this.depth += 1;
    try {
      work();
    } finally {
      this.depth -= 1;
      if (this.depth === 0 && this.parts.size > 0) this.flush();
    }
  }

  /** Called when the first view has come. */
  protected abstract greet(): void;

  protected passOn(parts: ReadonlySet<ChangeTopic>): void {
    this.listeners.forEach((listener) => listener(parts));
  }

  private flush(): void {
    const { parts } = this;
    this.parts = new Set();
    this.passOn(parts);
  }
}
