/** The panel that may cover the text: a list of examples or of occurrences, the labels, or what the model is sure of. */
import type { Environment } from "../../shared/environment";
import type { OccurrenceAction } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import { singleToken } from "../../shared/tokens";
import { BrowserStorage, storageKey } from "./browserStorage";
import type { BulkEditor } from "./bulkEditor";
import { ConfidentTexts } from "./confidentTexts";
import type { AnnotatorContext } from "./context";
import { selectedRange } from "./cursor";
import { ExampleList } from "./exampleList";
import { LabelEditor } from "./labelEditor";
import { Occurrences } from "./occurrences";
import type { PendingRequests } from "./transport";

type SidePanelContext = Pick<
  AnnotatorContext,
  "setup" | "shown" | "cursor" | "currentSpan" | "activeLabel" | "announce"
>;

export type PanelName = "list" | "occurrences" | "labels" | "confident";

export class SidePanel {
  private readonly state = reactive<{ open: PanelName | null }>({ open: null });
  readonly exampleList: ExampleList;
  readonly occurrences: Occurrences;
  readonly labelEditor: LabelEditor;
  readonly confidentTexts: ConfidentTexts;

  constructor(
    private readonly context: SidePanelContext,
    requests: PendingRequests,
    bulkEditor: BulkEditor,
    environment: Environment,
  ) {
    const { key, dataset, annotator } = context.setup;
    const prefix = `${storageKey([key, dataset, annotator])}:search:`;
    this.exampleList = new ExampleList(requests, new BrowserStorage(environment.storage, prefix));
    this.labelEditor = new LabelEditor(requests);
    this.confidentTexts = new ConfidentTexts(requests, environment);
    this.occurrences = new Occurrences(context, requests, bulkEditor);
  }

  /** Which of them is open. */
  get open(): PanelName | null {
    return this.state.open;
  }

  showList(): void {
    this.state.open = "list";
    this.exampleList.search(this.exampleList.state.query);
  }

  /** Search every occurrence of what is selected, or of the span under the caret. */
  showOccurrences(action: OccurrenceAction): void {
    const { cursor, currentSpan, activeLabel } = this.context;
    const { caret } = cursor;
    const range = currentSpan ?? selectedRange(cursor) ?? (caret === null ? null : singleToken(caret));
    const label = currentSpan?.label ?? activeLabel;
    if (range === null || label === null) return this.context.announce("Select the words first");
    if (this.occurrences.start(action, range, label)) this.state.open = "occurrences";
  }

  /** Show the label set, to be changed. */
  showLabels(): void {
    if (this.context.setup.relabels !== true) return this.context.announce("Labels cannot be changed here");
    this.state.open = "labels";
    this.labelEditor.load();
  }

  /** Show the texts whose every suggestion is probable, to be accepted as one act. */
  showConfident(): void {
    if (this.context.setup.confident !== true) return this.context.announce("No model suggests here");
    this.state.open = "confident";
    this.confidentTexts.open();
  }

  close(): void {
    this.confidentTexts.close();
    this.state.open = null;
  }
}
