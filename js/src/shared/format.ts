/** Formats counts and probabilities for display. */

export const formatCount = (count: number): string => count.toLocaleString("en");

/** Format a probability with two decimals and no leading zero; below .005 as "<.01". */
export const formatProbability = (probability: number): string =>
  probability < 0.005 ? "<.01" : probability.toFixed(2).replace(/^0/, "");

export const pluralize = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
