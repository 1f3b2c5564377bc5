import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, edge, NOWHERE, over, place, selected, step, to } from "../src/annotator/model/cursor";

const ground = { size: 6, isBlank: (token: number): boolean => token === 2 };

describe("caret and selection", () => {
  test("from nowhere the caret goes to the beginning or to the end", () => {
    assert.deepEqual(step(NOWHERE, 1, false, ground), at(0));
    assert.deepEqual(step(NOWHERE, -1, false, ground), at(5));
  });

  test("blank tokens are stepped over, and the ends hold", () => {
    assert.deepEqual(step(at(1), 1, false, ground), at(3));
    assert.deepEqual(step(at(3), -1, false, ground), at(1));
    assert.deepEqual(step(at(5), 1, false, ground), at(5));
    assert.deepEqual(step(at(0), -1, false, ground), at(0));
  });

  test("extending keeps the other end", () => {
    const wide = step(step(at(0), 1, true, ground), 1, true, ground);
    assert.deepEqual(selected(wide), { start: 0, end: 4 });
    assert.deepEqual(selected(step(at(4), -1, true, ground)), { start: 3, end: 5 });
  });

  test("leaving a selection goes on from the side one leaves by", () => {
    assert.deepEqual(step(over({ start: 3, end: 5 }), 1, false, ground), at(5));
    assert.deepEqual(step(over({ start: 3, end: 5 }), -1, false, ground), at(1));
  });

  test("a place left by a click selects nothing until it is extended", () => {
    assert.equal(selected(place(3)), null);
    assert.deepEqual(selected(to(place(3), 4, true)), { start: 3, end: 5 });
  });

  test("a text without a token, or of blanks alone, has no place for a caret", () => {
    assert.deepEqual(step(NOWHERE, 1, false, { size: 0, isBlank: () => false }), NOWHERE);
    assert.equal(edge("start", { size: 3, isBlank: () => true }), null);
  });
});
