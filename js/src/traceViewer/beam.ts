/** The sequences that the beam holds, each by what sets it apart from greedy search. */
import { createElement, setAttributes, setLabelColor, setText } from "../shared/dom";
import { labelColor, type TraceComponent } from "./component";
import {
  beamStateAt,
  BEST,
  GOLD,
  GREEDY,
  greedyStateAt,
  includesEntity,
  divergenceToken,
  tokenText,
  textOfRange,
  type ParserState,
  type ParserTrace,
} from "./trace";

/** Rows that are there; the beam may be wider. */
export const MAX_HYPOTHESES = 8;

type Chip = readonly [words: string, label: string, kind: "more" | "less" | "open"];

interface HypothesisRow {
  readonly row: HTMLElement;
  readonly score: HTMLElement;
  readonly sign: HTMLElement;
  readonly says: HTMLElement;
}

export class BeamView implements TraceComponent {
  readonly element: HTMLElement;
  private readonly title = createElement("div", "step-title", { role: "heading", "aria-level": "3" });
  private readonly rows: readonly HypothesisRow[];
  private readonly rest = createElement("div", "step-rest");
  private readonly lost: number | null;
  private readonly said = new Map<HypothesisRow, string>();

  constructor(private readonly run: ParserTrace) {
    this.lost = divergenceToken(run);
    this.rows = Array.from({ length: Math.min(MAX_HYPOTHESES, run.width) }, createHypothesisRow);
    const list = createElement("div", "step-rows", { role: "list" }, ...this.rows.map(({ row }) => row));
    this.element = createElement("div", "step-panel", { "data-part": "beam" }, this.title, list, this.rest);
  }

  show(place: number): void {
    const { run } = this;
    const beam = run.beams[place] ?? [];
    const alive = `${beam.length} ${beam.length === 1 ? "sequence" : "sequences"} alive`;
    setText(this.title, `The beam of ${run.width} · ${alive}`);
    const greedy = greedyStateAt(run, place);
    const shown = pick(beam.map((held) => held[3]), this.rows.length);
    this.rows.forEach((row, i) => {
      const rank = shown[i];
      const held = rank === undefined ? undefined : beam[rank];
      setAttributes(row.row, { "data-empty": held === undefined ? "" : null });
      if (rank === undefined || held === undefined) {
        this.said.delete(row);
        return clear(row);
      }
      this.fill(row, held, beamStateAt(run, place, rank), greedy);
    });
    setText(this.rest, this.story(place, beam.some((held) => (held[3] & GREEDY) !== 0)));
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
    const says = (flags & GREEDY) !== 0 ? "as the text above" : JSON.stringify(chips);
    // From word to word most rows say what they said before.
    if (this.said.get(row) === says) return;
    this.said.set(row, says);
    const nodes = chips.flatMap((one, i) => (i > 0 ? [" ", this.chip(one)] : [this.chip(one)]));
    row.says.replaceChildren(...((flags & GREEDY) !== 0 ? [says] : nodes));
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
    const { run } = this;
    const more = one.closed.filter((entity) => !includesEntity(entity, greedy.closed));
    const less = greedy.closed.filter((entity) => !includesEntity(entity, one.closed));
    const chips: Chip[] = more.map(([start, end, label]) => [textOfRange(run, start, end), label, "more"]);
    if (one.open !== null && one.open.join() !== greedy.open?.join()) {
      chips.push([`${tokenText(run, one.open[0])} …`, one.open[1], "open"]);
    }
    if (one.open === null && greedy.open !== null) {
      less.push([greedy.open[0], greedy.open[0] + 1, greedy.open[1]]);
    }
    return [...chips, ...less.map(([start, end, label]): Chip => [textOfRange(run, start, end), label, "less"])];
  }

  private chip([words, label, kind]: Chip): HTMLElement {
    const says = kind === "less" ? "without " : kind === "open" ? "opened " : "";
    const chip = createElement(
      "span",
      "step-chip",
      { "data-kind": kind },
      createElement("span", "live", {}, says),
      createElement("span", "step-chip-words", {}, words),
      createElement("span", "tag", {}, label),
    );
    setLabelColor(chip, labelColor(this.run, label));
    return chip;
  }

  private story(place: number, holdsGreedy: boolean): string {
    const { run, lost } = this;
    if (!holdsGreedy) return "What greedy search does has fallen out of the beam.";
    if (lost === null) return place === run.steps.length ? "Greedy search lost nothing that the beam holds." : "";
    const [best] = run.beams.at(-1) ?? [];
    const scores = `${best?.[2].toFixed(2) ?? ""} against ${run.score.toFixed(2)}`;
    const lostOne = `Greedy search lost a higher score at “${tokenText(run, lost)}”`;
    return place > lost ? `${lostOne}: ${scores} in the end.` : "";
  }
}

/** The first ranks; whatever is marked further down takes the place of the last ones. */
function pick(flags: readonly number[], rows: number): readonly number[] {
  const ranks = flags.map((_, rank) => rank);
  const marked = ranks.slice(rows).filter((rank) => flags[rank] !== 0);
  return [...ranks.slice(0, Math.max(0, rows - marked.length)), ...marked].slice(0, rows);
}

function createHypothesisRow(): HypothesisRow {
  const score = createElement("span", "step-share");
  const says = createElement("span", "step-says");
  const sign = createElement("span", "step-sign");
  return { row: createElement("div", "step-row", { role: "listitem" }, score, says, sign), score, says, sign };
}

function clear(row: HypothesisRow): void {
  setText(row.score, "");
  setText(row.sign, "");
  row.says.replaceChildren();
  setAttributes(row.row, { "data-greedy": null, "data-lost": null });
}
