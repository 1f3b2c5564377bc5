/**
 * What a person does, and what is shown of it: one for each widget, shared by
 * all its views. It knows neither the page nor Jupyter, and runs in a test as
 * it runs in a cell.
 */
import type { Environment, Unsubscribe } from "../../shared/environment";
import { parseSetup, parseSnapshot } from "../../shared/parseMessages";
import { PROTOCOL, type Counts, type NoticeMessage, type Setup, type Version } from "../../shared/protocol";
import type { TokenGrid, TokenRange } from "../../shared/tokens";
import { nextAlternative, unmarkedSuggestions } from "./alternatives";
import { AnswerStore, type UndoResult } from "./answerStore";
import { BulkEditor, NO_NOTICE } from "./bulkEditor";
import { ChangeNotifier, type ChangeTopic } from "./changeNotifier";
import { dispatch, type CommandContext, type CoreCommand } from "./commands";
import { NO_CURSOR, type Cursor } from "./cursor";
import { Decisions } from "./decisions";
import { ExampleLoader, type ExampleLoaderContext } from "./exampleLoader";
import { isOpen, type QueueItem } from "./exampleQueue";
import { KBest } from "./kBest";
import { PageStateSync } from "./pageStateSync";
import type { SaveStatus } from "./saveStatus";
import { SidePanel } from "./sidePanel";
import { SpanEditor } from "./spanEditor";
import { findReplacedSuggestion, fromWire, sameSpans, type Span, type Spans } from "./spans";
import { nextVersion } from "./versions";

export type { ChangeTopic as Part } from "./changeNotifier";

export type { CoreCommand, ViewCommand } from "./commands";

export class AnnotatorController extends ChangeNotifier implements ExampleLoaderContext {
  setup: Setup;
  shown: QueueItem | null = null;
  /** What was said last to those who cannot see the page. */
  announcement = "";
  /** What goes on in the kernel that a person should know of. */
  currentNotice: NoticeMessage = NO_NOTICE;
  readonly sidePanel: SidePanel;
  readonly kBest: KBest;
  private readonly answers: AnswerStore;
  private readonly loader: ExampleLoader;
  private readonly editor: SpanEditor;
  private readonly decisions: Decisions;
  private readonly bulkEditor: BulkEditor;
  private readonly pageStateSync: PageStateSync;
  private readonly offs: Unsubscribe[];
  private shownSince = 0;

  constructor(private readonly host: Environment) {
    super();
    const { connection: port } = host;
    this.setup = parseSetup(port.get("_setup"));
    this.answers = new AnswerStore(this.setup, host, (message, was) =>
      this.loader.transport.sendAnswer(message, was),
    );
    this.loader = new ExampleLoader(this.answers, this, host, parseSnapshot(port.get("_snapshot")));
    this.editor = new SpanEditor(this);
    this.bulkEditor = new BulkEditor(this.answers, this.loader, host, this);
    this.decisions = new Decisions(this.answers, this.loader, this);
    this.kBest = new KBest(this.answers, this.loader, this);
    this.pageStateSync = new PageStateSync(host, this, () => this.answers.outbox.entries.length > 0);
    this.sidePanel = new SidePanel(this.loader, host, this, this.bulkEditor);
    this.editor.ensureActiveLabel(this.setup.labels);
    this.offs = [
      port.onTraitChange("_setup", () => this.batch(() => this.reloadSetup())),
      port.onTraitChange("_snapshot", () =>
        this.batch(() => this.loader.rebuild(parseSnapshot(port.get("_snapshot")))),
      ),
    ];
    this.loader.transport.resendAll();
    this.batch(() => this.show(this.answers.queue.openAfter(null)));
  }

  // What views look at.

  get counts(): Counts {
    return this.loader.counts;
  }

  get saveStatus(): SaveStatus {
    const { saveStatus: saving } = this.loader.transport;
    const isBulk = saving.state === "saved" && this.loader.requests.isWaiting("bulk");
    return isBulk ? { state: "saving", word: "saving", why: "" } : saving;
  }

  /** Why the kernel could not hand out examples; null where it could. */
  get problem(): string | null {
    if (this.setup.protocol !== PROTOCOL) return VERSION_MISMATCH;
    return this.loader.problem;
  }

  get spans(): Spans {
    return this.editor.spans;
  }

  get cursor(): Cursor {
    return this.editor.cursor;
  }

  /** The label that a drag gives. */
  get activeLabel(): string | null {
    return this.editor.activeLabel;
  }

  /** The span that a label key would change. */
  get currentSpan(): Span | null {
    return this.editor.currentSpan;
  }

  get grid(): TokenGrid {
    return this.editor.grid;
  }

  textOf(stretch: TokenRange): string {
    return this.editor.textOf(stretch);
  }

  /** The span that the caret would go to next in a direction. */
  adjacentSpan(by: 1 | -1): Span | null {
    return this.editor.adjacentSpan(by);
  }

  get items(): readonly QueueItem[] {
    return this.answers.queue.all;
  }

  get canUndoDecision(): boolean {
    return this.answers.queue.lastDecided !== null;
  }

  canBrowse(by: 1 | -1): boolean {
    return this.decisions.canBrowse(by);
  }

  /** Whether a span is as it was suggested, and neither touched nor accepted yet. */
  isSuggestion(span: Span): boolean {
    const item = this.shown;
    return item !== null && isOpen(item) && this.kBest.isProposed(item, span);
  }

  /** What had been suggested where a person has put something else; null if nothing was. */
  replacedSuggestion(span: Span): Span | null {
    return findReplacedSuggestion(this.shown?.suggestions ?? [], span);
  }

  /** What was suggested too, and is not marked. */
  get alternatives(): Spans {
    return unmarkedSuggestions(this.shown);
  }

  /** Where the example stands in the list that it was chosen from; null if it was not. */
  get resultPosition(): { readonly at: number; readonly of: number } | null {
    return this.decisions.results.positionOf(this.shown?.id ?? null);
  }

  override dispose(): void {
    this.offs.forEach((off) => off());
    this.loader.dispose();
    this.pageStateSync.dispose();
    super.dispose();
  }

  // What a person does.

  run(command: CoreCommand): void {
    this.batch(() => dispatch(command, this.commandContext));
  }

  pickLabel(label: string): void {
    this.batch(() => this.editor.pickLabel(label));
  }

  /** Gives a stretch of tokens the active label, as a drag does. */
  labelRange(stretch: TokenRange): void {
    this.batch(() => this.editor.labelRange(stretch));
  }

  removeSpan(span: Span): void {
    this.batch(() => this.editor.removeSpan(span));
  }

  setCursor(cursor: Cursor): void {
    this.batch(() => this.editor.setCursor(cursor));
  }

  stepCaret(by: 1 | -1, extend: boolean): void {
    this.batch(() => this.editor.stepCaret(by, extend));
  }

  resizeSpan(edge: "start" | "end", by: 1 | -1): void {
    this.batch(() => this.editor.resize(edge, by));
  }

  setNote(note: string): void {
    this.batch(() => this.decisions.setNote(note));
  }

  takeSuggestion(span: Span): void {
    this.batch(() => this.editor.takeSuggestion(span));
  }

  /** Does something with the list or with every occurrence, of which the views hear once. */
  updatePanel(work: (panels: SidePanel) => void): void {
    this.batch(() => work(this.sidePanel));
  }

  /** Shows the example that is pointed at in the list. */
  openActiveRow(): void {
    const { activeRow: chosen, rows } = this.sidePanel.exampleList;
    if (chosen !== null) this.openResult(chosen.id, rows.map(({ id }) => id));
  }

  /** Shows an example of a list, from where one goes on along that list. */
  openResult(id: string, ids: readonly string[]): void {
    this.batch(() => {
      this.sidePanel.close();
      this.decisions.openResult(id, ids);
    });
  }

  /** Hides the suggestions that are less sure than this. */
  setThreshold(threshold: number): void {
    this.batch(() => this.kBest.setThreshold(threshold));
  }

  // What those who do the work ask for.

  showDetached(item: QueueItem): void {
    this.answers.sendDraft(this.shown);
    this.decisions.moveTo(item);
  }

  notify(notice: NoticeMessage): void {
    if (notice.text === this.currentNotice.text) return;
    this.currentNotice = notice;
    this.changed("notice");
    if (notice.text !== "") this.announce(notice.text);
  }

  sendBulk({ step }: UndoResult, undo: boolean): void {
    if (step.bulk !== undefined) this.bulkEditor.send(step.bulk, undo);
  }

  show(item: QueueItem | null): void {
    this.addViewingTime();
    this.shown = item;
    if (!this.currentNotice.stays) this.notify(NO_NOTICE);
    if (this.sidePanel.open === "everywhere") this.sidePanel.close();
    this.editor.cursor = NO_CURSOR;
    this.kBest.applyThreshold(item);
    this.changed("example");
    this.loader.fillWindow();
  }

  /** An edit takes a decision back: that certified exactly the spans that were shown. */
  edit(after: Spans): void {
    const item = this.shown;
    if (item === null || sameSpans(item.state.spans, after)) return;
    this.addViewingTime();
    const before = item.state.spans;
    this.answers.record(item, { ...item.state, spans: after, answer: null });
    this.kBest.redecode(item, before);
    this.changed("spans");
    this.changed("answer");
    this.changed("progress");
  }

  /** Takes what one annotator has said in place of what is shown, to decide on or to change. */
  takeVersion(version: Version | null): void {
    if (version === null) return;
    this.batch(() => {
      this.edit(fromWire(version.spans));
      this.announce(`As ${version.by} has it`);
    });
  }

  announce(words: string): void {
    this.announcement = words;
    this.changed("said");
  }

  // How it is done.

  private get commandContext(): CommandContext {
    const { editor: marker, decisions: decider, sidePanel: panels } = this;
    return {
      editor: marker,
      decisions: decider,
      sidePanel: panels,
      label: (index) => this.setup.labels[index] ?? null,
      pause: () => this.addViewingTime(),
      stepCandidate: (by) => this.kBest.step(by),
      takeAlternative: () => this.takeAlternative(),
      takeVersion: () => this.takeVersion(nextVersion(this.shown)),
    };
  }

  private takeAlternative(): void {
    const span = nextAlternative(this.shown, this.cursor, this.currentSpan);
    if (span === null) this.announce("Nothing else was suggested here");
    else this.editor.takeSuggestion(span);
  }

  /** The page may have been loaded long before this view. */
  protected override greet(): void {
    this.loader.transport.request({ type: "hello", protocol: PROTOCOL });
  }

  protected override passOn(parts: ReadonlySet<ChangeTopic>): void {
    const isNews = parts.has("example") || parts.has("spans") || parts.has("cursor");
    if (isNews || (parts.has("save") && this.pageStateSync.isDeferred)) this.pageStateSync.schedule();
    super.passOn(parts);
  }

  private reloadSetup(): void {
    this.setup = parseSetup(this.host.connection.get("_setup"));
    this.editor.ensureActiveLabel(this.setup.labels);
    this.changed("setup");
  }

  private addViewingTime(): void {
    const now = this.host.clock.now();
    if (this.shown !== null) this.shown.seconds += Math.max(0, now - this.shownSince);
    this.shownSince = now;
  }

}

const VERSION_MISMATCH =
  "This page and the kernel have different versions of nbner. Reload the page, and run the cell again.";
