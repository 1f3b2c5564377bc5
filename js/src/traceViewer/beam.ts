/** The sequences in the beam, each described by its differences from greedy search. */
import { createElement, setAttributes, setLabelColor, setText } from "../shared/dom";
import {
  beamStateAt,
  BEST,
  GOLD,
  GREEDY,
  greedyStateAt,
  includesEntity,
  divergenceToken,
  tokenText,
  textBetween,
  type ParserState,
  type ParserTrace,
} from "./trace";

/** Rows that are shown; the beam may be wider. */
export const MAX_HYPOTHESES = 8;

type Chip = readonly [words: string, label: string, kind: "more" | "less" | "open"];

interface HypothesisRow {
  readonly row: HTMLElement;
  readonly score: HTMLElement;
  readonly sign: HTMLElement;
  readonly content: HTMLElement;
}

export class BeamView {
  readonly element: HTMLElement;
  private readonly title = createElement("div", "step-title", { role: "heading", "aria-level": "3" });
  private readonly rows: readonly HypothesisRow[];
  private readonly rest = createElement("div", "step-rest");
  private readonly lost: number | null;
  private readonly renderedContent = new Map<HypothesisRow, string>();

  constructor(private readonly trace: ParserTrace) {
    this.lost = divergenceToken(trace);
    this.rows = Array.from({ length: Math.min(MAX_HYPOTHESES, trace.width) }, createHypothesisRow);
    const list = createElement("div", "step-rows", { role: "list" }, ...this.rows.map(({ row }) => row));
    this.element = createElement("div", "step-panel", { "data-part": "beam" }, this.title, list, this.rest);
  }

  show(position: number): void {
    const { trace } = this;
    const beam = trace.beams[position] ?? [];
    const alive = `${beam.length} ${beam.length === 1 ? "sequence" : "sequences"} alive`;
    setText(this.title, `The beam of ${trace.width} · ${alive}`);
    const greedy = greedyStateAt(trace, position);
    const shown = pick(beam.map((held) => held[3]), this.rows.length);
    this.rows.forEach((row, i) => {
      const rank = shown[i];
      const held = rank === undefined ? undefined : beam[rank];
      setAttributes(row.row, { "data-empty": held === undefined ? "" : null });
      if (rank === undefined || held === undefined) {
        this.renderedContent.delete(row);
        return clear(row);
      }
      this.fill(row, held, beamStateAt(trace, position, rank), greedy);
    });
    setText(this.rest, this.story(position, beam.some((held) => (held[3] & GREEDY) !== 0)));
  }

  private fill(row: HypothesisRow, held: readonly number[], analysis: ParserState, greedy: ParserState): void {
    const flags = held[3] ?? 0;
    setText(row.score, (held[2] ?? 0).toFixed(2));
    setText(row.sign, this.signs(flags).join(" · "));
    setAttributes(row.row, {
      "data-greedy": (flags & GREEDY) !== 0 ? "" : null,
      "data-lost": this.lost !== null && (flags & BEST) !== 0 && (flags & GREEDY) === 0 ? "" : null,
    });
    const chips = this.differences(analysis, greedy);
    const content = (flags & GREEDY) !== 0 ? "as the text above" : JSON.stringify(chips);
    // From token to token most rows stay as they are.
    if (this.renderedContent.get(row) === content) return;
    this.renderedContent.set(row, content);
    const nodes = chips.flatMap((one, i) => (i > 0 ? [" ", this.chip(one)] : [this.chip(one)]));
    row.content.replaceChildren(...((flags & GREEDY) !== 0 ? [content] : nodes));
  }

  private signs(flags: number): string[] {
    const best = this.lost === null ? "best in the end" : "lost by greedy search";
    const names: [number, string][] = [
      [GREEDY, "greedy"],
      [BEST, (flags & GREEDY) !== 0 ? "best in the end" : best],
      [GOLD, "gold"],
    ];
    return names.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
  }

  private differences(one: ParserState, greedy: ParserState): readonly Chip[] {
    const { trace } = this;
    const more = one.closed.filter((entity) => !includesEntity(entity, greedy.closed));
    const less = greedy.closed.filter((entity) => !includesEntity(entity, one.closed));
    const chips: Chip[] = more.map(([start, end, label]) => [textBetween(trace, start, end), label, "more"]);
    if (one.open !== null && one.open.join() !== greedy.open?.join()) {
      chips.push([`${tokenText(trace, one.open[0])} …`, one.open[1], "open"]);
    }
    if (one.open === null && greedy.open !== null) {
      less.push([greedy.open[0], greedy.open[0] + 1, greedy.open[1]]);
    }
    return [...chips, ...less.map(([start, end, label]): Chip => [textBetween(trace, start, end), label, "less"])];
  }

  private chip([words, label, kind]: Chip): HTMLElement {
    const prefix = kind === "less" ? "without " : kind === "open" ? "opened " : "";
    const chip = createElement(
      "span",
      "step-chip",
      { "data-kind": kind },
      createElement("span", "live", {}, prefix),
      createElement("span", "step-chip-words", {}, words),
      createElement("span", "tag", {}, label),
    );
    setLabelColor(chip, this.trace, label);
    return chip;
  }

  private story(position: number, holdsGreedy: boolean): string {
    const { trace, lost } = this;
    if (!holdsGreedy) return "What greedy search does has fallen out of the beam.";
    if (lost === null) return position === trace.steps.length ? "Greedy search lost nothing that the beam holds." : "";
    const [best] = trace.beams.at(-1) ?? [];
    const scores = `${best?.[2].toFixed(2) ?? ""} against ${trace.score.toFixed(2)}`;
    const lostOne = `Greedy search lost a higher score at “${tokenText(trace, lost)}”`;
    return position > lost ? `${lostOne}: ${scores} in the end.` : "";
  }
}

/** Return the first ranks; flagged ones further down take the places of the last of them. */
function pick(flags: readonly number[], rows: number): readonly number[] {
  const ranks = flags.map((_, rank) => rank);
  const marked = ranks.slice(rows).filter((rank) => flags[rank] !== 0);
  return [...ranks.slice(0, Math.max(0, rows - marked.length)), ...marked].slice(0, rows);
}

function createHypothesisRow(): HypothesisRow {
  const score = createElement("span", "step-share");
  const content = createElement("span", "step-says");
  const sign = createElement("span", "step-sign");
  return { row: createElement("div", "step-row", { role: "listitem" }, score, content, sign), score, content, sign };
}

function clear(row: HypothesisRow): void {
  setText(row.score, "");
  setText(row.sign, "");
  row.content.replaceChildren();
  setAttributes(row.row, { "data-greedy": null, "data-lost": null });
}
