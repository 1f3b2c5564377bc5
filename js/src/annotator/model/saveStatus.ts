/** What is said about saving: one word, and one sentence where there is something to say. */

export interface SaveStatus {
  readonly state: "saved" | "saving" | "unsaved";
  readonly word: string;
  /** What is wrong and what happens next; empty where nothing is. */
  readonly why: string;
}

export interface SaveConditions {
  /** Answers that the kernel has not acknowledged. */
  readonly pending: number;
  readonly connected: boolean;
  /** Whether the kernel has left an answer unacknowledged for too long. */
  readonly silent: boolean;
  /** Why the kernel could not store an answer now. */
  readonly failure: string | null;
  /** Why the kernel will never store an answer. */
  readonly refusal: string | null;
  /** Whether what is pending would survive the page. */
  readonly durable: boolean;
}

export function describeSaveStatus(now: SaveConditions): SaveStatus {
  if (!now.connected) return unsaved(now.pending > 0 ? "not saved" : "not connected", lost(now));
  if (now.refusal !== null) return unsaved("not saved", refused(now.refusal));
  if (now.pending === 0) return { state: "saved", word: "saved", why: "" };
  if (now.failure !== null) {
    return unsaved("not saved", `${sentence(now.failure)} Trying again; ${kept(now)}.`);
  }
  if (now.silent) return unsaved("not saved", waiting(now));
  return { state: "saving", word: "saving", why: "" };
}

const unsaved = (word: string, why: string): SaveStatus => ({ state: "unsaved", word, why });

function lost(now: SaveConditions): string {
  const next = "The kernel was restarted: run the cell again.";
  if (now.pending > 0) return `${next} Until then ${kept(now)}.`;
  return `${next} Until then ${now.durable ? "new answers are kept in this browser" : HERE_ONLY}.`;
}

const waiting = (now: SaveConditions): string =>
  `The kernel is busy or gone: ${kept(now)}, to be sent as soon as it answers.`;

const refused = (why: string): string =>
  `${sentence(why)} The example is open again, with its spans as they were.`;

const HERE_ONLY = "answers are on this page only, so leave it open";

function kept({ pending, durable }: SaveConditions): string {
  const answers = pending === 1 ? "1 answer is" : `${pending.toLocaleString("en")} answers are`;
  return durable ? `${answers} kept in this browser` : `${answers} on this page only, so leave it open`;
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
