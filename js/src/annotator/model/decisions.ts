/** Decisions on examples, and moving from one example to another. */
import type { AnswerKind } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import type { AnswerStore } from "./answerStore";
import type { AnnotatorContext } from "./context";
import type { ExampleLoader } from "./exampleLoader";
import { isOpen, type QueueItem } from "./exampleQueue";
import { isDecision } from "./history";
import { ANSWER_NAMES, describeExample } from "./messageText";

type DecisionsContext = Pick<AnnotatorContext, "shown" | "show" | "sendBulk" | "announce">;

/** How many examples of a result list are fetched ahead. */
const PREFETCH_COUNT = 3;

/** The rows of a list from which an example was opened: next and back follow their order. */
export class ResultNavigation {
  private readonly state = reactive<{ ids: readonly string[] }>({ ids: [] });

  start(ids: readonly string[]): void {
    this.state.ids = ids;
  }

  clear(): void {
    this.state.ids = [];
  }

  /** Return an example's position, counted from 1; null if it is not among the rows. */
  positionOf(id: string | null): { readonly at: number; readonly of: number } | null {
    const index = id === null ? -1 : this.state.ids.indexOf(id);
    return index < 0 ? null : { at: index + 1, of: this.state.ids.length };
  }

  /** Return the ids that follow an example in a direction, the nearest first. */
  following(id: string, by: 1 | -1, count: number): readonly string[] {
    const index = this.state.ids.indexOf(id);
    if (index < 0) return [];
    const steps = Array.from({ length: count }, (_, i) => this.state.ids[index + by * (i + 1)]);
    return steps.filter((one) => one !== undefined);
  }
}

export class Decisions {
  readonly results = new ResultNavigation();

  constructor(
    private readonly context: DecisionsContext,
    private readonly answers: AnswerStore,
    private readonly loader: ExampleLoader,
  ) {}

  decide(answer: AnswerKind): void {
    const item = this.context.shown;
    if (item === null) return;
    this.answers.record(item, { ...item.state, answer, done: 0 });
    const [next] = this.results.following(item.id, 1, 1);
    if (next === undefined) this.moveTo(this.answers.queue.openAfter(item));
    else this.openById(next);
    this.answers.trim(this.context.shown);
    this.announceShown(`${ANSWER_NAMES[answer]}. `);
  }

  /** Revert the decision on the example shown, or else the last decision of all. */
  retractDecision(): void {
    const { shown } = this.context;
    const item = shown !== null && !isOpen(shown) ? shown : this.answers.queue.lastDecided;
    if (item === null) {
      const isComing = this.loader.afterPastLoaded(() => this.retractDecision());
      return this.context.announce(isComing ? LOADING_PAST : "No decision to take back");
    }
    this.answers.retractDecision(item);
    this.moveTo(item);
    this.loader.loadPast();
    this.announceShown("Decision taken back. ");
  }

  undo(): void {
    if (this.fetchForUndo("undo")) return;
    const result = this.answers.undo();
    if (result === null) {
      const isComing = this.loader.afterPastLoaded(() => this.undo());
      return this.context.announce(isComing ? LOADING_PAST : "Nothing to undo");
    }
    const { item, step } = result;
    if (step.bulk !== undefined) this.context.sendBulk(step.bulk, true);
    this.moveTo(item);
    this.loader.loadPast();
    this.context.announce(isDecision(step) ? "Decision taken back" : "Undone");
  }

  redo(): void {
    if (this.fetchForUndo("redo")) return;
    const result = this.answers.redo();
    if (result === null) return this.context.announce("Nothing to redo");
    const { item, step } = result;
    if (step.bulk !== undefined) this.context.sendBulk(step.bulk, false);
    this.moveTo(isDecision(step) ? this.answers.queue.openAfter(item) : item);
    this.context.announce(isDecision(step) ? ANSWER_NAMES[step.after.answer ?? "accept"] : "Done again");
  }

  /** Show the example before or after, without a decision. */
  browse(by: 1 | -1): void {
    if (by === -1) this.loader.loadPast();
    if (!this.canBrowse(by)) {
      return this.context.announce(by === 1 ? "This is the last one" : "This is the first one");
    }
    const { shown } = this.context;
    this.answers.sendDraft(shown);
    const [next] = shown === null ? [] : this.results.following(shown.id, by, 1);
    if (next !== undefined) return this.openById(next);
    this.context.show(this.answers.queue.neighbor(shown, by));
    this.announceShown();
  }

  /** Return whether there is an example in a direction; behind the last one is the end of the queue. */
  canBrowse(by: 1 | -1): boolean {
    const { queue } = this.answers;
    const { shown } = this.context;
    const position = this.results.positionOf(shown?.id ?? null);
    if (position !== null) return by === 1 || position.at > 1;
    const isEndNext = by === 1 && shown !== null && queue.open.length === 0;
    return isEndNext || queue.neighbor(shown, by) !== null;
  }

  /** Show the first open example. */
  showFirstOpen(): void {
    this.results.clear();
    this.answers.sendDraft(this.context.shown);
    this.moveTo(this.answers.queue.openAfter(null));
    this.announceShown();
  }

  /** Show an example of a list; next and back then follow the list's rows. */
  openResult(id: string, ids: readonly string[]): void {
    this.results.start(ids);
    this.answers.sendDraft(this.context.shown);
    this.openById(id);
  }

  toggleFlag(): void {
    const item = this.context.shown;
    if (item === null) return;
    this.answers.record(item, { ...item.state, flagged: !item.state.flagged });
    this.context.announce(item.state.flagged ? "Flagged" : "Flag taken off");
  }

  /** Store a note on the example; it does not revert a decision. */
  setNote(note: string): void {
    const item = this.context.shown;
    if (item === null || !this.answers.record(item, { ...item.state, note })) return;
    this.context.announce(note === "" ? "Note taken off" : "Note kept");
  }

  /** Send all unacknowledged answers, and the edit in progress as a draft. */
  save(): void {
    this.answers.sendDraft(this.context.shown);
    this.loader.transport.resendAll();
    const { why, word } = this.loader.transport.saveStatus;
    this.context.announce(why || word);
  }

  moveTo(item: QueueItem | null): void {
    if (item !== this.context.shown) this.context.show(item);
  }

  /** Show an example whatever its position in the queue, as soon as it is loaded. */
  private openById(id: string): void {
    const item = this.answers.queue.get(id);
    if (item === null) return this.loader.fetchByIds([id], () => this.openFetched(id));
    this.moveTo(item);
    this.prefetch(id);
    this.announceShown();
  }

  private openFetched(id: string): void {
    if (this.answers.queue.get(id) !== null) this.openById(id);
    else this.context.announce("This example cannot be shown");
  }

  private prefetch(id: string): void {
    const wanted = this.results.following(id, 1, PREFETCH_COUNT);
    const missing = wanted.filter((one) => this.answers.queue.get(one) === null);
    if (missing.length > 0 && !this.loader.requests.isWaiting("find")) {
      this.loader.fetchByIds(missing, () => undefined);
    }
  }

  /** Fetch the example that undo or redo would change, unless it is loaded; return whether it is fetched. */
  private fetchForUndo(way: "undo" | "redo"): boolean {
    const id = this.answers.exampleToChange(way);
    if (id === null || this.answers.queue.get(id) !== null) return false;
    this.loader.fetchByIds([id], () => {
      if (this.answers.queue.get(id) === null) this.answers.forget(id);
      this[way]();
    });
    return true;
  }

  private announceShown(prefix = ""): void {
    this.context.announce(prefix + describeExample(this.context.shown, this.loader.counts));
  }
}

const LOADING_PAST = "Older answers are on their way";
