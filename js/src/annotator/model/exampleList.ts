/** The list of examples: what is looked for, the rows that are there, the one that is pointed at. */
import type { Incoming, Row } from "../../shared/protocol";
import type { Questions } from "./pendingRequests";
import { filterOf } from "./searchQuery";
import type { Shelf } from "./browserStorage";

/** Rows that the kernel gives at a time. */
const PAGE = 50;

export class Listing {
  query = "";
  rows: readonly Row[] = [];
  /** How many examples there are in all; null while that is not known. */
  total: number | null = null;
  at = 0;
  problem = "";

  /**
   * @param shelf Where the searches lie that somebody wants to keep.
   */
  constructor(
    private readonly questions: Questions,
    private readonly shelf: Shelf,
    private readonly changed: () => void,
  ) {}

  get chosen(): Row | null {
    return this.rows[this.at] ?? null;
  }

  get isWaiting(): boolean {
    return this.questions.isWaiting("list");
  }

  get saved(): readonly string[] {
    return this.shelf
      .all()
      .map(([name]) => name)
      .sort((left, right) => left.localeCompare(right));
  }

  /** Shows what there is to a search, the first rows first. */
  search(query: string): void {
    this.query = query;
    this.ask(0);
    this.changed();
  }

  /** Keeps the search, or forgets it where it is kept already. */
  keep(): void {
    const query = this.query.trim();
    if (query === "") return;
    if (this.saved.includes(query)) this.shelf.drop(query);
    else this.shelf.put(query, true);
    this.changed();
  }

  pointAt(index: number): void {
    this.at = Math.max(0, Math.min(index, this.rows.length - 1));
    if (this.at > this.rows.length - PAGE / 2) this.more();
    this.changed();
  }

  /** Asks for the rows behind those that are there. */
  more(): void {
    if (!this.isWaiting && this.rows.length < (this.total ?? 0)) this.ask(this.rows.length);
  }

  private ask(offset: number): void {
    const filter = filterOf(this.query);
    this.questions.putInstead({ type: "list", filter, offset, want: PAGE }, (reply) =>
      this.take(reply, offset),
    );
  }

  private take(reply: Incoming, offset: number): void {
    if (reply.type === "failed") this.problem = reply.message;
    if (reply.type === "listed") {
      this.problem = "";
      this.rows = [...this.rows.slice(0, offset), ...reply.rows];
      this.total = reply.total;
      if (offset === 0) this.at = 0;
    }
    this.changed();
  }
}
