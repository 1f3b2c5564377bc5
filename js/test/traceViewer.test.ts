import assert from "node:assert/strict";
import { test } from "node:test";
import { TracePlayer } from "../src/traceViewer/player";
import { beamStateAt, greedyStateAt, divergenceToken, costlyTokens, describeStep, type ParserTrace } from "../src/traceViewer/trace";

const ACTIONS = ["O", "B-Food", "L-Food", "U-Food"];

/** Greedy search finds "rice" alone; "brown rice" has the higher score in the end. */
const RUN: ParserTrace = {
  version: "0",
  lead: "",
  tokens: [
    ["brown", " "],
    ["rice", " "],
    ["now", ""],
  ],
  actions: ACTIONS,
  colors: {},
  underlines: {},
  steps: [
    [
      [0, 0.6, 1],
      [1, 0.4, 0],
    ],
    [
      [3, 0.7, 1],
      [0, 0.3, 0],
    ],
    [[0, 1, 0]],
  ],
  beams: [
    [[-1, -1, 0, 7]],
    [
      [0, 0, 2, 1],
      [0, 1, 1, 6],
    ],
    [
      [0, 3, 3, 1],
      [1, 2, 2.5, 6],
    ],
    [
      [1, 0, 5, 6],
      [0, 0, 4, 1],
    ],
  ],
  found: [[1, 2, "Food"]],
  gold: [[0, 2, "Food"]],
  score: 4,
  width: 2,
  note: "",
};

test("sequences of the beam are read back to the first word", () => {
  assert.deepEqual(beamStateAt(RUN, 3, 0), { closed: [[0, 2, "Food"]], open: null });
  assert.deepEqual(beamStateAt(RUN, 3, 1), { closed: [[1, 2, "Food"]], open: null });
  assert.deepEqual(beamStateAt(RUN, 1, 1), { closed: [], open: [0, "Food"] });
  assert.deepEqual(greedyStateAt(RUN, 1), { closed: [], open: null });
  assert.deepEqual(greedyStateAt(RUN, 2), { closed: [[1, 2, "Food"]], open: null });
});

test("mistakes, and where the better sequence was left", () => {
  assert.deepEqual(costlyTokens(RUN), [0, 1]);
  assert.equal(divergenceToken(RUN), 0);
  assert.equal(divergenceToken({ ...RUN, score: 5 }), null);
  assert.match(describeStep(RUN, 0), /“brown”: O is chosen, 0\.60\. It costs gold: B-Food would cost nothing/);
  assert.match(describeStep(RUN, 3), /1 entity found\. 0 of them right, of 1 in the gold/);
});

/** Return a clock that a test advances. */
function clockOf() {
  const due: (() => void)[] = [];
  const after = (_: number, then: () => void) => {
    due.push(then);
    return () => void due.splice(due.indexOf(then), due.includes(then) ? 1 : 0);
  };
  return { clock: { now: () => 0, setTimer: after }, tick: () => due.shift()?.(), waiting: () => due.length };
}

test("a player plays to the end, and from the start again", () => {
  const { clock, tick, waiting } = clockOf();
  const told: number[] = [];
  const player = new TracePlayer(3, clock, (position) => told.push(position));
  player.toggle();
  tick();
  tick();
  assert.equal(player.position, 2);
  tick();
  assert.deepEqual([player.position, player.isPlaying, waiting()], [3, false, 0]);
  player.toggle();
  assert.deepEqual([player.position, player.isPlaying, waiting()], [0, true, 1]);
  player.changePace(1);
  assert.equal(waiting(), 1);
  player.step(1);
  assert.deepEqual([player.position, player.isPlaying, waiting()], [1, false, 0]);
  assert.deepEqual(told, [1, 2, 3, 0, 1]);
});

test("places beyond the ends are the ends, and what was chosen elsewhere is not told", () => {
  const { clock } = clockOf();
  const told: number[] = [];
  const player = new TracePlayer(3, clock, (position) => told.push(position));
  player.jump(99);
  player.jump(-5);
  player.syncPosition(2);
  player.syncPosition(Number.NaN);
  assert.deepEqual([player.position, told], [0, [3, 0]]);
});
