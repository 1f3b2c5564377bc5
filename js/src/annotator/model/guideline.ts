/** The annotation guideline: fetched once a version, and shown beside the text. */
import type { Environment } from "../../shared/environment";
import type { KernelMessage } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import type { AnnotatorContext } from "./context";
import type { PendingRequests } from "./transport";

/** Milliseconds after the first view until the text is fetched, so that it is there while the kernel is busy. */
const PREFETCH_AFTER = 1_500;

interface GuidelineState {
  isOpen: boolean;
  /** The Markdown; null before it has come. */
  text: string | null;
  /** The version of the text that has come. */
  version: string;
  problem: string;
}

type GuidelineContext = Pick<AnnotatorContext, "setup" | "announce">;

export class Guideline {
  readonly state = reactive<GuidelineState>({ isOpen: false, text: null, version: "", problem: "" });

  constructor(
    private readonly context: GuidelineContext,
    private readonly requests: PendingRequests,
    private readonly environment: Environment,
  ) {}

  /** Whether there is a guideline, or a definition. */
  get exists(): boolean {
    return (this.context.setup.guideline ?? "") !== "";
  }

  /** The version that answers are given under, as a part of their messages. */
  get version(): { readonly guideline?: string } {
    const { guideline } = this.context.setup;
    return guideline === undefined ? {} : { guideline };
  }

  toggle(): void {
    if (this.state.isOpen) return this.close();
    if (!this.exists) return this.context.announce("There is no guideline: Session(..., guidelines=...) takes one");
    this.state.isOpen = true;
    this.load();
  }

  close(): void {
    this.state.isOpen = false;
  }

  /** Fetch the text soon: a kernel that trains could not send it. */
  prefetch(): void {
    if (this.exists) this.environment.clock.setTimer(PREFETCH_AFTER, () => this.load());
  }

  /** Follow a change of the setup. */
  refresh(): void {
    if (!this.exists) this.close();
    else if (this.state.isOpen) this.load();
  }

  private load(): void {
    if (this.state.version === this.context.setup.guideline || this.requests.isWaiting("guideline")) return;
    this.requests.add({ type: "guideline" }, (reply) => this.handleReply(reply));
  }

  private handleReply(reply: KernelMessage): void {
    if (reply.type === "failed") this.state.problem = reply.message;
    if (reply.type !== "guideline") return;
    this.state.problem = "";
    this.state.text = reply.text;
    this.state.version = reply.version;
  }
}
