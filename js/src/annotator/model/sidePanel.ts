/** What may stand in the text's place for a while: the list of examples, or every occurrence. */
import type { Cursor } from "./cursor";
import { selected } from "./cursor";
import { Everywhere, type Ground, type Sweeper } from "./occurrences";
import { Listing } from "./exampleList";
import type { Host } from "../../shared/environment";
import type { Setup, Take } from "../../shared/protocol";
import { corner, Shelf } from "./browserStorage";
import type { Span } from "./spans";
import type { Supply } from "./exampleLoader";

export interface Wall extends Ground {
  readonly setup: Setup;
  readonly cursor: Cursor;
  readonly current: Span | null;
  readonly active: string | null;
  say(words: string): void;
}

export class Panels {
  open: "list" | "everywhere" | null = null;
  readonly listing: Listing;
  readonly everywhere: Everywhere;

  constructor(
    supply: Supply,
    host: Host,
    private readonly wall: Wall,
    sweeper: Sweeper,
  ) {
    const { key, dataset, annotator } = wall.setup;
    const shelf = new Shelf(host.storage, `${corner([key, dataset, annotator])}:search:`);
    this.listing = new Listing(supply.questions, shelf, () => wall.changed("panel"));
    this.everywhere = new Everywhere(supply.questions, wall, sweeper);
  }

  showList(): void {
    this.open = "list";
    this.listing.search(this.listing.query);
  }

  /** Looks for every occurrence of what is selected, or of the span under the caret. */
  showEverywhere(take: Take): void {
    const { cursor, current, active } = this.wall;
    const { caret } = cursor;
    const stretch = current ?? selected(cursor) ?? (caret === null ? null : { start: caret, end: caret + 1 });
    const label = current?.label ?? active;
    if (stretch === null || label === null) return this.wall.say("Select the words first");
    if (this.everywhere.begin(take, stretch, label)) this.open = "everywhere";
    this.wall.changed("panel");
  }

  close(): void {
    this.open = null;
    this.wall.changed("panel");
  }
}
