/**
 * What the parts of the annotator's model may read of the whole and ask of it.
 *
 * The controller implements all of it. Each part takes a `context` and declares
 * as `XContext` which members of it are used.
 */
import type { BulkEdit, LearningMessage, NoticeMessage, Setup } from "../../shared/protocol";
import type { Cursor } from "./cursor";
import type { QueueItem } from "./exampleQueue";
import type { Span, Spans } from "./spans";

export interface AnnotatorContext {
  readonly setup: Setup;
  /** The example shown; null where none is loaded. */
  readonly shown: QueueItem | null;
  readonly cursor: Cursor;
  /** The span under the caret: a label key changes its label. */
  readonly currentSpan: Span | null;
  /** The label that a drag assigns. */
  readonly activeLabel: string | null;

  /** Show an example, or the reason why there is none. */
  show(item: QueueItem | null): void;
  /** Show an example on request, whatever its position in the queue. */
  showDetached(item: QueueItem): void;
  /** Replace the spans of the example shown, as one step that undo takes back. */
  edit(spans: Spans): void;
  /** Have the kernel change other examples too, or change them back. */
  sendBulk(edit: BulkEdit, undo: boolean): void;
  /** Set the text that screen readers read out. */
  announce(text: string): void;
  /** Show a notice below the text; `NO_NOTICE` removes it. */
  notify(notice: NoticeMessage): void;
  /** Show what is said of the training behind the widget. */
  showLearning(learning: LearningMessage): void;
}

export const NO_NOTICE: NoticeMessage = { type: "notice", text: "", detail: "", stays: false };
