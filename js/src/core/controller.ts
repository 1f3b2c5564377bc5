/**
 * What a person does, and what is shown of it: one for each widget, shared by
 * all its views. It knows neither the page nor Jupyter, and runs in a test as
 * it runs in a cell.
 */
import { NOWHERE, type Cursor, type Ground } from "./cursor";
import { Deciding } from "./deciding";
import type { Command } from "./keys";
import { Ledger } from "./ledger";
import { Marking } from "./marking";
import type { Host, Off } from "./port";
import type { Counts, Setup } from "./protocol";
import { readSetup, readSnapshot } from "./reading";
import { isOpen, type Item } from "./queue";
import type { SaveState } from "./saving";
import { sameSpans, spanAt, suggestedInstead, type Span, type Spans, type Stretch } from "./spans";
import { Supply, type Stage } from "./supply";

export type Part =
  | "setup"
  | "example"
  | "spans"
  | "cursor"
  | "label"
  | "answer"
  | "progress"
  | "save"
  | "said";

export type Listener = (parts: ReadonlySet<Part>) => void;

/** Commands that only a view can carry out, for it alone knows lines and directions. */
export type ViewCommand = Extract<
  Command,
  { do: "filter" | "help" | "leave" | "sideways" | "line" | "line-edge" }
>;
export type CoreCommand = Exclude<Command, ViewCommand>;

export class Controller implements Stage {
  setup: Setup;
  shown: Item | null = null;
  /** What was said last to those who cannot see the page. */
  said = "";
  private readonly ledger: Ledger;
  private readonly supply: Supply;
  private readonly marker: Marking;
  private readonly decider: Deciding;
  private readonly listeners = new Set<Listener>();
  private readonly offs: Off[];
  private parts = new Set<Part>();
  private depth = 0;
  private shownSince = 0;
  private greeted = false;

  constructor(private readonly host: Host) {
    const { port } = host;
    this.setup = readSetup(port.get("_setup"));
    this.ledger = new Ledger(this.setup, host, (message, was) =>
      this.supply.courier.post(message, was),
    );
    this.supply = new Supply(this.ledger, this, host, readSnapshot(port.get("_snapshot")));
    this.marker = new Marking(this);
    this.decider = new Deciding(this.ledger, this.supply, this);
    this.marker.chooseAmong(this.setup.labels);
    this.offs = [
      port.onChange("_setup", () => this.batch(() => this.setUp())),
      port.onChange("_snapshot", () =>
        this.batch(() => this.supply.restart(readSnapshot(port.get("_snapshot")))),
      ),
    ];
    this.supply.courier.resend();
    this.batch(() => this.show(this.ledger.queue.openAfter(null)));
  }

  // What views look at.

  get counts(): Counts {
    return this.supply.counts;
  }

  get saving(): SaveState {
    return this.supply.courier.saving;
  }

  /** Why the kernel could not hand out examples; null where it could. */
  get problem(): string | null {
    return this.supply.problem;
  }

  get spans(): Spans {
    return this.marker.spans;
  }

  get cursor(): Cursor {
    return this.marker.cursor;
  }

  /** The label that a drag gives. */
  get active(): string | null {
    return this.marker.active;
  }

  /** The span that a label key would change. */
  get current(): Span | null {
    return this.marker.current;
  }

  get ground(): Ground {
    return this.marker.ground;
  }

  textOf(stretch: Stretch): string {
    return this.marker.textOf(stretch);
  }

  /** The span that the caret would go to next in a direction. */
  spanBeside(by: 1 | -1): Span | null {
    return this.marker.spanBeside(by);
  }

  get items(): readonly Item[] {
    return this.ledger.queue.all;
  }

  get canTakeBack(): boolean {
    return this.ledger.queue.lastDecided !== null;
  }

  canBrowse(by: 1 | -1): boolean {
    return this.decider.canBrowse(by);
  }

  /** Whether a span is as it was suggested, and neither touched nor accepted yet. */
  isSuggestion(span: Span): boolean {
    const item = this.shown;
    return item !== null && isOpen(item) && spanAt(item.suggestions, span.start) === span;
  }

  /** What had been suggested where a person has put something else; null if nothing was. */
  suggestedInstead(span: Span): Span | null {
    return suggestedInstead(this.shown?.suggestions ?? [], span);
  }

  /** Calls back after every change with what has changed; the returned function ends that. */
  subscribe(listener: Listener): Off {
    this.listeners.add(listener);
    this.greet();
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.offs.forEach((off) => off());
    this.supply.dispose();
    this.listeners.clear();
  }

  // What a person does.

  run(command: CoreCommand): void {
    this.batch(() => this.carryOut(command));
  }

  pick(label: string): void {
    this.batch(() => this.marker.pick(label));
  }

  /** Gives a stretch of tokens the active label, as a drag does. */
  label(stretch: Stretch): void {
    this.batch(() => this.marker.label(stretch));
  }

  removeSpan(span: Span): void {
    this.batch(() => this.marker.removeSpan(span));
  }

  moveTo(cursor: Cursor): void {
    this.batch(() => this.marker.moveTo(cursor));
  }

  step(by: 1 | -1, extend: boolean): void {
    this.batch(() => this.marker.step(by, extend));
  }

  // What those who do the work ask for.

  show(item: Item | null): void {
    this.countSeconds();
    this.shown = item;
    this.marker.cursor = NOWHERE;
    this.changed("example");
    this.supply.topUp();
  }

  /** An edit takes a decision back: that certified exactly the spans that were shown. */
  edit(after: Spans): void {
    const item = this.shown;
    if (item === null || sameSpans(item.state.spans, after)) return;
    this.countSeconds();
    this.ledger.record(item, { ...item.state, spans: after, answer: null });
    this.changed("spans");
    this.changed("answer");
    this.changed("progress");
  }

  say(words: string): void {
    this.said = words;
    this.changed("said");
  }

  changed(part: Part): void {
    this.parts.add(part);
    if (this.depth === 0) this.flush();
  }

  /** Does several things as one change, of which the views hear once. */
  batch(work: () => void): void {
    this.depth += 1;
    try {
      work();
    } finally {
      this.depth -= 1;
      if (this.depth === 0 && this.parts.size > 0) this.flush();
    }
  }

  // How it is done.

  private carryOut(command: CoreCommand): void {
    const { marker, decider } = this;
    switch (command.do) {
      case "decide":
        this.countSeconds();
        return decider.decide(command.answer);
      case "take-back":
        return decider.takeBack();
      case "undo":
        return decider.undo();
      case "redo":
        return decider.redo();
      case "save":
        return decider.save();
      case "flag":
        return decider.flag();
      case "browse":
        return decider.browse(command.by);
      case "remove":
        return marker.remove();
      case "label":
        return this.pickAt(command.index);
      case "label-active":
        return marker.labelActive();
      case "span":
        return marker.goToSpan(command.by);
      case "text-edge":
        return marker.goToEdge(command.side, command.extend);
    }
  }

  private pickAt(index: number): void {
    const label = this.setup.labels[index];
    if (label !== undefined) this.marker.pick(label);
  }

  private setUp(): void {
    this.setup = readSetup(this.host.port.get("_setup"));
    this.marker.chooseAmong(this.setup.labels);
    this.changed("setup");
  }

  /** Asks the kernel how things stand: the page may have been loaded long before this view. */
  private greet(): void {
    if (this.greeted) return;
    this.greeted = true;
    this.supply.courier.ask({ type: "hello" });
  }

  private countSeconds(): void {
    const now = this.host.clock.now();
    if (this.shown !== null) this.shown.seconds += Math.max(0, now - this.shownSince);
    this.shownSince = now;
  }

  private flush(): void {
    const { parts } = this;
    this.parts = new Set();
    this.listeners.forEach((listener) => listener(parts));
  }
}
