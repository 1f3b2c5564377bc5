/**
 * Every occurrence of some words, in the example shown and in those to come:
 * shown first, one line each, and changed as one step.
 */
import { excerpt, placesOf, problemAt, wordsIn } from "./occurrenceSearch";
import type { Bulk, Excerpt, Incoming, Place, Take } from "../../shared/protocol";
import type { Item } from "./exampleQueue";
import type { Questions } from "./pendingRequests";
import { add, remove, type Spans, type Stretch } from "./spans";

/** Lines that are shown from coming examples. */
const MOST = 200;

export interface Line extends Excerpt {
  /** The example, where it is not the one shown. */
  readonly example: string | null;
  readonly place: Stretch;
  /** Why it stays as it is; empty where it can be changed. */
  readonly problem: string;
  ticked: boolean;
}

/** Carries the changes out. */
export interface Sweeper {
  /** Sends unsent edits ahead, so that the kernel finds the spans as they are. */
  sendDrafts(): void;
  /** Changes the example shown, and others with it, as one step. */
  apply(after: Spans, bulk: Omit<Bulk, "bulk"> | null): void;
}

export interface Ground {
  readonly shown: Item | null;
  readonly setup: { readonly mends: boolean };
  changed(part: "panel"): void;
}

export class Everywhere {
  take: Take = "label";
  label = "";
  phrase = "";
  cased = true;
  /** Whether the examples to come are searched too. */
  far = false;
  at = 0;
  /** How many have the label already. */
  same = 0;
  more = false;
  problem = "";
  private words: readonly string[] = [];
  private here: Line[] = [];
  private there: Line[] = [];

  constructor(
    private readonly questions: Questions,
    private readonly ground: Ground,
    private readonly sweeper: Sweeper,
  ) {}

  get lines(): readonly Line[] {
    return this.far ? [...this.here, ...this.there] : this.here;
  }

  get ticked(): readonly Line[] {
    return this.lines.filter((line) => line.ticked);
  }

  get isWaiting(): boolean {
    return this.far && this.questions.isWaiting("occurrences");
  }

  /** Looks for the words of a stretch; tells whether there are any to look for. */
  begin(take: Take, stretch: Stretch, label: string): boolean {
    const tokens = this.ground.shown?.task.tokens ?? [];
    this.words = wordsIn(tokens, stretch);
    this.take = take;
    this.label = label;
    this.phrase = this.words.join(" ");
    if (this.words.length > 0) this.look();
    return this.words.length > 0;
  }

  setFar(far: boolean): void {
    this.far = far;
    this.look();
  }

  setCased(cased: boolean): void {
    this.cased = cased;
    this.look();
  }

  pointAt(index: number): void {
    this.at = Math.max(0, Math.min(index, this.lines.length - 1));
    this.ground.changed("panel");
  }

  toggle(index = this.at): void {
    const line = this.lines[index];
    if (line !== undefined && line.problem === "") line.ticked = !line.ticked;
    this.pointAt(index);
  }

  /** Ticks all that can be, or none if all are. */
  toggleAll(): void {
    const free = this.lines.filter(({ problem }) => problem === "");
    const ticked = !free.every((line) => line.ticked);
    free.forEach((line) => (line.ticked = ticked));
    this.ground.changed("panel");
  }

  /** Changes what is ticked; tells how many places that are. */
  apply(): number {
    const { ticked, take, label } = this;
    const item = this.ground.shown;
    if (item === null || ticked.length === 0) return 0;
    const change = (spans: Spans, { place }: Line): Spans =>
      take === "label" ? add(spans, { ...place, label }) : remove(spans, place);
    const after = ticked.filter(({ example }) => example === null).reduce(change, item.state.spans);
    const places = ticked.flatMap(({ example, place: { start, end } }) =>
      example === null ? [] : [[example, start, end] as const],
    );
    this.sweeper.apply(after, places.length === 0 ? null : { label, take, places });
    return ticked.length;
  }

  private look(): void {
    this.at = 0;
    this.there = [];
    this.more = false;
    this.problem = "";
    this.lookHere();
    if (this.far) this.lookThere();
    this.ground.changed("panel");
  }

  private lookHere(): void {
    const item = this.ground.shown;
    const tokens = item?.task.tokens ?? [];
    const places = placesOf(tokens, this.words, this.cased);
    const spans = item?.state.spans ?? [];
    const { mends } = this.ground.setup;
    const found = places.map((place) => problemAt(spans, place, this.label, this.take, mends));
    this.here = places.flatMap((place, i) => {
      const problem = found[i] ?? null;
      if (problem === null) return [];
      const ticked = problem === "";
      return [{ ...excerpt(tokens, place), example: null, place, problem, ticked }];
    });
    this.same = this.take === "label" ? found.filter((one) => one === null).length : 0;
  }

  private lookThere(): void {
    const { words, label, take, cased } = this;
    this.sweeper.sendDrafts();
    const besides = this.ground.shown?.id ?? "";
    const request = { type: "occurrences", words, label, take, cased, besides, want: MOST } as const;
    this.questions.putInstead(request, (reply) => this.hear(reply));
  }

  private hear(reply: Incoming): void {
    if (reply.type === "failed") this.problem = reply.message;
    if (reply.type === "places") {
      this.there = reply.places.map(lineOf);
      this.more = reply.more;
    }
    this.ground.changed("panel");
  }
}

function lineOf({ example, start, end, problem, left, hit, right }: Place): Line {
  return { left, hit, right, example, place: { start, end }, problem, ticked: problem === "" };
}
