/** Describes how far answers are saved: one word, and an explanation where something is wrong. */

export interface SaveStatus {
  readonly state: "saved" | "saving" | "unsaved";
  readonly word: string;
  /** What is wrong and what happens next; empty where nothing is wrong. */
  readonly why: string;
}

export interface SaveConditions {
  /** Number of answers that the kernel has not acknowledged. */
  readonly pending: number;
  readonly isConnected: boolean;
  /** Whether the kernel has not replied for too long. */
  readonly isSilent: boolean;
  /** Why the kernel could not store an answer now. */
  readonly failure: string | null;
  /** Why the kernel will never store an answer. */
  readonly refusal: string | null;
  /** Whether pending answers would survive a reload of the page. */
  readonly isDurable: boolean;
}

export function describeSaveStatus(now: SaveConditions): SaveStatus {
  if (!now.isConnected) return unsaved(now.pending > 0 ? "not saved" : "not connected", lost(now));
  if (now.refusal !== null) return unsaved("not saved", refused(now.refusal));
  if (now.pending === 0) return { state: "saved", word: "saved", why: "" };
  if (now.failure !== null) {
    return unsaved("not saved", `${sentence(now.failure)} Trying again; ${kept(now)}.`);
  }
  if (now.isSilent) return unsaved("not saved", waiting(now));
  return { state: "saving", word: "saving", why: "" };
}

const unsaved = (word: string, why: string): SaveStatus => ({ state: "unsaved", word, why });

function lost(now: SaveConditions): string {
  const next = "The kernel was restarted: run the cell again.";
  if (now.pending > 0) return `${next} Until then ${kept(now)}.`;
  return `${next} Until then ${now.isDurable ? "new answers are kept in this browser" : HERE_ONLY}.`;
}

const waiting = (now: SaveConditions): string =>
  `The kernel is busy or gone: ${kept(now)}, to be sent as soon as it answers.`;

const refused = (why: string): string =>
  `${sentence(why)} The example is open again, and the answer is kept below to be copied.`;

const HERE_ONLY = "answers are on this page only, so leave it open";

function kept({ pending, isDurable }: SaveConditions): string {
  const answers = pending === 1 ? "1 answer is" : `${pending.toLocaleString("en")} answers are`;
  return isDurable ? `${answers} kept in this browser` : `${answers} on this page only, so leave it open`;
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
