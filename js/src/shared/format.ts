/** Formats counts and probabilities for display. */

export const formatCount = (count: number): string => count.toLocaleString("en");

/** Format a probability with two decimals and no leading zero; below .005 as "<.01", from .995 on as ">.99". */
export function formatProbability(probability: number): string {
  if (probability < 0.005) return "<.01";
  return probability >= 0.995 ? ">.99" : probability.toFixed(2).replace(/^0/, "");
}

export const pluralize = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
