/**
 * What a person does, and what is shown of it: one for each widget, shared by
 * all its views. It knows neither the page nor Jupyter, and runs in a test as
 * it runs in a cell.
 */
import { Advice } from "./kBest";
import { carryOut, type CoreCommand, type Hands } from "./commands";
import { NOWHERE, type Cursor, type Ground } from "./cursor";
import { Deciding } from "./decisions";
import { Hub, type Part } from "./changeNotifier";
import { Ledger, type Turn } from "./answerStore";
import { Marking } from "./spanEditor";
import { Panels } from "./sidePanel";
import type { Host, Off } from "../../shared/environment";
import { PROTOCOL, type Counts, type Notice, type Setup, type Version } from "../../shared/protocol";
import { readSetup, readSnapshot } from "../../shared/parseMessages";
import { isOpen, type Item } from "./exampleQueue";
import type { SaveState } from "./saveStatus";
import { fromWire, sameSpans, suggestedInstead, type Span, type Spans, type Stretch } from "./spans";
import { nextOther, others } from "./alternatives";
import { Supply, type Stage } from "./exampleLoader";
import { nextVersion } from "./versions";
import { QUIET, Sweeping } from "./bulkEditor";
import { Telling } from "./pageStateSync";

export type { Part } from "./changeNotifier";

export type { CoreCommand, ViewCommand } from "./commands";

export class Controller extends Hub implements Stage {
  setup: Setup;
  shown: Item | null = null;
  /** What was said last to those who cannot see the page. */
  said = "";
  /** What goes on in the kernel that a person should know of. */
  news: Notice = QUIET;
  readonly panels: Panels;
  readonly advice: Advice;
  private readonly ledger: Ledger;
  private readonly supply: Supply;
  private readonly marker: Marking;
  private readonly decider: Deciding;
  private readonly sweeper: Sweeping;
  private readonly telling: Telling;
  private readonly offs: Off[];
  private shownSince = 0;

  constructor(private readonly host: Host) {
    super();
    const { port } = host;
    this.setup = readSetup(port.get("_setup"));
    this.ledger = new Ledger(this.setup, host, (message, was) =>
      this.supply.courier.post(message, was),
    );
    this.supply = new Supply(this.ledger, this, host, readSnapshot(port.get("_snapshot")));
    this.marker = new Marking(this);
    this.sweeper = new Sweeping(this.ledger, this.supply, host, this);
    this.decider = new Deciding(this.ledger, this.supply, this);
    this.advice = new Advice(this.ledger, this.supply, this);
    this.telling = new Telling(host, this, () => this.ledger.outbox.all.length > 0);
    this.panels = new Panels(this.supply, host, this, this.sweeper);
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
    const { saving } = this.supply.courier;
    const isBulk = saving.state === "saved" && this.supply.questions.isWaiting("bulk");
    return isBulk ? { state: "saving", word: "saving", why: "" } : saving;
  }

  /** Why the kernel could not hand out examples; null where it could. */
  get problem(): string | null {
    if (this.setup.protocol !== PROTOCOL) return STRANGE;
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
    return item !== null && isOpen(item) && this.advice.isProposed(item, span);
  }

  /** What had been suggested where a person has put something else; null if nothing was. */
  suggestedInstead(span: Span): Span | null {
    return suggestedInstead(this.shown?.suggestions ?? [], span);
  }

  /** What was suggested too, and is not marked. */
  get others(): Spans {
    return others(this.shown);
  }

  /** Where the example stands in the list that it was chosen from; null if it was not. */
  get tourPlace(): { readonly at: number; readonly of: number } | null {
    return this.decider.tour.placeOf(this.shown?.id ?? null);
  }

  override dispose(): void {
    this.offs.forEach((off) => off());
    this.supply.dispose();
    this.telling.dispose();
    super.dispose();
  }

  // What a person does.

  run(command: CoreCommand): void {
    this.batch(() => carryOut(command, this.hands));
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

  resize(edge: "start" | "end", by: 1 | -1): void {
    this.batch(() => this.marker.resize(edge, by));
  }

  note(note: string): void {
    this.batch(() => this.decider.note(note));
  }

  takeSuggestion(span: Span): void {
    this.batch(() => this.marker.takeSuggestion(span));
  }

  /** Does something with the list or with every occurrence, of which the views hear once. */
  atPanel(work: (panels: Panels) => void): void {
    this.batch(() => work(this.panels));
  }

  /** Shows the example that is pointed at in the list. */
  choose(): void {
    const { chosen, rows } = this.panels.listing;
    if (chosen !== null) this.open(chosen.id, rows.map(({ id }) => id));
  }

  /** Shows an example of a list, from where one goes on along that list. */
  open(id: string, ids: readonly string[]): void {
    this.batch(() => {
      this.panels.close();
      this.decider.choose(id, ids);
    });
  }

  /** Hides the suggestions that are less sure than this. */
  setThreshold(threshold: number): void {
    this.batch(() => this.advice.setThreshold(threshold));
  }

  // What those who do the work ask for.

  visit(item: Item): void {
    this.ledger.sendDraft(this.shown);
    this.decider.comeTo(item);
  }

  notice(notice: Notice): void {
    if (notice.text === this.news.text) return;
    this.news = notice;
    this.changed("notice");
    if (notice.text !== "") this.say(notice.text);
  }

  sendBulk({ step }: Turn, undo: boolean): void {
    if (step.bulk !== undefined) this.sweeper.send(step.bulk, undo);
  }

  show(item: Item | null): void {
    this.countSeconds();
    this.shown = item;
    if (!this.news.stays) this.notice(QUIET);
    if (this.panels.open === "everywhere") this.panels.close();
    this.marker.cursor = NOWHERE;
    this.advice.sift(item);
    this.changed("example");
    this.supply.topUp();
  }

  /** An edit takes a decision back: that certified exactly the spans that were shown. */
  edit(after: Spans): void {
    const item = this.shown;
    if (item === null || sameSpans(item.state.spans, after)) return;
    this.countSeconds();
    const before = item.state.spans;
    this.ledger.record(item, { ...item.state, spans: after, answer: null });
    this.advice.correct(item, before);
    this.changed("spans");
    this.changed("answer");
    this.changed("progress");
  }

  /** Takes what one annotator has said in place of what is shown, to decide on or to change. */
  takeVersion(version: Version | null): void {
    if (version === null) return;
    this.batch(() => {
      this.edit(fromWire(version.spans));
      this.say(`As ${version.by} has it`);
    });
  }

  say(words: string): void {
    this.said = words;
    this.changed("said");
  }

  // How it is done.

  private get hands(): Hands {
    const { marker, decider, panels } = this;
    return {
      marker,
      decider,
      panels,
      label: (index) => this.setup.labels[index] ?? null,
      pause: () => this.countSeconds(),
      leaf: (by) => this.advice.leaf(by),
      takeOther: () => this.takeOther(),
      takeVersion: () => this.takeVersion(nextVersion(this.shown)),
    };
  }

  private takeOther(): void {
    const span = nextOther(this.shown, this.cursor, this.current);
    if (span === null) this.say("Nothing else was suggested here");
    else this.marker.takeSuggestion(span);
  }

  /** The page may have been loaded long before this view. */
  protected override greet(): void {
    this.supply.courier.ask({ type: "hello", protocol: PROTOCOL });
  }

  protected override passOn(parts: ReadonlySet<Part>): void {
    const isNews = parts.has("example") || parts.has("spans") || parts.has("cursor");
    if (isNews || (parts.has("save") && this.telling.isPutOff)) this.telling.later();
    super.passOn(parts);
  }

  private setUp(): void {
    this.setup = readSetup(this.host.port.get("_setup"));
    this.marker.chooseAmong(this.setup.labels);
    this.changed("setup");
  }

  private countSeconds(): void {
    const now = this.host.clock.now();
    if (this.shown !== null) this.shown.seconds += Math.max(0, now - this.shownSince);
    this.shownSince = now;
  }

}

const STRANGE =
  "This page and the kernel have different versions of nbner. Reload the page, and run the cell again.";
