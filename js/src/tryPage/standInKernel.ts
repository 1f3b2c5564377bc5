/**
 * What answers the annotator on a page without a kernel.
 *
 * It keeps the protocol of the Python side over examples in memory. What needs Python (the
 * label set, decoding again after an edit) is declared absent by its setup, and refused with
 * a sentence if it is asked for all the same.
 */
import type {
  AnalysesReply,
  Analysis,
  AnswerMessage,
  BulkReply,
  BulkRequest,
  Counts,
  ExampleFilter,
  ExampleRow,
  KernelRequest,
  ListReply,
  Occurrence,
  OccurrencesReply,
  SavedMessage,
  Setup,
  Snapshot,
  Task,
  WireSpan,
} from "../shared/protocol";

const WINDOW_SIZE = 12;
const LEAST_SURE = 1;
type Request = (KernelRequest | AnswerMessage | ShownNotice) & { readonly id?: string };
/** What the page shows now; it has no reply. */
interface ShownNotice {
  readonly type: "at";
  readonly example: string | null;
}

/** An answer as it is kept and downloaded. */
export interface StoredAnswer {
  readonly example: string;
  readonly answer: Task["answer"];
  readonly spans: readonly WireSpan[];
  readonly flagged: boolean;
  readonly note: string;
  readonly done?: number;
}

export interface KernelContents {
  readonly setup: Setup;
  readonly tasks: readonly Task[];
  readonly guideline?: string;
  /** The best analyses of examples by id. */
  readonly analyses?: Readonly<Record<string, readonly Analysis[]>>;
}

export class StandInKernel {
  private readonly tasks = new Map<string, Task>();
  /** Ids of answered examples, in the order of their answers. */
  private order: string[] = [];
  private readonly applied = new Set<string>();
  private readonly shown = new Set<string>();
  private readonly beforeBulk = new Map<string, readonly (readonly [Task, Task])[]>();

  /**
   * @param contents What there is to label.
   * @param kept Answers of an earlier visit.
   * @param onAnswer Told of every change, so that it can be kept.
   */
  constructor(
    private readonly contents: KernelContents,
    kept: readonly StoredAnswer[] = [],
    private readonly onAnswer: (answer: StoredAnswer) => void = () => undefined,
  ) {
    contents.tasks.forEach((task) => this.tasks.set(task.id, task));
    kept.forEach((answer) => this.apply(answer));
  }

  get traits(): Record<string, unknown> {
    return { _setup: this.contents.setup, _snapshot: this.snapshot(), _widget_id: this.contents.setup.key };
  }

  /** Examples that somebody has accepted, as a learner wants them. */
  get accepted(): readonly Task[] {
    return this.order.map((id) => this.find(id)).filter((task) => task.answer === "accept");
  }

  get answers(): readonly StoredAnswer[] {
    return [...this.tasks.values()].filter((task) => task.answer !== null || task.draft).map(stored);
  }

  readonly respond = (raw: unknown): readonly object[] => {
    const message = raw as Request;
    if (message.type === "at") {
      if (message.example !== null) this.shown.add(message.example);
      return [];
    }
    return [{ re: message.id, ...this.handle(message) }];
  };

  /** Put suggestions in place of those of open examples that were not shown yet. */
  suggest(suggestions: (task: Task) => readonly WireSpan[], source: string): object {
    for (const task of this.tasks.values()) {
      if (task.answer !== null || task.draft || this.shown.has(task.id)) continue;
      const spans = suggestions(task).map(([start, end, label]) => [start, end, label, { source }] as const);
      this.tasks.set(task.id, { ...task, spans, suggested: spans.length > 0 });
    }
    return { type: "refresh", keep: true, ...this.snapshot() };
  }

  snapshot(): Snapshot {
    const past = this.order.slice(-WINDOW_SIZE).map((id) => this.find(id));
    return { window: this.upcoming(WINDOW_SIZE, []), past, counts: this.counts };
  }

  private handle(message: Exclude<Request, ShownNotice>): object {
    switch (message.type) {
      case "answer":
        return this.answer(message);
      case "fetch":
        return this.reply(this.upcoming(message.want, message.have));
      case "past": {
        const end = message.before === null ? this.order.length : this.order.indexOf(message.before);
        return this.reply(this.order.slice(Math.max(0, end - message.want), Math.max(0, end)).reverse().map((id) => this.find(id)));
      }
      case "find":
        return this.reply(message.examples.flatMap((id) => this.tasks.get(id) ?? []));
      case "list":
        return this.list(message.filter, message.offset, message.want);
      case "occurrences":
        return this.occurrences(message);
      case "analyses":
        return this.analyses(message);
      case "bulk":
        return this.bulk(message);
      case "guideline":
        return { type: "guideline", text: this.contents.guideline ?? "", version: this.contents.setup.guideline ?? "" };
      case "hello":
        return { type: "snapshot", setup: this.contents.setup, ...this.snapshot() };
      default:
        return { type: "failed", message: "This page has no Python behind it", retry: false };
    }
  }

  private get counts(): Counts {
    const counts = { total: this.tasks.size, accept: 0, reject: 0, ignore: 0, open: 0 };
    for (const { answer } of this.tasks.values()) counts[answer ?? "open"] += 1;
    return counts;
  }

  private find(id: string): Task {
    const task = this.tasks.get(id);
    if (task === undefined) throw new Error(`there is no example ${id}`);
    return task;
  }

  private upcoming(limit: number, have: readonly string[]): readonly Task[] {
    const open = [...this.tasks.values()].filter((task) => task.answer === null && !have.includes(task.id));
    return open.slice(0, Math.max(0, limit));
  }

  private reply(tasks: readonly Task[]): object {
    return { type: "tasks", tasks, counts: this.counts };
  }

  private answer(message: AnswerMessage & { readonly have?: readonly string[] }): SavedMessage {
    this.shown.add(message.example);
    if (!this.applied.has(message.id)) {
      this.applied.add(message.id);
      this.apply(message);
      this.onAnswer(stored(this.find(message.example)));
    }
    const have = message.have ?? [];
    const { example, answer, spans, flagged, note } = stored(this.find(message.example));
    const next = this.upcoming(WINDOW_SIZE - have.length, have);
    return { type: "saved", example, answer, spans, flagged, note, counts: this.counts, next };
  }

  private apply({ example, answer, spans, flagged, note, done }: StoredAnswer): void {
    const task = this.tasks.get(example);
    if (task === undefined) return; // kept by a visit to an older page
    const draft = answer === null;
    const changed = { ...task, answer, spans, flagged, note, draft, suggested: false };
    this.tasks.set(example, done === undefined ? changed : { ...changed, done });
    this.order = this.order.filter((one) => one !== example);
    if (answer !== null) this.order.push(example);
  }

  private list(filter: ExampleFilter, offset: number, want: number): ListReply {
    const found = [...this.tasks.values()].filter((task) => this.matches(task, filter));
    if (filter.order === "unsure") found.sort((left, right) => sureness(left) - sureness(right));
    const rows = found.slice(offset, offset + want).map((task) => this.rowOf(task, filter.text));
    return { type: "listed", rows, total: found.length };
  }

  private matches(task: Task, { answer, flagged, noted, label, text, annotator, order }: ExampleFilter): boolean {
    const hasAnswer =
      answer === undefined ||
      (answer === "open" ? task.answer === null : answer === "answered" ? task.answer !== null : task.answer === answer);
    return (
      hasAnswer &&
      (flagged === undefined || task.flagged) &&
      (noted === undefined || task.note !== "") &&
      (label === undefined || task.spans.some((span) => span[2] === label)) &&
      (text === undefined || textOf(task).toLowerCase().includes(text.toLowerCase())) &&
      (annotator === undefined || (task.answer !== null && annotator === this.contents.setup.annotator)) &&
      (order === undefined || sureness(task) < LEAST_SURE)
    );
  }

  private rowOf(task: Task, text = ""): ExampleRow {
    const { id, answer, flagged, note, spans } = task;
    const whole = textOf(task);
    const at = text === "" ? -1 : whole.toLowerCase().indexOf(text.toLowerCase());
    const [start, end] = at < 0 ? [whole.length, whole.length] : [at, at + text.length];
    const score = sureness(task);
    return {
      id,
      left: whole.slice(0, start),
      hit: whole.slice(start, end),
      right: whole.slice(end),
      answer,
      flagged,
      note,
      by: answer === null ? "" : this.contents.setup.annotator,
      labels: [...new Set(spans.map((span) => span[2]))],
      score: score < LEAST_SURE ? score : null,
    };
  }

  /** Find the words in the open examples that are not shown. */
  private occurrences(query: Extract<KernelRequest, { type: "occurrences" }>): OccurrencesReply {
    const { words, label, take, cased, besides, want } = query;
    const fold = (word: string): string => (cased ? word : word.toLowerCase());
    const sought = words.map(fold);
    const places: Occurrence[] = [];
    for (const task of this.tasks.values()) {
      if (task.answer !== null || task.id === besides) continue;
      for (let start = 0; start + sought.length <= task.tokens.length; start += 1) {
        const end = start + sought.length;
        if (!sought.every((word, i) => fold((task.tokens[start + i] as readonly [string, string])[0]) === word)) continue;
        const there = task.spans.filter((span) => span[0] < end && start < span[1]);
        const isSame = there.some((span) => span[0] === start && span[1] === end && span[2] === label);
        if (isSame === (take === "label")) continue;
        const problem = take === "label" && there.length > 0 ? `holds ${(there[0] as WireSpan)[2]}` : "";
        places.push({ example: task.id, start, end, problem, ...excerptOf(task, start, end) });
      }
    }
    return { type: "places", places: places.slice(0, want), more: places.length > want };
  }

  /** What was recorded of an example, without what contradicts the spans that a person has set. */
  private analyses({ example, want, forced, forbidden }: Extract<KernelRequest, { type: "analyses" }>): AnalysesReply {
    const recorded = this.contents.analyses?.[example] ?? [];
    const agrees = (span: WireSpan): boolean => {
      const isFree = !forced.some(([start, end]) => span[0] < end && start < span[1]);
      return isFree && !forbidden.some(([start, end, label]) => span[0] === start && span[1] === end && span[2] === label);
    };
    const seen = new Set<string>();
    const analyses = recorded.flatMap(({ probability, spans }) => {
      const kept = [...spans.filter(agrees), ...forced].sort((left, right) => left[0] - right[0]);
      const key = JSON.stringify(kept.map((span) => span.slice(0, 3)));
      if (seen.has(key)) return [];
      seen.add(key);
      return [{ probability, spans: kept }];
    });
    return { type: "analyses", example, analyses: analyses.slice(0, want) };
  }

  private bulk(request: BulkRequest): BulkReply {
    const changes = request.undo ? this.undoBulk(request.bulk) : this.applyBulk(request);
    const asked = new Set(request.places.map(([id]) => id)).size;
    changes.forEach((task) => this.onAnswer(stored(task)));
    const tasks = changes.filter((task) => request.have.includes(task.id));
    return { type: "applied", bulk: request.bulk, count: changes.length, left: asked - changes.length, tasks, counts: this.counts };
  }

  private applyBulk({ bulk, label, take, places }: BulkRequest): readonly Task[] {
    const before = new Map<string, Task>();
    for (const [id, start, end] of places) {
      const task = this.find(id);
      if (task.answer !== null) continue; // answered since it was listed
      if (!before.has(id)) before.set(id, task);
      const others = task.spans.filter((span) => span[1] <= start || end <= span[0]);
      const spans: readonly WireSpan[] = take === "label" ? [...others, [start, end, label]] : others;
      this.tasks.set(id, { ...task, spans: [...spans].sort((left, right) => left[0] - right[0]), draft: true });
    }
    const changed = [...before].map(([id, task]) => [task, this.find(id)] as const);
    this.beforeBulk.set(bulk, changed);
    return changed.map(([, now]) => now);
  }

  /** Take a change back where the example is still as the change left it. */
  private undoBulk(bulk: string): readonly Task[] {
    const changes = (this.beforeBulk.get(bulk) ?? []).filter(([, after]) => this.find(after.id) === after);
    changes.forEach(([before]) => this.tasks.set(before.id, before));
    this.beforeBulk.delete(bulk);
    return changes.map(([before]) => before);
  }
}

export const textOf = (task: Task): string => task.lead + task.tokens.map((token) => token.join("")).join("");

const joined = (task: Task, start: number, end?: number): string =>
  task.tokens.slice(start, end).map((token) => token.join("")).join("");

function excerptOf(task: Task, start: number, end: number): Pick<Occurrence, "left" | "hit" | "right"> {
  const hit = joined(task, start, end);
  return { left: joined(task, 0, start), hit: hit.trimEnd(), right: hit.slice(hit.trimEnd().length) + joined(task, end) };
}

const sureness = (task: Task): number =>
  Math.min(LEAST_SURE, ...task.spans.map((span) => span[3]?.score ?? LEAST_SURE));

function stored({ id, answer, spans, flagged, note, done }: Task): StoredAnswer {
  const answered = { example: id, answer, spans, flagged, note };
  return done === undefined ? answered : { ...answered, done };
}
