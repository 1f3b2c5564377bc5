/** Changes to many examples at once: one step here, one transaction in the kernel. */
import type { Ledger } from "./answerStore";
import type { Host } from "../../shared/environment";
import type { Bulk, Incoming, Notice } from "../../shared/protocol";
import type { Item } from "./exampleQueue";
import { sameSpans, type Spans } from "./spans";
import type { Supply } from "./exampleLoader";
import { plural } from "../../shared/format";

export const QUIET: Notice = { type: "notice", text: "", detail: "", stays: false };

export interface Floor {
  readonly shown: Item | null;
  changed(part: "spans" | "answer" | "progress" | "save"): void;
  notice(notice: Notice): void;
}

export class Sweeping {
  constructor(
    private readonly ledger: Ledger,
    private readonly supply: Supply,
    private readonly host: Host,
    private readonly floor: Floor,
  ) {}

  /** Sends unsent edits ahead, so that the kernel finds the spans as they are. */
  sendDrafts(): void {
    this.ledger.sendDrafts();
  }

  /** Changes the example shown, and others with it. */
  apply(after: Spans, many: Omit<Bulk, "bulk"> | null): void {
    const item = this.floor.shown;
    if (item === null) return;
    const bulk = many === null ? undefined : { bulk: this.host.newId(), ...many };
    const answer = sameSpans(item.state.spans, after) ? item.state.answer : null;
    this.ledger.record(item, { ...item.state, spans: after, answer }, bulk);
    if (bulk !== undefined) this.send(bulk, false);
    this.floor.changed("spans");
    this.floor.changed("answer");
    this.floor.changed("progress");
  }

  /** Has the kernel change the other examples, or change them back. */
  send(bulk: Bulk, undo: boolean): void {
    const have = this.supply.have();
    this.supply.questions.put({ type: "bulk", ...bulk, undo, have }, (reply) =>
      this.hear(reply, undo),
    );
    this.floor.changed("save");
  }

  private hear(reply: Incoming, undo: boolean): void {
    this.floor.changed("save");
    if (reply.type === "failed") this.floor.notice({ ...QUIET, text: reply.message });
    if (reply.type !== "applied") return;
    this.supply.takeIn(reply.tasks);
    const left = reply.left === 0 ? "" : `; ${plural(reply.left, "example")} had changed and stayed`;
    const text = `${plural(reply.count, "coming example")} ${undo ? "changed back" : "changed"}${left}.`;
    this.floor.notice({ ...QUIET, text });
  }
}
