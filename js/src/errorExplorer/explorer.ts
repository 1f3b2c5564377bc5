/**
 * What is looked at in an error explorer: shared by all views of one widget.
 * It knows neither the page nor Jupyter.
 */
import type { Controller } from "../annotator/model/controller";
import type { Host, Off } from "../shared/environment";
import { fields, text } from "../shared/parsePrimitives";
import {
  readAt,
  readBars,
  readOpened,
  readState,
  type At,
  type Bars,
  type Conditions,
  type Finding,
  type State,
} from "./messages";

/** What has changed, for views to draw anew. */
export type Aspect = "state" | "rows" | "bars" | "pointed" | "said" | "shown";
type Listener = (aspect: Aspect) => void;
type Then = (reply: unknown) => void;

/** Rows that the kernel gives at first, as many as can be seen, and then at a time. */
const FIRST = 8;
const PAGE = 24;

export class Explorer {
  state: State;
  at: At = {};
  rows: readonly Finding[] = [];
  /** How many there are; null while nothing is open. */
  total: number | null = null;
  /** The row that is pointed at. */
  pointed = 0;
  /** "matrix", or the factor whose bars are shown. */
  view = "matrix";
  bars: Bars | null = null;
  /** What was done last, or why it could not be done. */
  said = "";
  /** The examples of what was opened: from one to the next goes the way. */
  private way: readonly string[] = [];
  private readonly waiting = new Map<string, Then>();
  private readonly listeners = new Set<Listener>();
  private readonly offs: Off[];

  constructor(
    private readonly host: Host,
    readonly controller: Controller,
  ) {
    const { port } = host;
    this.state = readState(port.get("_errors"));
    this.offs = [
      port.onMessage((raw) => this.take(raw)),
      port.onChange("_errors", () => this.takeState(port.get("_errors"))),
      controller.subscribe((parts) => parts.has("example") && this.follow()),
    ];
    const at = readAt(fields(port.get("_errors")).at);
    if (Object.keys(at).length > 0) this.open(at);
  }

  subscribe(listener: Listener): Off {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.offs.forEach((off) => off());
    this.listeners.clear();
  }

  /** Opens the findings of a place. */
  open(at: At, then?: () => void): void {
    this.at = at;
    this.ask({ type: "open", at, offset: 0, want: FIRST }, (reply) => {
      this.takeRows(reply);
      this.pointed = 0;
      this.changed("rows");
      then?.();
    });
  }

  /** Asks for the rows behind those that are there. */
  more(): void {
    if (this.waiting.size > 0 || this.total === null || this.rows.length >= this.total) return;
    const offset = this.rows.filter(({ isGone }) => !isGone).length;
    this.ask({ type: "open", at: this.at, offset, want: PAGE }, (reply) => {
      this.takeRows(reply);
      this.changed("rows");
    });
  }

  narrow(change: Partial<Conditions>): void {
    const conditions = { ...this.state.conditions, ...change };
    this.ask({ type: "narrow", conditions }, (reply) => this.takeState(reply));
  }

  /** Takes all conditions off. */
  widen(): void {
    this.ask({ type: "narrow", conditions: {} }, (reply) => this.takeState(reply));
  }

  /** Shows the matrix, or bars. */
  look(view: string): void {
    this.view = view;
    this.bars = null;
    this.changed("bars");
    if (view !== "matrix") this.askBars();
  }

  point(index: number): void {
    const last = this.rows.length - 1;
    this.pointed = Math.max(0, Math.min(index, last));
    if (this.pointed > last - FIRST / 2) this.more();
    this.changed("pointed");
  }

  /** Shows the example of a row in the annotation surface, from where one goes on along the rows. */
  choose(index: number): void {
    this.point(index);
    const row = this.rows[this.pointed];
    if (row === undefined || !this.state.changes) return;
    this.controller.open(row.id, this.way);
  }

  /** Says that the model is wrong on an example, or takes that back. */
  judge(example: string | undefined): void {
    if (example === undefined || !this.state.changes) return;
    const row = this.rows.find(({ id }) => id === example);
    const verdict = row?.judged === "model" ? "" : "model";
    this.ask({ type: "judge", example, verdict }, (reply) => this.say(text(fields(reply).words)));
  }

  /** Takes the last change back, whatever it was. */
  undo(): void {
    this.ask({ type: "revert" }, (reply) => this.say(text(fields(reply).words)));
  }

  private askBars(): void {
    const factor = this.view;
    this.ask({ type: "bars", factor }, (reply) => {
      if (factor !== this.view) return;
      this.bars = readBars(reply);
      this.changed("bars");
    });
  }

  private ask(message: object, then: Then): void {
    const { port, newId } = this.host;
    if (!port.connected()) return this.say("The kernel is gone: run the cell again");
    const id = newId();
    this.waiting.set(id, then);
    port.send({ ...message, id });
  }

  private take(raw: unknown): void {
    const { re, type, message, at } = fields(raw);
    // Gold has changed: what is open stays in its place, with a sign where it is mended.
    if (type === "errors" && re === undefined) return this.takeState(raw);
    if (type === "show-place") return this.open(readAt(at));
    const then = this.waiting.get(text(re));
    if (then === undefined) return;
    this.waiting.delete(text(re));
    if (type === "failed") this.say(text(message));
    else then(raw);
  }

  private takeState(raw: unknown): void {
    this.state = readState(raw);
    this.changed("state");
    if (this.view !== "matrix") this.askBars();
    if (this.total !== null) this.renew();
  }

  private renew(): void {
    const want = Math.max(FIRST, this.rows.length);
    this.ask({ type: "open", at: this.at, offset: 0, want }, (reply) => {
      const { rows, total } = readOpened(reply);
      this.rows = merged(this.rows, rows);
      this.total = total;
      this.changed("rows");
      this.point(this.pointed);
    });
  }

  private takeRows(raw: unknown): void {
    const { rows, total, offset, ids } = readOpened(raw);
    if (offset === 0) this.way = ids;
    this.rows = offset === 0 ? rows : [...this.rows, ...rows];
    this.total = total;
  }

  private follow(): void {
    const id = this.controller.shown?.id;
    const index = this.rows.findIndex((row) => row.id === id);
    if (index >= 0 && this.rows[this.pointed]?.id !== id) this.point(index);
    if (index < 0 && id !== undefined && this.way.includes(id)) this.more();
    this.changed("shown");
  }

  private say(words: string): void {
    this.said = words;
    this.changed("said");
  }

  private changed(aspect: Aspect): void {
    this.listeners.forEach((listener) => listener(aspect));
  }
}

/** Puts fresh rows in the places of the old ones; what is no longer there is marked as gone. */
export function merged(old: readonly Finding[], fresh: readonly Finding[]): readonly Finding[] {
  const left = [...fresh];
  const kept = old.map((row) => {
    const index = left.findIndex((one) => sameFinding(one, row));
    return index < 0 ? { ...row, isGone: true } : (left.splice(index, 1)[0] as Finding);
  });
  return [...kept, ...left];
}

/** The words around may have other spans now; what the row is about is the same. */
const sameFinding = (one: Finding, other: Finding): boolean =>
  one.id === other.id && meant(one) === meant(other);

const meant = ({ sides }: Finding): string =>
  JSON.stringify(sides.map(({ pieces }) => pieces.filter(([, , isMeant]) => isMeant)));
