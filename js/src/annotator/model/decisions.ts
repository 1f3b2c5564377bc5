/** Decisions about examples, and the way from one example to the next. */
import { isDecision } from "./history";
import type { Ledger, Turn } from "./answerStore";
import type { AnswerKind } from "../../shared/protocol";
import { isOpen, type Item } from "./exampleQueue";
import type { Supply } from "./exampleLoader";
import { Tour } from "./resultNavigation";
import { DONE, standing } from "../../shared/format";

export interface Table {
  readonly shown: Item | null;
  show(item: Item | null): void;
  changed(part: "spans" | "answer" | "progress"): void;
  say(words: string): void;
  /** Sends the part of a step that lies in other examples, or takes it back. */
  sendBulk(turn: Turn, undo: boolean): void;
}

/** How many examples of a list are at hand before they are wanted. */
const AHEAD = 3;

export class Deciding {
  readonly tour = new Tour();

  constructor(
    private readonly ledger: Ledger,
    private readonly supply: Supply,
    private readonly table: Table,
  ) {}

  decide(answer: AnswerKind): void {
    const item = this.table.shown;
    if (item === null) return;
    this.ledger.record(item, { ...item.state, answer });
    const [next] = this.tour.beyond(item.id, 1, 1);
    if (next === undefined) this.comeTo(this.ledger.queue.openAfter(item));
    else this.goTo(next);
    this.ledger.trim(this.table.shown);
    this.table.say(`${DONE[answer]}. ${standing(this.table.shown, this.supply.counts)}`);
  }

  /** Takes back the decision on the example shown, or else the last one of all. */
  takeBack(): void {
    const { shown } = this.table;
    const item = shown !== null && !isOpen(shown) ? shown : this.ledger.queue.lastDecided;
    if (item === null) {
      const isComing = this.supply.afterLookingBack(() => this.takeBack());
      return this.table.say(isComing ? "Older answers are on their way" : "No decision to take back");
    }
    this.ledger.takeBack(item);
    this.comeTo(item);
    this.supply.lookBack();
    this.table.say(`Decision taken back. ${standing(item, this.supply.counts)}`);
  }

  undo(): void {
    if (this.bring("undo")) return;
    const turn = this.ledger.undo();
    if (turn === null) {
      const isComing = this.supply.afterLookingBack(() => this.undo());
      return this.table.say(isComing ? "Older answers are on their way" : "Nothing to undo");
    }
    this.table.sendBulk(turn, true);
    this.comeTo(turn.item);
    this.supply.lookBack();
    this.table.say(isDecision(turn.step) ? "Decision taken back" : "Undone");
  }

  redo(): void {
    if (this.bring("redo")) return;
    const turn = this.ledger.redo();
    if (turn === null) return this.table.say("Nothing to redo");
    const { item, step } = turn;
    this.table.sendBulk(turn, false);
    this.comeTo(isDecision(step) ? this.ledger.queue.openAfter(item) : item);
    this.table.say(isDecision(step) ? DONE[step.after.answer ?? "accept"] : "Done again");
  }

  /** Goes to the example before or after, without deciding. */
  browse(by: 1 | -1): void {
    if (by === -1) this.supply.lookBack();
    if (!this.canBrowse(by)) {
      return this.table.say(by === 1 ? "This is the last one" : "This is the first one");
    }
    const { shown } = this.table;
    this.ledger.sendDraft(shown);
    const [next] = shown === null ? [] : this.tour.beyond(shown.id, by, 1);
    if (next !== undefined) return this.goTo(next);
    const beside = this.ledger.queue.beside(shown, by);
    this.table.show(beside);
    this.table.say(standing(beside, this.supply.counts));
  }

  /** After the last of all comes what is said at the end. */
  canBrowse(by: 1 | -1): boolean {
    const { queue } = this.ledger;
    const { shown } = this.table;
    const place = this.tour.placeOf(shown?.id ?? null);
    if (place !== null) return by === 1 || place.at > 1;
    const isEnd = by === 1 && shown !== null && queue.open.length === 0;
    return isEnd || queue.beside(shown, by) !== null;
  }

  /** Goes to the example that comes first of those nobody has decided. */
  firstOpen(): void {
    this.tour.end();
    this.ledger.sendDraft(this.table.shown);
    const first = this.ledger.queue.openAfter(null);
    this.comeTo(first);
    this.table.say(standing(first, this.supply.counts));
  }

  /** Shows an example of a list, from where one goes on along that list. */
  choose(id: string, ids: readonly string[]): void {
    this.tour.begin(ids);
    this.ledger.sendDraft(this.table.shown);
    this.goTo(id);
  }

  /** Shows an example, whatever its place, as soon as it is at hand. */
  goTo(id: string): void {
    const item = this.ledger.queue.get(id);
    if (item === null) return this.supply.find([id], () => this.arrive(id));
    this.comeTo(item);
    this.fetchAhead(id);
    this.table.say(standing(item, this.supply.counts));
  }

  flag(): void {
    const item = this.table.shown;
    if (item === null) return;
    this.ledger.record(item, { ...item.state, flagged: !item.state.flagged });
    this.table.changed("answer");
    this.table.say(item.state.flagged ? "Flagged" : "Flag taken off");
  }

  /** Keeps what a person has written about the example; it does not take a decision back. */
  note(note: string): void {
    const item = this.table.shown;
    if (item === null || !this.ledger.record(item, { ...item.state, note })) return;
    this.table.changed("answer");
    this.table.say(note === "" ? "Note taken off" : "Note kept");
  }

  /** Sends whatever waits, and the edit in progress as a draft. */
  save(): void {
    this.ledger.sendDraft(this.table.shown);
    this.supply.courier.resend();
    const { why, word } = this.supply.courier.saving;
    this.table.say(why || word);
  }

  comeTo(item: Item | null): void {
    if (item !== this.table.shown) this.table.show(item);
    this.table.changed("spans");
    this.table.changed("answer");
    this.table.changed("progress");
  }

  private arrive(id: string): void {
    if (this.ledger.queue.get(id) !== null) this.goTo(id);
    else this.table.say("This example cannot be shown");
  }

  private fetchAhead(id: string): void {
    const wanted = this.tour.beyond(id, 1, AHEAD);
    const missing = wanted.filter((one) => this.ledger.queue.get(one) === null);
    if (missing.length > 0 && !this.supply.questions.isWaiting("find")) {
      this.supply.find(missing, () => undefined);
    }
  }

  /** Sees to it that what undo or redo would change is at hand; tells whether it is on its way. */
  private bring(way: "undo" | "redo"): boolean {
    const id = this.ledger.exampleTo(way);
    if (id === null || this.ledger.queue.get(id) !== null) return false;
    this.supply.find([id], () => {
      if (this.ledger.queue.get(id) === null) this.ledger.forget(id);
      this[way]();
    });
    return true;
  }
}
