/**
 * Tells the kernel now and then which example is shown, with its spans as they
 * stand and what is selected. It is news and has no reply; nothing waits for it.
 */
import { selected, type Cursor } from "./cursor";
import type { Host, Off } from "../../shared/environment";
import type { Item } from "./exampleQueue";
import type { Spans } from "./spans";

/** Long enough to say once what a hand does in one go, short enough to seem at once. */
const PAUSE = 150;

export interface Scene {
  readonly shown: Item | null;
  readonly cursor: Cursor;
  readonly setup: { readonly labels: readonly string[] };
}

export class Telling {
  /** Whether something is to be told once the kernel has spoken. */
  isPutOff = false;
  private stop: Off | null = null;
  private said = "";

  constructor(
    private readonly host: Host,
    private readonly scene: Scene,
    private readonly isWaiting: () => boolean,
  ) {}

  /** Something has changed: it is told after a short while, with all that changes until then. */
  later(): void {
    this.stop ??= this.host.clock.after(PAUSE, () => {
      this.stop = null;
      this.tell();
    });
  }

  dispose(): void {
    this.stop?.();
  }

  private tell(): void {
    // A kernel that is busy shall not find a heap of news when it comes back.
    this.isPutOff = this.isWaiting();
    if (this.isPutOff) return;
    const { shown, cursor } = this.scene;
    const stretch = selected(cursor);
    const message = {
      type: "at",
      example: shown?.id ?? null,
      ...(shown !== null && this.isEdited(shown) && { spans: this.flat(shown.state.spans) }),
      ...(stretch !== null && { selection: [stretch.start, stretch.end] }),
    };
    const said = JSON.stringify(message);
    if (said === this.said || !this.host.port.connected()) return;
    this.said = said;
    try {
      this.host.port.send(message);
    } catch {
      // A closed connection: what is not heard is said again with the next change.
      this.said = "";
    }
  }

  /** What the kernel gave out, it knows. */
  private isEdited({ state, stored }: Item): boolean {
    return state.spans !== stored.spans;
  }

  /** Start, end and the label's place in the list, one after the other: short, whatever its name. */
  private flat(spans: Spans): number[] {
    const { labels } = this.scene.setup;
    return spans.flatMap(({ start, end, label }) => [start, end, labels.indexOf(label)]);
  }
}
