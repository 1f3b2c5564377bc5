/** Reads values of which nobody knows what they are. */
import type { Answer } from "./protocol";

export type Fields = Record<string, unknown>;

export const asRecord = (raw: unknown): Fields =>
  typeof raw === "object" && raw !== null && !Array.isArray(raw) ? (raw as Fields) : {};
export const asArray = (raw: unknown): unknown[] => (Array.isArray(raw) ? raw : []);
export const asString = (raw: unknown, fallback = ""): string =>
  typeof raw === "string" ? raw : fallback;
export const asCount = (raw: unknown): number =>
  typeof raw === "number" && Number.isFinite(raw) ? Math.max(0, Math.trunc(raw)) : 0;
export const asAnswer = (raw: unknown): Answer =>
  raw === "accept" || raw === "reject" || raw === "ignore" ? raw : null;
export const asStrings = (raw: unknown): string[] =>
  asArray(raw).filter((one): one is string => typeof one === "string");
