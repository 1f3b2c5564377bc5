/**
 * A learner for a page without a kernel: an averaged perceptron over sequences of tags.
 *
 * Source: M. Collins, Discriminative training methods for hidden Markov models: theory and
 * experiments with perceptron algorithms (2002). The tags are O, and B and I of each label;
 * decoding is Viterbi's, and an I never follows what it cannot continue. Python's learner is
 * another, a conditional random field, which needs no page.
 */
import type { WireSpan } from "../shared/protocol";

export interface LabeledText {
  readonly words: readonly string[];
  readonly spans: readonly WireSpan[];
}

const EPOCHS = 8;
const OUTSIDE = 0;

/** Return the tag of each word: 0 outside, 2 i + 1 where a span of label i begins, 2 i + 2 inside. */
export function tagsOf({ words, spans }: LabeledText, labels: readonly string[]): readonly number[] {
  const tags = words.map(() => OUTSIDE);
  for (const [start, end, label] of spans) {
    const at = labels.indexOf(label);
    if (at < 0) continue;
    for (let i = start; i < end; i += 1) tags[i] = 2 * at + (i === start ? 1 : 2);
  }
  return tags;
}

export function spansOf(tags: readonly number[], labels: readonly string[]): readonly WireSpan[] {
  const spans: WireSpan[] = [];
  for (let start = 0; start < tags.length; start += 1) {
    const tag = tags[start] as number;
    if (tag % 2 === 0) continue;
    let end = start + 1;
    while (tags[end] === tag + 1) end += 1;
    spans.push([start, end, labels[(tag - 1) / 2] as string]);
  }
  return spans;
}

/** Return the features of each word: the word, its shape and ends, and its neighbours. */
export function featuresOf(words: readonly string[]): readonly (readonly string[])[] {
  const lower = words.map((word) => word.toLowerCase());
  return words.map((word, i) => {
    const form = lower[i] as string;
    return [
      "1",
      `w ${form}`,
      `s ${shapeOf(word)}`,
      `p ${form.slice(0, 3)}`,
      `e ${form.slice(-3)}`,
      `- ${lower[i - 1] ?? "^"}`,
      `+ ${lower[i + 1] ?? "$"}`,
      `-e ${(lower[i - 1] ?? "^").slice(-3)}`,
      `-- ${lower[i - 2] ?? "^"} ${lower[i - 1] ?? "^"}`,
    ];
  });
}

const shapeOf = (word: string): string =>
  word
    .replaceAll(/\p{Lu}/gu, "X")
    .replaceAll(/\p{Ll}/gu, "x")
    .replaceAll(/\p{N}/gu, "0")
    .replaceAll(/(.)\1+/g, "$1");

export class Tagger {
  constructor(
    private readonly labels: readonly string[],
    private readonly weights: ReadonlyMap<string, Float64Array>,
    private readonly transitions: readonly Float64Array[],
  ) {}

  predict(words: readonly string[]): readonly WireSpan[] {
    return spansOf(bestTags(featuresOf(words), this.weights, this.transitions), this.labels);
  }
}

/** Learn from texts in their order, the same result each time. */
export function trainTagger(texts: readonly LabeledText[], labels: readonly string[]): Tagger {
  const size = 2 * labels.length + 1;
  const zeros = (): Float64Array => new Float64Array(size);
  const [weights, totals] = [new Map<string, Float64Array>(), new Map<string, Float64Array>()];
  const rows = Array.from({ length: size + 1 }, zeros); // the last row: the first word's
  const rowTotals = Array.from({ length: size + 1 }, zeros);
  const prepared = texts.map((text) => ({ features: featuresOf(text.words), gold: tagsOf(text, labels) }));
  const row = (of: Map<string, Float64Array>, feature: string): Float64Array => {
    const known = of.get(feature) ?? zeros();
    of.set(feature, known);
    return known;
  };
  // The average of all weights over all steps is the last ones less a total that counts by step.
  let step = 1;
  const add = (now: Float64Array, total: Float64Array, tag: number, by: number): void => {
    now[tag] = (now[tag] as number) + by;
    total[tag] = (total[tag] as number) + by * step;
  };
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    for (const { features, gold } of prepared) {
      const said = bestTags(features, weights, rows);
      for (let i = 0; i < gold.length; i += 1) {
        const [right, wrong] = [gold[i] as number, said[i] as number];
        const [rightBefore, wrongBefore] = [gold[i - 1] ?? size, said[i - 1] ?? size];
        if (right !== wrong) {
          for (const feature of features[i] as readonly string[]) {
            const [now, total] = [row(weights, feature), row(totals, feature)];
            add(now, total, right, 1);
            add(now, total, wrong, -1);
          }
        }
        if (right !== wrong || rightBefore !== wrongBefore) {
          add(rows[rightBefore] as Float64Array, rowTotals[rightBefore] as Float64Array, right, 1);
          add(rows[wrongBefore] as Float64Array, rowTotals[wrongBefore] as Float64Array, wrong, -1);
        }
      }
      step += 1;
    }
  }
  const averaged = (now: Float64Array, total: Float64Array): Float64Array =>
    now.map((value, tag) => value - (total[tag] as number) / step);
  const averages = [...weights].map(([feature, now]) => [feature, averaged(now, totals.get(feature) ?? zeros())] as const);
  return new Tagger(
    labels,
    new Map(averages),
    rows.map((now, i) => averaged(now, rowTotals[i] as Float64Array)),
  );
}

/** Whether a tag may follow another, or (`undefined`) begin a text: inside follows its own label. */
const mayFollow = (before: number | undefined, tag: number): boolean =>
  tag === OUTSIDE || tag % 2 === 1 || before === tag || before === tag - 1;

function bestTags(
  features: readonly (readonly string[])[],
  weights: ReadonlyMap<string, Float64Array>,
  transitions: readonly Float64Array[],
): readonly number[] {
  const size = transitions.length - 1;
  const scoresOf = (own: readonly string[]): Float64Array => {
    const scores = new Float64Array(size);
    for (const feature of own) {
      const row = weights.get(feature);
      if (row !== undefined) for (let tag = 0; tag < size; tag += 1) scores[tag] = (scores[tag] as number) + (row[tag] as number);
    }
    return scores;
  };
  let best: Float64Array | null = null;
  const from: Int32Array[] = [];
  for (const own of features) {
    const scores = scoresOf(own);
    const reached = new Float64Array(size).fill(-Infinity);
    const back = new Int32Array(size);
    for (let tag = 0; tag < size; tag += 1) {
      if (best === null) {
        if (mayFollow(undefined, tag)) reached[tag] = (scores[tag] as number) + ((transitions[size] as Float64Array)[tag] as number);
        continue;
      }
      for (let before = 0; before < size; before += 1) {
        if (!mayFollow(before, tag)) continue;
        const score = (best[before] as number) + ((transitions[before] as Float64Array)[tag] as number) + (scores[tag] as number);
        if (score > (reached[tag] as number)) [reached[tag], back[tag]] = [score, before];
      }
    }
    best = reached;
    from.push(back);
  }
  if (best === null) return [];
  const tags = [best.indexOf(Math.max(...best))];
  for (let i = features.length - 1; i > 0; i -= 1) tags.unshift((from[i] as Int32Array)[tags[0] as number] as number);
  return tags;
}
