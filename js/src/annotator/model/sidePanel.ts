/** The panel that may cover the text: the list of examples, or every occurrence of some words. */
import type { Environment } from "../../shared/environment";
import type { OccurrenceAction } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import { singleToken } from "../../shared/tokens";
import { BrowserStorage, storageKey } from "./browserStorage";
import type { BulkEditor } from "./bulkEditor";
import type { AnnotatorContext } from "./context";
import { selectedRange } from "./cursor";
import { ExampleList } from "./exampleList";
import { Occurrences } from "./occurrences";
import type { PendingRequests } from "./transport";

type SidePanelContext = Pick<
  AnnotatorContext,
  "setup" | "shown" | "cursor" | "currentSpan" | "activeLabel" | "announce"
>;

export class SidePanel {
  private readonly state = reactive<{ open: "list" | "occurrences" | null }>({ open: null });
  readonly exampleList: ExampleList;
  readonly occurrences: Occurrences;

  constructor(
    private readonly context: SidePanelContext,
    requests: PendingRequests,
    bulkEditor: BulkEditor,
    environment: Environment,
  ) {
    const { key, dataset, annotator } = context.setup;
    const prefix = `${storageKey([key, dataset, annotator])}:search:`;
    this.exampleList = new ExampleList(requests, new BrowserStorage(environment.storage, prefix));
    this.occurrences = new Occurrences(context, requests, bulkEditor);
  }

  /** Which of the two is open. */
  get open(): "list" | "occurrences" | null {
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

  close(): void {
    this.state.open = null;
  }
}
