/**
 * Tells the kernel now and then which example is shown, with its spans as they
 * stand and what is selected. It is news and has no reply; nothing waits for it.
 */
import { selectedRange, type Cursor } from "./cursor";
import type { Environment, Unsubscribe } from "../../shared/environment";
import type { QueueItem } from "./exampleQueue";
import type { Spans } from "./spans";

/** Long enough to say once what a hand does in one go, short enough to seem at once. */
const DEBOUNCE = 150;

export interface PageStateContext {
  readonly shown: QueueItem | null;
  readonly cursor: Cursor;
  readonly setup: { readonly labels: readonly string[] };
}

export class PageStateSync {
  /** Whether something is to be told once the kernel has spoken. */
  isDeferred = false;
  private stop: Unsubscribe | null = null;
  private lastSent = "";

  constructor(
    private readonly host: Environment,
    private readonly context: PageStateContext,
    private readonly isWaiting: () => boolean,
  ) {}

  /** Something has changed: it is told after a short while, with all that changes until then. */
  schedule(): void {
    this.stop ??= this.host.clock.setTimer(DEBOUNCE, () => {
      this.stop = null;
      this.send();
    });
  }

  dispose(): void {
    this.stop?.();
  }

  private send(): void {
    // A kernel that is busy shall not find a heap of news when it comes back.
    this.isDeferred = this.isWaiting();
    if (this.isDeferred) return;
    const { shown, cursor } = this.context;
    const stretch = selectedRange(cursor);
    const message = {
      type: "at",
      example: shown?.id ?? null,
      ...(shown !== null && this.isEdited(shown) && { spans: this.encodeSpans(shown.state.spans) }),
      ...(stretch !== null && { selection: [stretch.start, stretch.end] }),
    };
    const said = JSON.stringify(message);
    if (said === this.lastSent || !this.host.connection.isConnected()) return;
    this.lastSent = said;
    try {
      this.host.connection.send(message);
    } catch {
      // A closed connection: what is not heard is said again with the next change.
      this.lastSent = "";
    }
  }

  /** What the kernel gave out, it knows. */
  private isEdited({ state, stored }: QueueItem): boolean {
    return state.spans !== stored.spans;
  }

  /** Start, end and the label's place in the list, one after the other: short, whatever its name. */
  private encodeSpans(spans: Spans): number[] {
    const { labels } = this.context.setup;
    return spans.flatMap(({ start, end, label }) => [start, end, labels.indexOf(label)]);
  }
}
