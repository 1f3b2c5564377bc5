/** What may stand in the text's place for a while: the list of examples, or every occurrence. */
import type { Cursor } from "./cursor";
import { selectedRange } from "./cursor";
import { Occurrences, type OccurrencesContext, type BulkApplier } from "./occurrences";
import { ExampleList } from "./exampleList";
import type { Environment } from "../../shared/environment";
import type { Setup, OccurrenceAction } from "../../shared/protocol";
import { storageKey, BrowserStorage } from "./browserStorage";
import type { Span } from "./spans";
import type { ExampleLoader } from "./exampleLoader";

export interface SidePanelContext extends OccurrencesContext {
  readonly setup: Setup;
  readonly cursor: Cursor;
  readonly currentSpan: Span | null;
  readonly activeLabel: string | null;
  announce(words: string): void;
}

export class SidePanel {
  open: "list" | "everywhere" | null = null;
  readonly exampleList: ExampleList;
  readonly occurrences: Occurrences;

  constructor(
    supply: ExampleLoader,
    host: Environment,
    private readonly context: SidePanelContext,
    sweeper: BulkApplier,
  ) {
    const { key, dataset, annotator } = context.setup;
    const shelf = new BrowserStorage(host.storage, `${storageKey([key, dataset, annotator])}:search:`);
    this.exampleList = new ExampleList(supply.requests, shelf, () => context.changed("panel"));
    this.occurrences = new Occurrences(supply.requests, context, sweeper);
  }

  showList(): void {
    this.open = "list";
    this.exampleList.search(this.exampleList.query);
  }

  /** Looks for every occurrence of what is selected, or of the span under the caret. */
  showOccurrences(take: OccurrenceAction): void {
    const { cursor, currentSpan: current, activeLabel: active } = this.context;
    const { caret } = cursor;
    const stretch = current ?? selectedRange(cursor) ?? (caret === null ? null : { start: caret, end: caret + 1 });
    const label = current?.label ?? active;
    if (stretch === null || label === null) return this.context.announce("Select the words first");
    if (this.occurrences.start(take, stretch, label)) this.open = "everywhere";
    this.context.changed("panel");
  }

  close(): void {
    this.open = null;
    this.context.changed("panel");
  }
}
