import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { caretAt, edgeToken, NO_CURSOR, selectionOf, clickedAt, selectedRange, stepCaret, moveCaret } from "../src/annotator/model/cursor";

const ground = { size: 6, isBlank: (token: number): boolean => token === 2 };

describe("caret and selection", () => {
  test("from nowhere the caret goes to the beginning or to the end", () => {
    assert.deepEqual(stepCaret(NO_CURSOR, 1, false, ground), caretAt(0));
    assert.deepEqual(stepCaret(NO_CURSOR, -1, false, ground), caretAt(5));
  });

  test("blank tokens are stepped over, and the ends hold", () => {
    assert.deepEqual(stepCaret(caretAt(1), 1, false, ground), caretAt(3));
    assert.deepEqual(stepCaret(caretAt(3), -1, false, ground), caretAt(1));
    assert.deepEqual(stepCaret(caretAt(5), 1, false, ground), caretAt(5));
    assert.deepEqual(stepCaret(caretAt(0), -1, false, ground), caretAt(0));
  });

  test("extending keeps the other end", () => {
    const wide = stepCaret(stepCaret(caretAt(0), 1, true, ground), 1, true, ground);
    assert.deepEqual(selectedRange(wide), { start: 0, end: 4 });
    assert.deepEqual(selectedRange(stepCaret(caretAt(4), -1, true, ground)), { start: 3, end: 5 });
  });

  test("leaving a selection goes on from the side one leaves by", () => {
    assert.deepEqual(stepCaret(selectionOf({ start: 3, end: 5 }), 1, false, ground), caretAt(5));
    assert.deepEqual(stepCaret(selectionOf({ start: 3, end: 5 }), -1, false, ground), caretAt(1));
  });

  test("a place left by a click selects nothing until it is extended", () => {
    assert.equal(selectedRange(clickedAt(3)), null);
    assert.deepEqual(selectedRange(moveCaret(clickedAt(3), 4, true)), { start: 3, end: 5 });
  });

  test("a text without a token, or of blanks alone, has no place for a caret", () => {
    assert.deepEqual(stepCaret(NO_CURSOR, 1, false, { size: 0, isBlank: () => false }), NO_CURSOR);
    assert.equal(edgeToken("start", { size: 3, isBlank: () => true }), null);
  });
});
