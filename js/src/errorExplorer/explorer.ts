/**
 * What is looked at in an error explorer: shared by all views of one widget.
 * It knows neither the page nor Jupyter.
 */
import type { AnnotatorController } from "../annotator/model/controller";
import type { Environment, Unsubscribe } from "../shared/environment";
import { asRecord, asString } from "../shared/parsePrimitives";
import {
  parseCellRef,
  parseErrorRates,
  parseFindings,
  parseExplorerState,
  type CellRef,
  type ErrorRates,
  type FindingFilter,
  type Finding,
  type ExplorerState,
} from "./messages";

/** What has changed, for views to draw anew. */
export type Aspect = "state" | "rows" | "bars" | "pointed" | "said" | "shown";
type Listener = (aspect: Aspect) => void;
type Then = (reply: unknown) => void;

/** Rows that the kernel gives at first, as many as can be seen, and then at a time. */
const FIRST_ROWS = 8;
const PAGE_SIZE = 24;

export class ErrorExplorer {
  state: ExplorerState;
  openCell: CellRef = {};
  findings: readonly Finding[] = [];
  /** How many there are; null while nothing is open. */
  total: number | null = null;
  /** The row that is pointed at. */
  activeIndex = 0;
  /** "matrix", or the factor whose bars are shown. */
  view = "matrix";
  errorRates: ErrorRates | null = null;
  /** What was done last, or why it could not be done. */
  announcement = "";
  /** The examples of what was opened: from one to the next goes the way. */
  private exampleIds: readonly string[] = [];
  private readonly waiting = new Map<string, Then>();
  private readonly listeners = new Set<Listener>();
  private readonly offs: Unsubscribe[];

  constructor(
    private readonly host: Environment,
    readonly controller: AnnotatorController,
  ) {
    const { connection: port } = host;
    this.state = parseExplorerState(port.get("_errors"));
    this.offs = [
      port.onMessage((raw) => this.receive(raw)),
      port.onTraitChange("_errors", () => this.setState(port.get("_errors"))),
      controller.subscribe((parts) => parts.has("example") && this.followAnnotator()),
    ];
    const at = parseCellRef(asRecord(port.get("_errors")).at);
    if (Object.keys(at).length > 0) this.open(at);
  }

  subscribe(listener: Listener): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.offs.forEach((off) => off());
    this.listeners.clear();
  }

  /** Opens the findings of a place. */
  open(at: CellRef, then?: () => void): void {
    this.openCell = at;
    this.request({ type: "open", at, offset: 0, want: FIRST_ROWS }, (reply) => {
      this.setFindings(reply);
      this.activeIndex = 0;
      this.changed("rows");
      then?.();
    });
  }

  /** Asks for the rows behind those that are there. */
  loadMore(): void {
    if (this.waiting.size > 0 || this.total === null || this.findings.length >= this.total) return;
    const offset = this.findings.filter(({ isFixed: isGone }) => !isGone).length;
    this.request({ type: "open", at: this.openCell, offset, want: PAGE_SIZE }, (reply) => {
      this.setFindings(reply);
      this.changed("rows");
    });
  }

  setFilter(change: Partial<FindingFilter>): void {
    const conditions = { ...this.state.conditions, ...change };
    this.request({ type: "narrow", conditions }, (reply) => this.setState(reply));
  }

  /** Takes all conditions off. */
  clearFilter(): void {
    this.request({ type: "narrow", conditions: {} }, (reply) => this.setState(reply));
  }

  /** Shows the matrix, or bars. */
  setView(view: string): void {
    this.view = view;
    this.errorRates = null;
    this.changed("bars");
    if (view !== "matrix") this.requestErrorRates();
  }

  setActive(index: number): void {
    const last = this.findings.length - 1;
    this.activeIndex = Math.max(0, Math.min(index, last));
    if (this.activeIndex > last - FIRST_ROWS / 2) this.loadMore();
    this.changed("pointed");
  }

  /** Shows the example of a row in the annotation surface, from where one goes on along the rows. */
  openExample(index: number): void {
    this.setActive(index);
    const row = this.findings[this.activeIndex];
    if (row === undefined || !this.state.changes) return;
    this.controller.openResult(row.id, this.exampleIds);
  }

  /** Says that the model is wrong on an example, or takes that back. */
  toggleJudgment(example: string | undefined): void {
    if (example === undefined || !this.state.changes) return;
    const row = this.findings.find(({ id }) => id === example);
    const verdict = row?.judged === "model" ? "" : "model";
    this.request({ type: "judge", example, verdict }, (reply) => this.announce(asString(asRecord(reply).words)));
  }

  /** Takes the last change back, whatever it was. */
  undo(): void {
    this.request({ type: "revert" }, (reply) => this.announce(asString(asRecord(reply).words)));
  }

  private requestErrorRates(): void {
    const factor = this.view;
    this.request({ type: "bars", factor }, (reply) => {
      if (factor !== this.view) return;
      this.errorRates = parseErrorRates(reply);
      this.changed("bars");
    });
  }

  private request(message: object, then: Then): void {
    const { connection: port, newId } = this.host;
    if (!port.isConnected()) return this.announce("The kernel is gone: run the cell again");
    const id = newId();
    this.waiting.set(id, then);
    port.send({ ...message, id });
  }

  private receive(raw: unknown): void {
    const { re, type, message, at } = asRecord(raw);
    // Gold has changed: what is open stays in its place, with a sign where it is mended.
    if (type === "errors" && re === undefined) return this.setState(raw);
    if (type === "show-place") return this.open(parseCellRef(at));
    const then = this.waiting.get(asString(re));
    if (then === undefined) return;
    this.waiting.delete(asString(re));
    if (type === "failed") this.announce(asString(message));
    else then(raw);
  }

  private setState(raw: unknown): void {
    this.state = parseExplorerState(raw);
    this.changed("state");
    if (this.view !== "matrix") this.requestErrorRates();
    if (this.total !== null) this.refreshFindings();
  }

  private refreshFindings(): void {
    const want = Math.max(FIRST_ROWS, this.findings.length);
    this.request({ type: "open", at: this.openCell, offset: 0, want }, (reply) => {
      const { rows, total } = parseFindings(reply);
      this.findings = mergeFindings(this.findings, rows);
      this.total = total;
      this.changed("rows");
      this.setActive(this.activeIndex);
    });
  }

  private setFindings(raw: unknown): void {
    const { rows, total, offset, ids } = parseFindings(raw);
    if (offset === 0) this.exampleIds = ids;
    this.findings = offset === 0 ? rows : [...this.findings, ...rows];
    this.total = total;
  }

  private followAnnotator(): void {
    const id = this.controller.shown?.id;
    const index = this.findings.findIndex((row) => row.id === id);
    if (index >= 0 && this.findings[this.activeIndex]?.id !== id) this.setActive(index);
    if (index < 0 && id !== undefined && this.exampleIds.includes(id)) this.loadMore();
    this.changed("shown");
  }

  private announce(words: string): void {
    this.announcement = words;
    this.changed("said");
  }

  private changed(aspect: Aspect): void {
    this.listeners.forEach((listener) => listener(aspect));
  }
}

/** Puts fresh rows in the places of the old ones; what is no longer there is marked as gone. */
export function mergeFindings(old: readonly Finding[], fresh: readonly Finding[]): readonly Finding[] {
  const left = [...fresh];
  const kept = old.map((row) => {
    const index = left.findIndex((one) => sameFinding(one, row));
    return index < 0 ? { ...row, isFixed: true } : (left.splice(index, 1)[0] as Finding);
  });
  return [...kept, ...left];
}

/** The words around may have other spans now; what the row is about is the same. */
const sameFinding = (one: Finding, other: Finding): boolean =>
  one.id === other.id && targetOf(one) === targetOf(other);

const targetOf = ({ sides }: Finding): string =>
  JSON.stringify(sides.map(({ segments: pieces }) => pieces.filter(([, , isMeant]) => isMeant)));
