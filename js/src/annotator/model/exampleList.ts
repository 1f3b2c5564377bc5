/** The list of examples: the query, the rows loaded so far, and the active row. */
import type { ExampleRow, KernelMessage } from "../../shared/protocol";
import { reactive } from "../../shared/reactive";
import type { BrowserStorage } from "./browserStorage";
import { parseQuery } from "./searchQuery";
import type { PendingRequests } from "./transport";

/** Rows that the kernel sends at a time. */
const PAGE_SIZE = 50;

interface ExampleListState {
  query: string;
  rows: readonly ExampleRow[];
  /** The number of all rows; null while it is unknown. */
  total: number | null;
  activeIndex: number;
  problem: string;
  savedQueries: readonly string[];
}

export class ExampleList {
  readonly state = reactive<ExampleListState>({
    query: "",
    rows: [],
    total: null,
    activeIndex: 0,
    problem: "",
    savedQueries: [],
  });

  /**
   * @param storage Where saved queries are stored.
   */
  constructor(
    private readonly requests: PendingRequests,
    private readonly storage: BrowserStorage,
  ) {
    this.state.savedQueries = this.loadSaved();
  }

  get activeRow(): ExampleRow | null {
    return this.state.rows[this.state.activeIndex] ?? null;
  }

  get isWaiting(): boolean {
    return this.requests.isWaiting("list");
  }

  /** Show the rows that match a query. */
  search(query: string): void {
    this.state.query = query;
    this.state.savedQueries = this.loadSaved();
    this.request(0);
  }

  /** Save the query, or delete it where it is saved. */
  toggleSaved(): void {
    const query = this.state.query.trim();
    if (query === "") return;
    if (this.state.savedQueries.includes(query)) this.storage.remove(query);
    else this.storage.set(query, true);
    this.state.savedQueries = this.loadSaved();
  }

  setActive(index: number): void {
    this.state.activeIndex = Math.max(0, Math.min(index, this.state.rows.length - 1));
    if (this.state.activeIndex > this.state.rows.length - PAGE_SIZE / 2) this.loadMore();
  }

  /** Request the rows behind those that are loaded. */
  loadMore(): void {
    if (!this.isWaiting && this.state.rows.length < (this.state.total ?? 0)) this.request(this.state.rows.length);
  }

  private loadSaved(): readonly string[] {
    const queries = this.storage.entries().map(([query]) => query);
    return queries.sort((left, right) => left.localeCompare(right));
  }

  private request(offset: number): void {
    const filter = parseQuery(this.state.query);
    this.requests.replace({ type: "list", filter, offset, want: PAGE_SIZE }, (reply) =>
      this.handleReply(reply, offset),
    );
  }

  private handleReply(reply: KernelMessage, offset: number): void {
    if (reply.type === "failed") this.state.problem = reply.message;
    if (reply.type !== "listed") return;
    this.state.problem = "";
    this.state.rows = [...this.state.rows.slice(0, offset), ...reply.rows];
    this.state.total = reply.total;
    if (offset === 0) this.state.activeIndex = 0;
  }
}
