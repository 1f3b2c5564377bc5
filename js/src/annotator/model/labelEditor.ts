/** The label set as it is changed in the page: rows, a proposed change, and what was done. */
import type { KernelMessage, LabelAction, LabelRow } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import type { PendingRequests } from "./transport";

/** A change over all answers, which is shown with what it touches before it is made. */
export interface Proposal {
  readonly action: "rename" | "merge";
  readonly label: string;
  readonly to: string;
}

interface LabelEditorState {
  rows: readonly LabelRow[] | null;
  proposal: Proposal | null;
  /** What was done. */
  text: string;
  /** What can be taken back. */
  undo: string;
  problem: string;
}

export class LabelEditor {
  readonly state = reactive<LabelEditorState>({ rows: null, proposal: null, text: "", undo: "", problem: "" });

  constructor(private readonly requests: PendingRequests) {}

  get isWaiting(): boolean {
    return this.requests.isWaiting("labels");
  }

  load(): void {
    this.state.proposal = null;
    this.state.text = "";
    this.send("list");
  }

  /** Propose a new name; one that another label has proposes a merge. */
  proposeName(label: string, name: string): void {
    const to = name.trim();
    const isTaken = this.state.rows?.some((row) => row.label === to) === true;
    const isChange = to !== "" && to !== label;
    this.state.proposal = isChange ? { action: isTaken ? "merge" : "rename", label, to } : null;
    this.state.problem = "";
  }

  proposeMerge(label: string, to: string): void {
    this.state.proposal = to === "" ? null : { action: "merge", label, to };
    this.state.problem = "";
  }

  cancel(): void {
    this.state.proposal = null;
  }

  confirm(): void {
    const { proposal } = this.state;
    if (proposal !== null) this.send(proposal.action, proposal.label, proposal.to);
  }

  add(label: string): void {
    if (label.trim() !== "") this.send("add", label.trim());
  }

  recolor(label: string, color: string): void {
    this.send("recolor", label, color);
  }

  /** Move a label up or down in the order of keys. */
  move(label: string, by: 1 | -1): void {
    const order = (this.state.rows ?? []).map((row) => row.label);
    const at = order.indexOf(label);
    if (at < 0 || at + by < 0 || at + by >= order.length) return;
    order.splice(at, 1);
    order.splice(at + by, 0, label);
    this.send("reorder", label, "", order);
  }

  undo(): void {
    if (this.state.undo !== "") this.send("undo");
  }

  private send(action: LabelAction, label = "", to = "", order: readonly string[] = []): void {
    this.state.problem = "";
    this.requests.add({ type: "labels", do: action, label, to, order }, (reply) => this.handleReply(reply, action));
  }

  private handleReply(reply: KernelMessage, action: LabelAction): void {
    if (reply.type === "failed") this.state.problem = reply.message;
    if (reply.type !== "labels") return;
    this.state.rows = reply.rows;
    if (action !== "list") this.state.text = reply.text;
    this.state.undo = reply.undo;
    this.state.proposal = null;
  }
}
