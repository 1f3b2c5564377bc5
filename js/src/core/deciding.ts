/** Decisions about examples, and the way from one example to the next. */
import { isDecision } from "./history";
import type { Ledger } from "./ledger";
import type { AnswerKind } from "./protocol";
import { isOpen, type Item } from "./queue";
import type { Supply } from "./supply";
import { DONE, standing } from "./words";

export interface Table {
  readonly shown: Item | null;
  show(item: Item | null): void;
  changed(part: "spans" | "answer" | "progress"): void;
  say(words: string): void;
}

export class Deciding {
  constructor(
    private readonly ledger: Ledger,
    private readonly supply: Supply,
    private readonly table: Table,
  ) {}

  decide(answer: AnswerKind): void {
    const item = this.table.shown;
    if (item === null) return;
    this.ledger.record(item, { ...item.state, answer });
    this.comeTo(this.ledger.queue.openAfter(item));
    this.ledger.trim(this.table.shown);
    this.table.say(`${DONE[answer]}. ${standing(this.table.shown, this.supply.counts)}`);
  }

  /** Takes back the decision on the example shown, or else the last one of all. */
  takeBack(): void {
    const { shown } = this.table;
    const item = shown !== null && !isOpen(shown) ? shown : this.ledger.queue.lastDecided;
    if (item === null) return this.table.say("No decision to take back");
    this.ledger.takeBack(item);
    this.comeTo(item);
    this.supply.lookBack();
    this.table.say(`Decision taken back. ${standing(item, this.supply.counts)}`);
  }

  undo(): void {
    const turn = this.ledger.undo();
    if (turn === null) return this.table.say("Nothing to undo");
    this.comeTo(turn.item);
    this.supply.lookBack();
    this.table.say(isDecision(turn.step) ? "Decision taken back" : "Undone");
  }

  redo(): void {
    const turn = this.ledger.redo();
    if (turn === null) return this.table.say("Nothing to redo");
    const { item, step } = turn;
    this.comeTo(isDecision(step) ? this.ledger.queue.openAfter(item) : item);
    this.table.say(isDecision(step) ? DONE[step.after.answer ?? "accept"] : "Done again");
  }

  /** Goes to the example before or after, without deciding. */
  browse(by: 1 | -1): void {
    if (by === -1) this.supply.lookBack();
    if (!this.canBrowse(by)) {
      return this.table.say(by === 1 ? "This is the last one" : "This is the first one");
    }
    this.ledger.sendDraft(this.table.shown);
    const beside = this.ledger.queue.beside(this.table.shown, by);
    this.table.show(beside);
    this.table.say(standing(beside, this.supply.counts));
  }

  /** After the last of all comes what is said at the end. */
  canBrowse(by: 1 | -1): boolean {
    const { queue } = this.ledger;
    const { shown } = this.table;
    const isEnd = by === 1 && shown !== null && queue.open.length === 0;
    return isEnd || queue.beside(shown, by) !== null;
  }

  flag(): void {
    const item = this.table.shown;
    if (item === null) return;
    this.ledger.record(item, { ...item.state, flagged: !item.state.flagged });
    this.table.changed("answer");
    this.table.say(item.state.flagged ? "Flagged" : "Flag taken off");
  }

  /** Sends whatever waits, and the edit in progress as a draft. */
  save(): void {
    this.ledger.sendDraft(this.table.shown);
    this.supply.courier.resend();
    const { why, word } = this.supply.courier.saving;
    this.table.say(why || word);
  }

  private comeTo(item: Item | null): void {
    if (item !== this.table.shown) this.table.show(item);
    this.table.changed("spans");
    this.table.changed("answer");
    this.table.changed("progress");
  }
}
