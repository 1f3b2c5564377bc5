/** Answers of a page without a kernel, kept in the browser's database until they are removed. */
import type { StoredAnswer } from "./standInKernel";

const NAME = "nbner-try";
const TABLE = "answers";

/** Keeps the newest answer to each example; does without where the browser forbids a database. */
export class AnswerLog {
  private constructor(private readonly database: IDBDatabase | null) {}

  static async open(): Promise<AnswerLog> {
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: ["part", "example"] });
      return new AnswerLog(await done(request));
    } catch {
      return new AnswerLog(null);
    }
  }

  get isKept(): boolean {
    return this.database !== null;
  }

  /** Return the answers of one part of the page, in no particular order. */
  async read(part: string): Promise<readonly StoredAnswer[]> {
    if (this.database === null) return [];
    const rows = await done(this.table("readonly").getAll());
    return (rows as readonly (StoredAnswer & { part: string })[]).filter((row) => row.part === part);
  }

  async put(part: string, answer: StoredAnswer): Promise<void> {
    if (this.database !== null) await done(this.table("readwrite").put({ ...answer, part }));
  }

  async clear(): Promise<void> {
    if (this.database !== null) await done(this.table("readwrite").clear());
  }

  private table(mode: IDBTransactionMode): IDBObjectStore {
    return (this.database as IDBDatabase).transaction(TABLE, mode).objectStore(TABLE);
  }
}

function done<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database failed"));
  });
}
