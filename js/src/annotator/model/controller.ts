/**
 * The annotator without its views: one controller for a widget, shared by all
 * its views. It uses neither the page nor Jupyter, and runs in tests as it does
 * in a cell.
 *
 * All its state is reactive: what an effect reads here, it is told of. Methods
 * for views change state as one batch, after which effects run once.
 */
import type { Environment, Unsubscribe } from "../../shared/environment";
import { parseSetup, parseSnapshot } from "../../shared/parseMessages";
import {
  PROTOCOL,
  type BulkEdit,
  type Counts,
  type DailyTarget,
  type KernelMessage,
  type LearningCommand,
  type LearningMessage,
  type NoticeMessage,
  type Setup,
  type Version,
} from "../../shared/protocol";
import { batch, computed, reactive } from "../../shared/reactive";
import type { TokenGrid, TokenRange } from "../../shared/tokens";
import { hasOneSource, nextAlternative, nextVersion, unmarkedSuggestions, versionsOf } from "./alternatives";
import { AnswerStore } from "./answerStore";
import { BulkEditor } from "./bulkEditor";
import { NO_NOTICE, type AnnotatorContext } from "./context";
import { selectionOf, type Cursor } from "./cursor";
import { Decisions } from "./decisions";
import { adjacentDifference, differenceAt, withVersionAt } from "./differences";
import { Guideline } from "./guideline";
import { ExampleLoader } from "./exampleLoader";
import { isOpen, type QueueItem } from "./exampleQueue";
import { KBest } from "./kBest";
import type { CoreCommand } from "./keyBindings";
import { KeyMap } from "./keyMap";
import { PageStateSync } from "./pageStateSync";
import { markDone, resumeAt } from "./partialWork";
import type { SaveStatus } from "./saveStatus";
import { SidePanel } from "./sidePanel";
import { SpanEditor } from "./spanEditor";
import { ViewSettings } from "./viewSettings";
import { findReplacedSuggestion, fromWire, sameSpans, type Span, type Spans } from "./spans";

interface ControllerState {
  setup: Setup;
  shown: QueueItem | null;
  announcement: string;
  currentNotice: NoticeMessage;
  learning: LearningMessage | null;
}

export class AnnotatorController implements AnnotatorContext {
  readonly sidePanel: SidePanel;
  readonly guideline: Guideline;
  readonly kBest: KBest;
  readonly viewSettings: ViewSettings;
  private readonly answers: AnswerStore;
  private readonly loader: ExampleLoader;
  private readonly editor: SpanEditor;
  private readonly decisions: Decisions;
  private readonly bulkEditor: BulkEditor;
  private readonly pageStateSync: PageStateSync;
  private readonly unsubscribers: Unsubscribe[];
  private readonly state: ControllerState;
  private readonly keys = computed(() => new KeyMap(this.setup));
  private readonly isShownOpen = computed(() => this.shown !== null && isOpen(this.shown));
  private isFresh = false;
  private shownSince = 0;
  private stopDay: Unsubscribe | null = null;

  constructor(private readonly environment: Environment) {
    const { connection } = environment;
    const setup = parseSetup(connection.get("_setup"));
    this.state = reactive<ControllerState>({ setup, shown: null, announcement: "", currentNotice: NO_NOTICE, learning: null });
    this.answers = new AnswerStore(setup, environment, (message, was) =>
      this.loader.transport.sendAnswer({ ...message, ...this.guideline.version }, was),
    );
    const snapshot = parseSnapshot(connection.get("_snapshot"));
    this.loader = new ExampleLoader(this, this.answers, environment, snapshot);
    this.editor = new SpanEditor(this);
    this.viewSettings = new ViewSettings(environment.storage);
    this.bulkEditor = new BulkEditor(this, this.answers, this.loader, environment);
    this.decisions = new Decisions(this, this.answers, this.loader);
    this.kBest = new KBest(this, this.answers, this.loader);
    this.sidePanel = new SidePanel(this, this.loader.requests, this.bulkEditor, environment);
    this.guideline = new Guideline(this, this.loader.requests, environment);
    this.editor.ensureActiveLabel(setup.labels);
    this.unsubscribers = [
      connection.onTraitChange("_setup", () => batch(() => this.reloadSetup())),
      connection.onTraitChange("_snapshot", () =>
        batch(() => this.loader.rebuild(parseSnapshot(connection.get("_snapshot")))),
      ),
    ];
    this.loader.transport.resendAll();
    batch(() => this.show(this.answers.queue.openAfter(null)));
    const isBusy = (): boolean => this.answers.outbox.entries.length > 0;
    this.pageStateSync = new PageStateSync(this, environment, isBusy, () => this.loader.turn);
  }

  /** Fetch the kernel's current state before the first view: the page may have been loaded long ago. */
  refreshOnce(): void {
    if (this.isFresh) return;
    this.isFresh = true;
    this.sayHello();
    this.guideline.prefetch();
    if (this.target !== null) this.sayHelloAtMidnight();
  }

  private sayHello(): void {
    this.loader.transport.request({
      type: "hello",
      protocol: PROTOCOL,
      zone: new Date(this.environment.clock.now()).getTimezoneOffset(),
      ...(this.environment.isLoaded?.() === true && { loaded: true }),
    });
  }

  /** With a new day the count towards the target starts again. */
  private sayHelloAtMidnight(): void {
    const { clock } = this.environment;
    const now = clock.now();
    const midnight = new Date(now).setHours(24, 0, 0, 0);
    this.stopDay = clock.setTimer(midnight - now + 1, () => {
      this.sayHello();
      this.sayHelloAtMidnight();
    });
  }

  dispose(): void {
    this.unsubscribers.forEach((unsubscribe) => unsubscribe());
    this.stopDay?.();
    this.loader.dispose();
    this.pageStateSync.dispose();
  }

  // What views read.

  get setup(): Setup {
    return this.state.setup;
  }

  /** The keys, with those that the user has chosen. */
  get keyMap(): KeyMap {
    return this.keys.value;
  }

  get shown(): QueueItem | null {
    return this.state.shown;
  }

  /** The text that screen readers read out. */
  get announcement(): string {
    return this.state.announcement;
  }

  /** The notice shown below the text; empty where there is none. */
  get currentNotice(): NoticeMessage {
    return this.state.currentNotice;
  }

  /** What is said of the training behind the widget; null where nothing is trained. */
  get learning(): LearningMessage | null {
    return this.state.learning;
  }

  get counts(): Counts {
    return this.loader.counts;
  }

  /** The target for today; null where there is none. */
  get target(): DailyTarget | null {
    return this.loader.target ?? this.setup.target ?? null;
  }

  get saveStatus(): SaveStatus {
    const { saveStatus } = this.loader.transport;
    const isBulkSaving = saveStatus.state === "saved" && this.loader.requests.isWaiting("bulk");
    return isBulkSaving ? { state: "saving", word: "saving", why: "" } : saveStatus;
  }

  /** Why the kernel could not send examples; null where it could. */
  get problem(): string | null {
    return this.setup.protocol === PROTOCOL ? this.loader.problem : VERSION_MISMATCH;
  }

  /** The answers that the kernel has refused for good, each with its reason, and JSON to copy. */
  get refusedAnswers(): readonly string[] {
    return this.answers.outbox.refused.map(({ message, refused = "" }) => {
      const tokens = this.answers.queue.get(message.example)?.task.tokens;
      const text = tokens?.map(([word, space]) => word + space).join("");
      return `${refused}\n${JSON.stringify({ ...(text === undefined ? {} : { text }), ...message })}`;
    });
  }

  discardRefused(): void {
    this.answers.outbox.discardRefused();
  }

  get spans(): Spans {
    return this.editor.spans;
  }

  get cursor(): Cursor {
    return this.editor.cursor;
  }

  get activeLabel(): string | null {
    return this.editor.activeLabel;
  }

  get currentSpan(): Span | null {
    return this.editor.currentSpan;
  }

  get grid(): TokenGrid {
    return this.editor.grid;
  }

  textOf(range: TokenRange): string {
    return this.editor.textOf(range);
  }

  /** Return the next span from the caret in a direction. */
  adjacentSpan(by: 1 | -1): Span | null {
    return this.editor.adjacentSpan(by);
  }

  get items(): readonly QueueItem[] {
    return this.answers.queue.all;
  }

  get canRetractDecision(): boolean {
    return this.answers.queue.lastDecided !== null;
  }

  canBrowse(by: 1 | -1): boolean {
    return this.decisions.canBrowse(by);
  }

  /** Return whether a span is as the model has proposed it, and not accepted yet. */
  isSuggestion(span: Span): boolean {
    return this.isShownOpen.value && this.shown !== null && this.kBest.isProposed(this.shown, span);
  }

  /** Return the suggestion that the user has replaced by a span; null if there was none. */
  replacedSuggestion(span: Span): Span | null {
    return findReplacedSuggestion(this.shown?.suggestions ?? [], span);
  }

  /** Whether all suggestions of the example shown, and all that is on offer, are of one source. */
  get hasOneSource(): boolean {
    return hasOneSource(this.shown);
  }

  /** What is on offer and not marked: suggestions that lost to others, and what else the model holds possible. */
  get alternatives(): Spans {
    return unmarkedSuggestions(this.shown);
  }

  /** The example's position in the list it was opened from; null if it was not. */
  get resultPosition(): { readonly at: number; readonly of: number } | null {
    return this.decisions.results.positionOf(this.shown?.id ?? null);
  }

  // What views do.

  run(command: CoreCommand): void {
    batch(() => this.dispatch(command));
  }

  pickLabel(label: string): void {
    batch(() => this.editor.pickLabel(label));
  }

  /** Assign the active label to a range, as a drag does. */
  labelRange(range: TokenRange): void {
    batch(() => this.editor.labelRange(range));
  }

  removeSpan(span: Span): void {
    batch(() => this.editor.removeSpan(span));
  }

  setCursor(cursor: Cursor): void {
    batch(() => this.editor.setCursor(cursor));
  }

  stepCaret(by: 1 | -1, extend: boolean): void {
    batch(() => this.editor.stepCaret(by, extend));
  }

  resizeSpan(edge: "start" | "end", by: 1 | -1): void {
    batch(() => this.editor.resize(edge, by));
  }

  setNote(note: string): void {
    batch(() => this.decisions.setNote(note));
  }

  takeSuggestion(span: Span): void {
    batch(() => this.editor.takeSuggestion(span));
  }

  /** Take over a version or an analysis as a whole, to accept or to change it. */
  takeVersion(version: Version): void {
    batch(() => {
      // The model does not decode again around what was chosen as a whole.
      this.edit(fromWire(version.spans), false);
      this.announce(`As ${version.by} has it`);
    });
  }

  /** Stop the training behind the widget, start it again, or change the model that suggests. */
  runLearning(command: LearningCommand): void {
    const show = (reply: KernelMessage): void => {
      if (reply.type === "learning") this.showLearning(reply);
      else if (reply.type === "failed") this.notify({ ...NO_NOTICE, text: reply.message });
    };
    batch(() => this.loader.requests.replace({ type: "learning", do: command }, show));
  }

  setThreshold(threshold: number): void {
    batch(() => this.kBest.setThreshold(threshold));
  }

  /** Show the guideline beside the text, or hide it. */
  toggleGuideline(): void {
    batch(() => this.guideline.toggle());
  }

  updatePanel(update: (sidePanel: SidePanel) => void): void {
    batch(() => update(this.sidePanel));
  }

  /** Show the example of the active row of the list. */
  openActiveRow(): void {
    const { activeRow, state } = this.sidePanel.exampleList;
    if (activeRow !== null) this.openResult(activeRow.id, state.rows.map(({ id }) => id));
  }

  /** Show an example of a list; next and back then follow the list's rows. */
  openResult(id: string, ids: readonly string[]): void {
    batch(() => {
      this.sidePanel.close();
      this.decisions.openResult(id, ids);
    });
  }

  // What the parts of the model ask for: see `AnnotatorContext`.

  show(item: QueueItem | null): void {
    this.addViewingTime();
    this.state.shown = item;
    if (item !== null) item.wasShown = true;
    if (!this.currentNotice.stays) this.notify(NO_NOTICE);
    if (this.sidePanel.open === "occurrences") this.sidePanel.close();
    this.editor.resetCursor();
    const resumed = item === null ? null : resumeAt(item);
    if (resumed !== null) this.editor.setCursor(resumed);
    this.kBest.applyThreshold(item);
    this.loader.fillWindow();
  }

  showDetached(item: QueueItem): void {
    this.answers.sendDraft(this.shown);
    this.decisions.moveTo(item);
  }

  /** An edit reverts a decision: that certified exactly the spans that were shown. */
  edit(spans: Spans, redecodes = true): void {
    const item = this.shown;
    if (item === null || sameSpans(item.state.spans, spans)) return;
    this.addViewingTime();
    const before = item.state.spans;
    this.answers.record(item, { ...item.state, spans, answer: null });
    if (redecodes) this.kBest.redecode(item, before);
    else this.kBest.recordRemoved(item, before);
  }

  sendBulk(edit: BulkEdit, undo: boolean): void {
    this.bulkEditor.send(edit, undo);
  }

  announce(text: string): void {
    this.state.announcement = text;
  }

  notify(notice: NoticeMessage): void {
    if (notice.text === this.currentNotice.text) return;
    this.state.currentNotice = notice;
    if (notice.text !== "") this.announce(notice.text);
  }

  showLearning(learning: LearningMessage): void {
    this.state.learning = learning;
  }

  private dispatch(command: CoreCommand): void {
    const { decisions, editor, sidePanel } = this;
    switch (command.do) {
      case "decide":
        this.addViewingTime();
        return decisions.decide(command.answer);
      case "take-back":
        return decisions.retractDecision();
      case "undo":
        return decisions.undo();
      case "redo":
        return decisions.redo();
      case "save":
        return decisions.save();
      case "flag":
        return decisions.toggleFlag();
      case "first-open":
        return decisions.showFirstOpen();
      case "browse":
        return decisions.browse(command.by);
      case "edit-labels":
        return sidePanel.showLabels();
      case "list":
        return sidePanel.showList();
      case "confident":
        // What is being edited is somebody's work, which no bulk act may replace.
        this.answers.sendDrafts();
        return sidePanel.showConfident();
      case "occurrences":
        return sidePanel.showOccurrences(command.action);
      case "candidate":
        return this.kBest.step(command.by);
      case "alternative":
        return this.takeNextAlternative();
      case "version":
        return this.takeNextVersion();
      case "difference":
        return this.goToDifference(command.by);
      case "version-at":
        if (!this.takeVersionAt(command.index) && command.otherwise !== null) this.dispatch(command.otherwise);
        return;
      case "label":
        return this.pickLabelAt(command.index);
      case "label-active":
        return editor.labelSelection();
      case "remove":
        return editor.removeSelected();
      case "unsure":
        return editor.goToUnsure();
      case "done":
        return this.announce(markDone(this, this.answers));
      case "scale":
        return this.announce(this.viewSettings.changeScale(command.by));
      case "width":
        return this.announce(this.viewSettings.toggleWidth());
      case "span":
        return editor.goToSpan(command.by);
      case "text-edge":
        return editor.goToTextEdge(command.side, command.extend);
    }
  }

  private pickLabelAt(index: number): void {
    const label = this.setup.labels[index];
    if (label !== undefined) this.editor.pickLabel(label);
  }

  private takeNextAlternative(): void {
    const span = nextAlternative(this.shown, this.cursor, this.currentSpan);
    if (span === null) this.announce("Nothing else was suggested here");
    else this.editor.takeSuggestion(span);
  }

  private takeNextVersion(): void {
    const version = nextVersion(this.shown);
    if (version !== null) this.takeVersion(version);
  }

  /** Take a version over where the versions differ at the caret; without a caret, all of it. */
  private takeVersionAt(index: number): boolean {
    const versions = versionsOf(this.shown);
    const version = versions[index];
    const place = differenceAt(versions, this.cursor);
    if (version === undefined || versions.length < 2 || (place === null && this.cursor.caret !== null)) return false;
    if (place === null) this.takeVersion(version);
    else
      batch(() => {
        this.edit(withVersionAt(this.spans, version, place));
        this.announce(`Here as ${version.by} has it`);
      });
    return true;
  }

  private goToDifference(by: 1 | -1): void {
    const place = adjacentDifference(versionsOf(this.shown), this.cursor, by);
    if (place === null) this.announce("No versions differ here");
    else this.editor.setCursor(selectionOf(place));
  }

  private reloadSetup(): void {
    this.state.setup = parseSetup(this.environment.connection.get("_setup"));
    this.editor.ensureActiveLabel(this.setup.labels);
    this.guideline.refresh();
  }

  private addViewingTime(): void {
    const now = this.environment.clock.now();
    if (this.shown !== null) this.shown.viewingTime += Math.max(0, now - this.shownSince);
    this.shownSince = now;
  }
}

const VERSION_MISMATCH =
  "This page and the kernel have different versions of nbner. Reload the page, and run the cell again.";
