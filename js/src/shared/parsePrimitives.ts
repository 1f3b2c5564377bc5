/** Convert values of unknown type to expected ones, with a fallback for whatever does not fit. */
import type { Answer } from "./protocol";

export type Fields = Record<string, unknown>;

export const asRecord = (raw: unknown): Fields =>
  typeof raw === "object" && raw !== null && !Array.isArray(raw) ? (raw as Fields) : {};
export const asArray = (raw: unknown): unknown[] => (Array.isArray(raw) ? raw : []);
export const asString = (raw: unknown, fallback = ""): string =>
  typeof raw === "string" ? raw : fallback;
export const asStrings = (raw: unknown): string[] =>
  asArray(raw).filter((one): one is string => typeof one === "string");
export const asNumber = (raw: unknown): number | null =>
  typeof raw === "number" && Number.isFinite(raw) ? raw : null;
/** Return a whole number that is not negative; 0 for anything else. */
export const asCount = (raw: unknown): number => Math.max(0, Math.trunc(asNumber(raw) ?? 0));
export const asBoolean = (raw: unknown): boolean | null => (typeof raw === "boolean" ? raw : null);
export const asAnswer = (raw: unknown): Answer =>
  raw === "accept" || raw === "reject" || raw === "ignore" ? raw : null;
