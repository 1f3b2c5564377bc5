/** Fakes of the kernel, the clock and the browser's storage, under the control of a test. */
import { AnnotatorController } from "../src/annotator/model/controller";
import type { CoreCommand } from "../src/annotator/model/keyBindings";
import type { Environment, KernelConnection, KeyValueStorage } from "../src/shared/environment";
import {
  PROTOCOL,
  type Analysis,
  type Answer,
  type AnswerMessage,
  type KernelRequest,
  type Occurrence,
  type Setup,
  type Task,
  type WireSpan,
} from "../src/shared/protocol";

export class MemoryStorage implements KeyValueStorage {
  private readonly values = new Map<string, string>();

  get length(): number {
    return this.values.size;
  }

  key(index: number): string | null {
    return [...this.values.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.values.set(key, value);
  }

  removeItem(key: string): void {
    this.values.delete(key);
  }
}

export class FakeClock {
  private time = 1_000_000;
  private timers: { at: number; then: () => void }[] = [];

  now(): number {
    return this.time;
  }

  setTimer(milliseconds: number, then: () => void): () => void {
    const timer = { at: this.time + milliseconds, then };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }

  pass(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const [next] = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.timers = this.timers.filter((one) => one !== next);
      this.time = next.at;
      next.then();
    }
    this.time = end;
  }

  get waiting(): number {
    return this.timers.length;
  }
}

type Sent = { readonly type: string; readonly id: string } & Record<string, unknown>;
type ListRequest = Extract<KernelRequest, { type: "list" }>;
type Mood = "well" | "busy" | "deaf" | "full" | "refusing";

/** The kernel's side of the protocol, over examples in memory. */
export class FakeKernel {
  readonly received: Sent[] = [];
  readonly events: { id: string; example: string; answer: Answer; spans: readonly WireSpan[] }[] = [];
  /** Called with every message from the kernel; returning false loses it. */
  deliver: (message: object) => boolean = () => true;
  mood: Mood = "well";
  /** The occurrences in other examples. */
  places: Occurrence[] = [];
  /** The k best analyses of any example, under any constraints. */
  analyses: Analysis[] = [];
  private order: string[] = [];
  private queue: Sent[] = [];
  private atWork = false;
  private readonly pages = new Set<(raw: unknown) => void>();

  constructor(
    readonly tasks: Task[],
    readonly setup: Setup = SETUP,
  ) {
    this.order = tasks.filter(({ answer }) => answer !== null).map(({ id }) => id);
  }

  get counts() {
    const counts = { total: this.tasks.length, accept: 0, reject: 0, ignore: 0, open: 0 };
    this.tasks.forEach(({ answer }) => (counts[answer ?? "open"] += 1));
    return counts;
  }

  get snapshot() {
    const past = this.order.slice(-12).map((id) => this.find(id));
    return { window: this.upcoming(12, []), past, counts: this.counts };
  }

  find(id: string): Task {
    return this.tasks.find((task) => task.id === id) as Task;
  }

  /** Connect a page to this kernel. */
  connect(): FakeConnection {
    return new FakeConnection(this, this.pages);
  }

  take(message: Sent): void {
    this.received.push(structuredClone(message));
    // The page's state needs no reply.
    if (this.mood === "deaf" || message.type === "at") return;
    this.queue.push(message);
    this.work();
  }

  /** Run an action of a page before any reply is sent, as with a real kernel. */
  meanwhile(act: () => void): void {
    this.atWork = true;
    act();
    this.atWork = false;
    this.work();
  }

  private work(): void {
    if (this.atWork || this.mood === "busy") return;
    this.atWork = true;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      this.tell({ re: next.id, ...this.handle(next) });
    }
    this.atWork = false;
  }

  become(mood: Mood): void {
    this.mood = mood;
    if (mood === "deaf") this.queue = [];
    this.work();
  }

  tell(message: object): void {
    if (!this.deliver(message)) return;
    [...this.pages].forEach((page) => page(structuredClone(message)));
  }

  /** Store an answer from elsewhere, and send it to all pages. */
  answerElsewhere(example: string, answer: Answer, spans: WireSpan[] = []): void {
    const message = { id: `elsewhere ${this.events.length}`, example, answer, spans };
    this.store(message as unknown as AnswerMessage);
    this.tell(this.saved({ ...message, flagged: false } as unknown as AnswerMessage));
  }

  sent(type: string): Sent[] {
    return this.received.filter((message) => message.type === type);
  }

  private handle(message: Sent): object {
    const { counts } = this;
    switch (message.type) {
      case "answer":
        return this.answer(message as unknown as AnswerMessage & { have: string[] });
      case "fetch": {
        const tasks = this.upcoming(message.want as number, message.have as string[]);
        return { type: "tasks", tasks, counts };
      }
      case "past":
        return { type: "tasks", tasks: this.past(message), counts };
      case "find": {
        const wanted = message.examples as string[];
        return { type: "tasks", tasks: this.tasks.filter(({ id }) => wanted.includes(id)), counts };
      }
      case "list":
        return this.list(message as unknown as ListRequest);
      case "occurrences":
        return { type: "places", places: this.places, more: false };
      case "analyses":
        return { type: "analyses", example: message.example, analyses: this.analyses };
      case "bulk":
        return { type: "applied", bulk: message.bulk, count: 2, left: 0, tasks: [], counts };
      default:
        return { type: "snapshot", setup: this.setup, ...this.snapshot };
    }
  }

  private list({ filter, offset, want }: ListRequest): object {
    const textOf = ({ tokens }: Task): string => tokens.map(([word, gap]) => word + gap).join("");
    const found = this.tasks.filter(
      (task) =>
        (filter.answer !== "open" || task.answer === null) &&
        (filter.text === undefined || textOf(task).includes(filter.text)),
    );
    const rows = found.slice(offset, offset + want).map((task) => ({ ...task, left: textOf(task) }));
    return { type: "listed", rows, total: found.length };
  }

  private answer(message: AnswerMessage & { have: string[] }): object {
    if (this.mood === "full") return { type: "failed", message: "The disk is full", retry: true };
    if (this.mood === "refusing") return { type: "failed", message: "No such label", retry: false };
    if (!this.events.some(({ id }) => id === message.id)) this.store(message);
    return { ...this.saved(message), next: this.upcoming(12 - message.have.length, message.have) };
  }

  private store({ id, example, answer, spans, flagged, note }: AnswerMessage): void {
    this.events.push({ id, example, answer, spans });
    Object.assign(this.find(example), { answer, spans, flagged, note: note ?? "", suggested: false });
    this.order = this.order.filter((one) => one !== example);
    if (answer !== null) this.order.push(example);
  }

  private saved({ example, answer, spans, flagged, note }: AnswerMessage) {
    return { type: "saved", example, answer, spans, flagged, note, counts: this.counts, next: [] };
  }

  private upcoming(limit: number, have: readonly string[]): Task[] {
    const open = this.tasks.filter(({ id, answer }) => answer === null && !have.includes(id));
    return open.slice(0, Math.max(0, limit));
  }

  private past({ before, want }: Sent): Task[] {
    const end = typeof before === "string" ? this.order.indexOf(before) : this.order.length;
    const ids = this.order.slice(Math.max(0, end - (want as number)), end);
    return ids.reverse().map((id) => this.find(id));
  }
}

export class FakeConnection implements KernelConnection {
  private alive = true;
  private readonly connections = new Set<() => void>();

  constructor(
    private readonly kernel: FakeKernel,
    private readonly pages: Set<(raw: unknown) => void>,
  ) {}

  send(message: object): void {
    this.kernel.take(message as Sent);
  }

  onMessage(listener: (raw: unknown) => void) {
    this.pages.add(listener);
    return () => this.pages.delete(listener);
  }

  get(trait: string): unknown {
    return structuredClone(trait === "_setup" ? this.kernel.setup : this.kernel.snapshot);
  }

  onTraitChange() {
    return () => undefined;
  }

  isConnected(): boolean {
    return this.alive;
  }

  onConnectionChange(listener: () => void) {
    this.connections.add(listener);
    return () => this.connections.delete(listener);
  }

  private readonly wakings = new Set<() => void>();

  onWake(listener: () => void) {
    this.wakings.add(listener);
    return () => this.wakings.delete(listener);
  }

  wake(): void {
    this.wakings.forEach((listener) => listener());
  }

  set live(alive: boolean) {
    this.alive = alive;
    this.connections.forEach((listener) => listener());
  }
}

export const SETUP: Setup = {
  key: "store",
  version: "0",
  dataset: "news",
  split: "train",
  mode: "manual",
  annotator: "ann",
  labels: ["ORG", "PERSON", "GPE"],
  colors: {},
  protocol: PROTOCOL,
  advises: false,
  redecodes: false,
  mends: false,
};

export function taskOf(id: string, text = "Uber left the city", more: Partial<Task> = {}): Task {
  const words = text.split(" ");
  return {
    id,
    lead: "",
    tokens: words.map((word, i) => [word, i < words.length - 1 ? " " : ""]),
    spans: [],
    also: [],
    loose: [],
    answer: null,
    flagged: false,
    note: "",
    meta: {},
    suggested: false,
    draft: false,
    by: "",
    ...more,
  };
}

export const tasksOf = (count: number): Task[] =>
  Array.from({ length: count }, (_, i) => taskOf(String(i)));

/** A page connected to a kernel, as after a cell has been run. */
export class Page {
  readonly connection: FakeConnection;
  readonly controller: AnnotatorController;

  constructor(
    readonly kernel: FakeKernel,
    readonly storage: KeyValueStorage | null = new MemoryStorage(),
    readonly clock = new FakeClock(),
  ) {
    this.connection = kernel.connect();
    const environment: Environment = { connection: this.connection, clock, storage, newId: () => `id ${(serial += 1)}` };
    this.controller = new AnnotatorController(environment);
    this.controller.refreshOnce();
  }

  /** Reload the page. */
  reload(): Page {
    this.controller.dispose();
    return new Page(this.kernel, this.storage, this.clock);
  }

  run(...commands: (CoreCommand | CoreCommand["do"])[]): void {
    for (const one of commands) {
      const command = typeof one === "string" ? ({ do: one } as CoreCommand) : one;
      this.kernel.meanwhile(() => this.controller.run(command));
    }
  }

  accept(times = 1): void {
    for (let i = 0; i < times; i += 1) this.run({ do: "decide", answer: "accept" });
  }

  get shown(): string | null {
    return this.controller.shown?.id ?? null;
  }

  get spans(): [number, number, string][] {
    return this.controller.spans.map(({ start, end, label }) => [start, end, label]);
  }

  get saving(): string {
    return this.controller.saveStatus.state;
  }
}

let serial = 0;
