/**
 * Every occurrence of some words, in the example shown and in upcoming ones:
 * listed first, one row each, and changed as one step.
 */
import type { BulkEdit, Excerpt, KernelMessage, Occurrence, OccurrenceAction } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import { isBlank, type Token, type TokenRange } from "../../shared/tokens";
import type { BulkEditor } from "./bulkEditor";
import type { AnnotatorContext } from "./context";
import { addSpan, overlapping, removeOverlapping, type Spans } from "./spans";
import type { PendingRequests } from "./transport";

/** Rows that are listed from upcoming examples. */
const MAX_UPCOMING = 200;
/** Tokens shown on either side of an occurrence. */
const EXCERPT_TOKENS = 8;

export interface OccurrenceRow extends Excerpt {
  /** The id of an upcoming example; null for the example shown. */
  readonly example: string | null;
  readonly range: TokenRange;
  /** Why it cannot be changed; empty where it can. */
  readonly problem: string;
}

type OccurrencesContext = Pick<AnnotatorContext, "setup" | "shown">;

interface OccurrencesState {
  action: OccurrenceAction;
  label: string;
  words: readonly string[];
  isCaseSensitive: boolean;
  /** Whether upcoming examples are searched too. */
  includeUpcoming: boolean;
  activeIndex: number;
  /** How many occurrences in the example shown have the label already. */
  labeledCount: number;
  /** Whether upcoming examples have more occurrences than are listed. */
  hasMore: boolean;
  problem: string;
  shownRows: readonly OccurrenceRow[];
  upcomingRows: readonly OccurrenceRow[];
  checked: ReadonlySet<OccurrenceRow>;
}

export class Occurrences {
  readonly state = reactive<OccurrencesState>({
    action: "label",
    label: "",
    words: [],
    isCaseSensitive: true,
    includeUpcoming: false,
    activeIndex: 0,
    labeledCount: 0,
    hasMore: false,
    problem: "",
    shownRows: [],
    upcomingRows: [],
    checked: new Set(),
  });

  constructor(
    private readonly context: OccurrencesContext,
    private readonly requests: PendingRequests,
    private readonly bulkEditor: BulkEditor,
  ) {}

  get rows(): readonly OccurrenceRow[] {
    return this.state.includeUpcoming ? [...this.state.shownRows, ...this.state.upcomingRows] : this.state.shownRows;
  }

  get checkedRows(): readonly OccurrenceRow[] {
    return this.rows.filter((row) => this.state.checked.has(row));
  }

  isChecked(row: OccurrenceRow): boolean {
    return this.state.checked.has(row);
  }

  get isWaiting(): boolean {
    return this.state.includeUpcoming && this.requests.isWaiting("occurrences");
  }

  /** Search the words of a range; return whether it has any. */
  start(action: OccurrenceAction, range: TokenRange, label: string): boolean {
    this.state.words = wordsInRange(this.context.shown?.task.tokens ?? [], range);
    this.state.action = action;
    this.state.label = label;
    if (this.state.words.length > 0) this.search();
    return this.state.words.length > 0;
  }

  setIncludeUpcoming(include: boolean): void {
    this.state.includeUpcoming = include;
    this.search();
  }

  setCaseSensitive(isCaseSensitive: boolean): void {
    this.state.isCaseSensitive = isCaseSensitive;
    this.search();
  }

  setActive(index: number): void {
    this.state.activeIndex = Math.max(0, Math.min(index, this.rows.length - 1));
  }

  /** Check or uncheck a row, unless it cannot be changed. */
  toggleRow(index = this.state.activeIndex): void {
    const row = this.rows[index];
    if (row !== undefined && row.problem === "") {
      const checked = new Set(this.state.checked);
      if (!checked.delete(row)) checked.add(row);
      this.state.checked = checked;
    }
    this.setActive(index);
  }

  /** Check all rows that can be changed, or none if all are checked. */
  toggleAll(): void {
    const free = this.rows.filter(isFree);
    const isComplete = free.every((row) => this.state.checked.has(row));
    this.state.checked = new Set(isComplete ? [] : free);
  }

  /** Change the checked occurrences. */
  apply(): void {
    const { checkedRows } = this;
    const { action, label } = this.state;
    const item = this.context.shown;
    if (item === null || checkedRows.length === 0) return;
    const change = (spans: Spans, { range }: OccurrenceRow): Spans =>
      action === "label" ? addSpan(spans, { ...range, label }) : removeOverlapping(spans, range);
    const after = checkedRows.filter(({ example }) => example === null).reduce(change, item.state.spans);
    const places: BulkEdit["places"] = checkedRows.flatMap(({ example, range: { start, end } }) =>
      example === null ? [] : [[example, start, end] as const],
    );
    this.bulkEditor.apply(after, places.length === 0 ? null : { label, take: action, places });
  }

  private search(): void {
    this.state.activeIndex = 0;
    this.state.upcomingRows = [];
    this.state.hasMore = false;
    this.state.problem = "";
    this.searchShown();
    if (this.state.includeUpcoming) this.searchUpcoming();
  }

  private searchShown(): void {
    const item = this.context.shown;
    const tokens = item?.task.tokens ?? [];
    const spans = item?.state.spans ?? [];
    const { mends } = this.context.setup;
    const ranges = findOccurrences(tokens, this.state.words, this.state.isCaseSensitive);
    const problems = ranges.map((range) => conflictAt(spans, range, this.state.label, this.state.action, mends));
    this.state.shownRows = ranges.flatMap((range, i) => {
      const problem = problems[i] ?? null;
      return problem === null ? [] : [{ ...excerptOf(tokens, range), example: null, range, problem }];
    });
    this.state.checked = new Set(this.state.shownRows.filter(isFree));
    this.state.labeledCount = this.state.action === "label" ? problems.filter((one) => one === null).length : 0;
  }

  private searchUpcoming(): void {
    const { words, label, action: take, isCaseSensitive: cased } = this.state;
    this.bulkEditor.sendDrafts();
    const besides = this.context.shown?.id ?? "";
    const request = { type: "occurrences", words, label, take, cased, besides, want: MAX_UPCOMING } as const;
    this.requests.replace(request, (reply) => this.handleReply(reply));
  }

  private handleReply(reply: KernelMessage): void {
    if (reply.type === "failed") this.state.problem = reply.message;
    if (reply.type !== "places") return;
    this.state.upcomingRows = reply.places.map(rowOf);
    this.state.checked = new Set([...this.state.checked, ...this.state.upcomingRows.filter(isFree)]);
    this.state.hasMore = reply.more;
  }
}

const isFree = ({ problem }: OccurrenceRow): boolean => problem === "";

const rowOf = ({ example, start, end, problem, left, hit, right }: Occurrence): OccurrenceRow => ({
  left,
  hit,
  right,
  example,
  range: { start, end },
  problem,
});

/** Return the words of a range, without blank tokens. */
export const wordsInRange = (tokens: readonly Token[], { start, end }: TokenRange): string[] =>
  tokens.slice(start, end).flatMap(([text]) => (isBlank(text) ? [] : [text]));

/** Return all ranges in which the words follow each other as whole tokens, without overlap. */
export function findOccurrences(
  tokens: readonly Token[],
  words: readonly string[],
  isCaseSensitive: boolean,
): TokenRange[] {
  const fold = (text: string): string => (isCaseSensitive ? text : text.toLowerCase());
  const wanted = words.map(fold);
  const found: TokenRange[] = [];
  for (let start = 0; start < tokens.length; start += 1) {
    if (fold(tokens[start]?.[0] ?? "") !== wanted[0]) continue;
    const end = matchEnd(tokens, start, wanted, fold);
    if (end === null) continue;
    found.push({ start, end });
    start = end - 1;
  }
  return found;
}

/** Return the end of a match that starts at a token, skipping blank tokens; null if there is none. */
function matchEnd(
  tokens: readonly Token[],
  start: number,
  wanted: readonly string[],
  fold: (text: string) => string,
): number | null {
  let at = start;
  for (const word of wanted) {
    while (at > start && at < tokens.length && isBlank(tokens[at]?.[0] ?? "")) at += 1;
    if (fold(tokens[at]?.[0] ?? "") !== word) return null;
    at += 1;
  }
  return at;
}

function excerptOf(tokens: readonly Token[], { start, end }: TokenRange): Excerpt {
  const join = (from: number, to: number): string =>
    tokens
      .slice(Math.max(0, from), to)
      .map(([text, gap]) => text + gap)
      .join("");
  const [text = "", gap = ""] = tokens[end - 1] ?? [];
  return {
    left: join(start - EXCERPT_TOKENS, start),
    hit: join(start, end - 1) + text,
    right: gap + join(end, end + EXCERPT_TOKENS),
  };
}

/**
 * Return why a range cannot be changed: an explanation, an empty string where
 * it can, null where there is nothing to change.
 *
 * @param canRelabel Whether spans over exactly this range may change their label.
 */
export function conflictAt(
  spans: Spans,
  range: TokenRange,
  label: string,
  action: OccurrenceAction,
  canRelabel = false,
): string | null {
  const found = overlapping(spans, range);
  const isHere = (one: TokenRange): boolean => one.start === range.start && one.end === range.end;
  const isSame = found.some((one) => isHere(one) && one.label === label);
  if (action === "unlabel") return isSame ? "" : null;
  if (isSame) return null;
  const conflicts = canRelabel ? found.filter((one) => !isHere(one)) : found;
  return conflicts.length === 0 ? "" : `holds ${conflicts.map((one) => one.label).join(", ")}`;
}
