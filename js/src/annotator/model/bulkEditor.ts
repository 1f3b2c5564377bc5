/** Changes to many examples at once: one step here, one transaction in the kernel. */
import type { AnswerStore } from "./answerStore";
import type { Environment } from "../../shared/environment";
import type { BulkEdit, KernelMessage, NoticeMessage } from "../../shared/protocol";
import type { QueueItem } from "./exampleQueue";
import { sameSpans, type Spans } from "./spans";
import type { ExampleLoader } from "./exampleLoader";
import { pluralize } from "../../shared/format";

export const NO_NOTICE: NoticeMessage = { type: "notice", text: "", detail: "", stays: false };

export interface BulkEditorContext {
  readonly shown: QueueItem | null;
  changed(part: "spans" | "answer" | "progress" | "save"): void;
  notify(notice: NoticeMessage): void;
}

export class BulkEditor {
  constructor(
    private readonly answers: AnswerStore,
    private readonly loader: ExampleLoader,
    private readonly host: Environment,
    private readonly context: BulkEditorContext,
  ) {}

  /** Sends unsent edits ahead, so that the kernel finds the spans as they are. */
  sendDrafts(): void {
    this.answers.sendDrafts();
  }

  /** Changes the example shown, and others with it. */
  apply(after: Spans, many: Omit<BulkEdit, "bulk"> | null): void {
    const item = this.context.shown;
    if (item === null) return;
    const bulk = many === null ? undefined : { bulk: this.host.newId(), ...many };
    const answer = sameSpans(item.state.spans, after) ? item.state.answer : null;
    this.answers.record(item, { ...item.state, spans: after, answer }, bulk);
    if (bulk !== undefined) this.send(bulk, false);
    this.context.changed("spans");
    this.context.changed("answer");
    this.context.changed("progress");
  }

  /** Has the kernel change the other examples, or change them back. */
  send(bulk: BulkEdit, undo: boolean): void {
    const have = this.loader.openIds();
    this.loader.requests.add({ type: "bulk", ...bulk, undo, have }, (reply) =>
      this.handleReply(reply, undo),
    );
    this.context.changed("save");
  }

  private handleReply(reply: KernelMessage, undo: boolean): void {
    this.context.changed("save");
    if (reply.type === "failed") this.context.notify({ ...NO_NOTICE, text: reply.message });
    if (reply.type !== "applied") return;
    this.loader.mergeTasks(reply.tasks);
    const left = reply.left === 0 ? "" : `; ${pluralize(reply.left, "example")} had changed and stayed`;
    const text = `${pluralize(reply.count, "coming example")} ${undo ? "changed back" : "changed"}${left}.`;
    this.context.notify({ ...NO_NOTICE, text });
  }
}
