/** Changes many examples at once: one step of the history here, one transaction in the kernel. */
import type { Environment } from "../../shared/environment";
import { pluralize } from "../../shared/format";
import type { BulkEdit, KernelMessage } from "../../shared/protocol";
import type { AnswerStore } from "./answerStore";
import { NO_NOTICE, type AnnotatorContext } from "./context";
import type { ExampleLoader } from "./exampleLoader";
import { sameSpans, type Spans } from "./spans";

type BulkEditorContext = Pick<AnnotatorContext, "shown" | "notify">;

export class BulkEditor {
  constructor(
    private readonly context: BulkEditorContext,
    private readonly answers: AnswerStore,
    private readonly loader: ExampleLoader,
    private readonly environment: Environment,
  ) {}

  /** Send unsent edits, so that the kernel searches the spans as they are. */
  sendDrafts(): void {
    this.answers.sendDrafts();
  }

  /** Change the spans of the example shown, and other examples with it, as one step. */
  apply(after: Spans, others: Omit<BulkEdit, "bulk"> | null): void {
    const item = this.context.shown;
    if (item === null) return;
    const edit = others === null ? undefined : { bulk: this.environment.newId(), ...others };
    const answer = sameSpans(item.state.spans, after) ? item.state.answer : null;
    this.answers.record(item, { ...item.state, spans: after, answer }, edit);
    if (edit !== undefined) this.send(edit, false);
  }

  /** Have the kernel change the other examples, or change them back. */
  send(edit: BulkEdit, undo: boolean): void {
    const have = this.loader.openIds();
    this.loader.requests.add({ type: "bulk", ...edit, undo, have }, (reply) => this.handleReply(reply, undo));
  }

  private handleReply(reply: KernelMessage, undo: boolean): void {
    if (reply.type === "failed") this.context.notify({ ...NO_NOTICE, text: reply.message });
    if (reply.type !== "applied") return;
    this.loader.mergeTasks(reply.tasks);
    const left = reply.left === 0 ? "" : `; ${pluralize(reply.left, "example")} had changed and stayed`;
    const text = `${pluralize(reply.count, "coming example")} ${undo ? "changed back" : "changed"}${left}.`;
    this.context.notify({ ...NO_NOTICE, text });
  }
}
