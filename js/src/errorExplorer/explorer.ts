/**
 * The error explorer without its views: one for a widget, shared by all its
 * views. It uses neither the page nor Jupyter. All its state is reactive.
 */
import type { AnnotatorController } from "../annotator/model/controller";
import type { Environment, Unsubscribe } from "../shared/environment";
import { asRecord, asString } from "../shared/parsePrimitives";
import { batch, EffectScope, reactive, untracked } from "../shared/reactive";
import {
  parseCellRef,
  parseErrorRates,
  parseFindings,
  parseOverview,
  type CellRef,
  type ErrorRates,
  type Finding,
  type FindingFilter,
  type Overview,
} from "./messages";

type OnReply = (reply: unknown) => void;

/** Rows that the kernel sends at first, as many as are in sight, and then at a time. */
const FIRST_ROWS = 8;
const PAGE_SIZE = 24;

interface ExplorerState {
  /** The counts, the filter and the texts that the kernel sends. */
  overview: Overview;
  /** The cell of the matrix, or the bar, whose findings are listed. */
  openCell: CellRef;
  findings: readonly Finding[];
  /** The number of findings; null while no cell is open. */
  total: number | null;
  activeIndex: number;
  /** "matrix", or the factor whose error rates are shown. */
  view: string;
  errorRates: ErrorRates | null;
  /** What was done last, or why it could not be done. */
  announcement: string;
}

export class ErrorExplorer {
  readonly state: ExplorerState;
  /** The examples of all findings of the open cell, in their order. */
  private exampleIds: readonly string[] = [];
  private readonly waiting = new Map<string, OnReply>();
  private readonly effects = new EffectScope();
  private readonly unsubscribers: Unsubscribe[];

  constructor(
    private readonly environment: Environment,
    readonly controller: AnnotatorController,
  ) {
    const { connection } = environment;
    this.state = reactive<ExplorerState>({
      overview: parseOverview(connection.get("_errors")),
      openCell: {},
      findings: [],
      total: null,
      activeIndex: 0,
      view: "matrix",
      errorRates: null,
      announcement: "",
    });
    this.unsubscribers = [
      connection.onMessage((raw) => this.receive(raw)),
      connection.onTraitChange("_errors", () => this.setOverview(connection.get("_errors"))),
    ];
    this.effects.run(() => {
      void controller.shown;
      untracked(() => this.followAnnotator());
    });
    controller.refreshOnce();
    const cell = parseCellRef(asRecord(connection.get("_errors")).at);
    if (Object.keys(cell).length > 0) this.open(cell);
  }

  dispose(): void {
    this.effects.dispose();
    this.unsubscribers.forEach((unsubscribe) => unsubscribe());
  }

  /** List the findings of a cell; call back once they are shown. */
  open(cell: CellRef, then?: () => void): void {
    this.state.openCell = cell;
    this.request({ type: "open", at: cell, offset: 0, want: FIRST_ROWS }, (reply) => {
      batch(() => {
        this.setFindings(reply);
        this.state.activeIndex = 0;
      });
      then?.();
    });
  }

  /** Request the rows behind those that are loaded. */
  loadMore(): void {
    if (this.waiting.size > 0 || this.state.total === null || this.state.findings.length >= this.state.total) return;
    const offset = this.state.findings.filter(({ isFixed }) => !isFixed).length;
    this.request({ type: "open", at: this.state.openCell, offset, want: PAGE_SIZE }, (reply) =>
      batch(() => this.setFindings(reply)),
    );
  }

  setFilter(change: Partial<FindingFilter>): void {
    const conditions = { ...this.state.overview.conditions, ...change };
    this.request({ type: "narrow", conditions }, (reply) => this.setOverview(reply));
  }

  clearFilter(): void {
    this.request({ type: "narrow", conditions: {} }, (reply) => this.setOverview(reply));
  }

  /** Show the matrix, or the error rates by a factor. */
  setView(view: string): void {
    batch(() => {
      this.state.view = view;
      this.state.errorRates = null;
      if (view !== "matrix") this.requestErrorRates();
    });
  }

  setActive(index: number): void {
    const last = this.state.findings.length - 1;
    this.state.activeIndex = Math.max(0, Math.min(index, last));
    if (this.state.activeIndex > last - FIRST_ROWS / 2) this.loadMore();
  }

  /** Show the example of a row in the annotator; next and back then follow the rows. */
  openExample(index: number): void {
    this.setActive(index);
    const row = this.state.findings[this.state.activeIndex];
    if (row === undefined || !this.state.overview.changes) return;
    this.controller.openResult(row.id, this.exampleIds);
  }

  /** Record that the model is wrong on an example and the gold is right, or revert that. */
  toggleJudgment(example: string | undefined): void {
    if (example === undefined || !this.state.overview.changes) return;
    const row = this.state.findings.find(({ id }) => id === example);
    const verdict = row?.judged === "model" ? "" : "model";
    this.request({ type: "judge", example, verdict }, (reply) => this.announceReply(reply));
  }

  /** Revert the last change as a whole. */
  undo(): void {
    this.request({ type: "revert" }, (reply) => this.announceReply(reply));
  }

  private requestErrorRates(): void {
    const factor = this.state.view;
    this.request({ type: "bars", factor }, (reply) => {
      if (factor === this.state.view) this.state.errorRates = parseErrorRates(reply);
    });
  }

  private request(message: object, onReply: OnReply): void {
    const { connection, newId } = this.environment;
    if (!connection.isConnected()) return this.announce("The kernel is gone: run the cell again");
    const id = newId();
    this.waiting.set(id, onReply);
    connection.send({ ...message, id });
  }

  private receive(raw: unknown): void {
    const { re, type, message, at } = asRecord(raw);
    if (type === "errors" && re === undefined) return this.setOverview(raw);
    if (type === "show-place") return this.open(parseCellRef(at));
    const onReply = this.waiting.get(asString(re));
    if (onReply === undefined) return;
    this.waiting.delete(asString(re));
    if (type === "failed") this.announce(asString(message));
    else onReply(raw);
  }

  private setOverview(raw: unknown): void {
    batch(() => {
      this.state.overview = parseOverview(raw);
      if (this.state.view !== "matrix") this.requestErrorRates();
      if (this.state.total !== null) this.refreshFindings();
    });
  }

  /** Reload the rows after the gold has changed; fixed ones stay where they are, marked as such. */
  private refreshFindings(): void {
    const want = Math.max(FIRST_ROWS, this.state.findings.length);
    this.request({ type: "open", at: this.state.openCell, offset: 0, want }, (reply) =>
      batch(() => {
        const { rows, total } = parseFindings(reply);
        this.state.findings = mergeFindings(this.state.findings, rows);
        this.state.total = total;
        this.setActive(this.state.activeIndex);
      }),
    );
  }

  private setFindings(raw: unknown): void {
    const { rows, total, offset, ids } = parseFindings(raw);
    if (offset === 0) this.exampleIds = ids;
    this.state.findings = offset === 0 ? rows : [...this.state.findings, ...rows];
    this.state.total = total;
  }

  /** Make the row of the example shown in the annotator the active one. */
  private followAnnotator(): void {
    const id = this.controller.shown?.id;
    const index = this.state.findings.findIndex((row) => row.id === id);
    if (index >= 0 && this.state.findings[this.state.activeIndex]?.id !== id) this.setActive(index);
    if (index < 0 && id !== undefined && this.exampleIds.includes(id)) this.loadMore();
  }

  private announceReply(reply: unknown): void {
    this.announce(asString(asRecord(reply).words));
  }

  private announce(text: string): void {
    this.state.announcement = text;
  }
}

/** Put new rows in the places of old ones; old ones that are missing are marked as fixed. */
export function mergeFindings(old: readonly Finding[], fresh: readonly Finding[]): readonly Finding[] {
  const left = [...fresh];
  const kept = old.map((row) => {
    const index = left.findIndex((one) => sameFinding(one, row));
    return index < 0 ? { ...row, isFixed: true } : (left.splice(index, 1)[0] as Finding);
  });
  return [...kept, ...left];
}

/** Return whether two rows are about the same spans, whatever spans are around them. */
const sameFinding = (one: Finding, other: Finding): boolean =>
  one.id === other.id && targetOf(one) === targetOf(other);

const targetOf = ({ sides }: Finding): string =>
  JSON.stringify(sides.map(({ segments }) => segments.filter(([, , isTarget]) => isTarget)));
