/** Replies that were recorded beforehand, found by the request that they answered. */

export interface Recording {
  /** Replies by the key of their request; in place of a row stands its number. */
  readonly replies: Readonly<Record<string, { readonly rows?: readonly number[] }>>;
  readonly rows: readonly object[];
}

/** Return the key of a request: its content without its id, with sorted names. */
export function requestKey(message: object): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== "object" || value === null) return value;
    const names = Object.entries(value).filter(([name, one]) => name !== "id" && one !== undefined);
    return Object.fromEntries(names.sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, one]) => [name, sorted(one)]));
  };
  return JSON.stringify(sorted(message));
}

/**
 * Return a responder that repeats what was recorded and refuses the rest with a sentence.
 *
 * @param hello The answer to a page that asks how things stand.
 */
export function playRecording(recording: Recording, hello: object = {}): (raw: unknown) => readonly object[] {
  return (raw) => {
    const message = raw as { readonly id?: string; readonly type?: string };
    if (message.id === undefined) return [];
    if (message.type === "hello") return [{ type: "snapshot", ...hello, re: message.id }];
    const known = recording.replies[requestKey(message)];
    if (known?.rows !== undefined) return [{ ...known, rows: known.rows.map((row) => recording.rows[row]), re: message.id }];
    if (known !== undefined) return [{ ...known, re: message.id }];
    return [{ type: "failed", re: message.id, message: "This needs Python: in a notebook it works", retry: false }];
  };
}
