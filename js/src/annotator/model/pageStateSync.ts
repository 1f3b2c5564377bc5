/**
 * Sends the kernel which example is shown, its spans as they are, and what is
 * selected, some time after a change. No reply comes, and nothing waits for one.
 */
import type { Environment, Unsubscribe } from "../../shared/environment";
import { EffectScope } from "../../shared/reactive";
import type { AnnotatorContext } from "./context";
import { selectedRange } from "./cursor";
import type { QueueItem } from "./exampleQueue";
import type { Spans } from "./spans";

/** Milliseconds: long enough to send a series of keys as one change, short enough to seem immediate. */
const DEBOUNCE = 150;

type PageStateContext = Pick<AnnotatorContext, "setup" | "shown" | "cursor">;

export class PageStateSync {
  /** Whether a change waits until the kernel has acknowledged all answers. */
  private isDeferred = false;
  private stopTimer: Unsubscribe | null = null;
  private lastSent = "";
  private readonly effects = new EffectScope();

  /**
   * @param isBusy Whether the kernel has answers to acknowledge.
   * @param turn How often code has chosen the example shown: the kernel ignores what is older.
   */
  constructor(
    private readonly context: PageStateContext,
    private readonly environment: Environment,
    private readonly isBusy: () => boolean,
    private readonly turn: () => number,
  ) {
    this.effects.run(() => {
      void [context.shown?.state.spans, context.shown?.task.offer, context.cursor, turn()];
      this.schedule();
    });
    this.effects.run(() => {
      if (!isBusy() && this.isDeferred) this.schedule();
    });
  }

  dispose(): void {
    this.effects.dispose();
    this.stopTimer?.();
  }

  private schedule(): void {
    this.stopTimer ??= this.environment.clock.setTimer(DEBOUNCE, () => {
      this.stopTimer = null;
      this.send();
    });
  }

  private send(): void {
    // A kernel that was busy must not find a pile of outdated states.
    this.isDeferred = this.isBusy();
    if (this.isDeferred) return;
    const { shown, cursor } = this.context;
    const range = selectedRange(cursor);
    const message = {
      type: "at",
      example: shown?.id ?? null,
      ...(this.turn() > 0 && { turn: this.turn() }),
      ...(shown !== null && this.isEdited(shown) && { spans: this.encodeSpans(shown.state.spans) }),
      ...(range !== null && { selection: [range.start, range.end] }),
      ...(shown?.task.offer !== undefined && { offer: shown.task.offer }),
    };
    const text = JSON.stringify(message);
    const { connection } = this.environment;
    if (text === this.lastSent || !connection.isConnected()) return;
    this.lastSent = text;
    try {
      connection.send(message);
    } catch {
      // The connection is closed: the next change sends the state again.
      this.lastSent = "";
    }
  }

  /** Return whether the spans differ from those that the kernel sent. */
  private isEdited({ state, stored }: QueueItem): boolean {
    return state.spans !== stored.spans;
  }

  /** Encode spans as start, end and label index, one after the other: short whatever the labels' names. */
  private encodeSpans(spans: Spans): number[] {
    const { labels } = this.context.setup;
    return spans.flatMap(({ start, end, label }) => [start, end, labels.indexOf(label)]);
  }
}
