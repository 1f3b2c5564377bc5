/** The list of examples: what is looked for, the rows that are there, the one that is pointed at. */
import type { KernelMessage, ExampleRow } from "../../shared/protocol";
import type { PendingRequests } from "./pendingRequests";
import { parseQuery } from "./searchQuery";
import type { BrowserStorage } from "./browserStorage";

/** Rows that the kernel gives at a time. */
const PAGE_SIZE = 50;

export class ExampleList {
  query = "";
  rows: readonly ExampleRow[] = [];
  /** How many examples there are in all; null while that is not known. */
  total: number | null = null;
  activeIndex = 0;
  problem = "";

  /**
   * @param storage Where the searches lie that somebody wants to keep.
   */
  constructor(
    private readonly requests: PendingRequests,
    private readonly storage: BrowserStorage,
    private readonly changed: () => void,
  ) {}

  get activeRow(): ExampleRow | null {
    return this.rows[this.activeIndex] ?? null;
  }

  get isWaiting(): boolean {
    return this.requests.isWaiting("list");
  }

  get savedQueries(): readonly string[] {
    return this.storage
      .entries()
      .map(([name]) => name)
      .sort((left, right) => left.localeCompare(right));
  }

  /** Shows what there is to a search, the first rows first. */
  search(query: string): void {
    this.query = query;
    this.request(0);
    this.changed();
  }

  /** Keeps the search, or forgets it where it is kept already. */
  toggleSaved(): void {
    const query = this.query.trim();
    if (query === "") return;
    if (this.savedQueries.includes(query)) this.storage.remove(query);
    else this.storage.set(query, true);
    this.changed();
  }

  setActive(index: number): void {
    this.activeIndex = Math.max(0, Math.min(index, this.rows.length - 1));
    if (this.activeIndex > this.rows.length - PAGE_SIZE / 2) this.loadMore();
    this.changed();
  }

  /** Asks for the rows behind those that are there. */
  loadMore(): void {
    if (!this.isWaiting && this.rows.length < (this.total ?? 0)) this.request(this.rows.length);
  }

  private request(offset: number): void {
    const filter = parseQuery(this.query);
    this.requests.replace({ type: "list", filter, offset, want: PAGE_SIZE }, (reply) =>
      this.handleReply(reply, offset),
    );
  }

  private handleReply(reply: KernelMessage, offset: number): void {
    if (reply.type === "failed") this.problem = reply.message;
    if (reply.type === "listed") {
      this.problem = "";
      this.rows = [...this.rows.slice(0, offset), ...reply.rows];
      this.total = reply.total;
      if (offset === 0) this.activeIndex = 0;
    }
    this.changed();
  }
}
