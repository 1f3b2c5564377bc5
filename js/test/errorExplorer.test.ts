import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeFindings } from "../src/errorExplorer/explorer";
import { parseCellRef, parseFindings, parseOverview, type Finding } from "../src/errorExplorer/messages";

const finding = (id: string, words: string): Finding =>
  parseFindings({ rows: [{ id, sides: [["gold", [["a ", "", false], [words, "ORG", true]]]] }] })
    .rows[0] as Finding;

test("whatever the kernel sends, a state comes out of it", () => {
  for (const raw of [null, 7, [], {}, { labels: 3, cells: [[1]], columns: [], conditions: "x" }]) {
    const state = parseOverview(raw);
    assert.deepEqual(state.labels, []);
    assert.equal(state.total, 0);
    assert.equal(state.conditions.text, "");
  }
});

test("a place is a square of the matrix, a bar, or everything", () => {
  assert.deepEqual(parseCellRef({ gold: null, predicted: "A" }), { gold: null, predicted: "A", borders: false });
  assert.deepEqual(parseCellRef({ factor: "length", bucket: "2" }), { factor: "length", bucket: "2" });
  assert.deepEqual(parseCellRef({}), {});
});

test("what is mended stays in its place, and what comes is put behind it", () => {
  const [one, two, three] = [finding("1", "x"), finding("2", "y"), finding("3", "z")];
  const now = mergeFindings([one, two], [two, three]);
  assert.deepEqual(now.map(({ id, isFixed: isGone }) => [id, isGone]), [["1", true], ["2", false], ["3", false]]);
  // Once the change is undone, the finding is listed again.
  assert.deepEqual(mergeFindings(now, [one, two, three]).map(({ isFixed: isGone }) => isGone), [false, false, false]);
});
