import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseMessage, parseSetup, parseTask, parseTasks } from "../src/shared/parseMessages";

const sound = { id: "1", lead: " ", tokens: [["Uber", " "], ["left", ""]], spans: [] };

describe("reading what the kernel sends", () => {
  test("an example of another version is used as far as it goes", () => {
    const task = parseTask({ ...sound, answer: "maybe", flagged: "yes", colour: 3 });
    assert.equal(task?.answer, null);
    assert.equal(task?.flagged, false);
    assert.deepEqual(task?.tokens, sound.tokens);
    assert.deepEqual(task?.loose, []);
  });

  test("what is no example is left out, and the rest is kept", () => {
    assert.equal(parseTasks([null, 3, {}, { id: 7, tokens: [] }, sound]).length, 1);
  });

  test("suggestions that overlap or leave the text are told, not drawn and not dropped", () => {
    const spans = [
      [0, 2, "ORG"],
      [1, 2, "GPE"],
      [1, 9, "PERSON"],
      ["a", null, "LAW"],
    ];
    const task = parseTask({ ...sound, spans });
    assert.deepEqual(task?.spans.map(([start, end, label]) => [start, end, label]), [[0, 2, "ORG"]]);
    assert.deepEqual(new Set(task?.loose.map(({ label }) => label)), new Set(["GPE", "PERSON", "LAW"]));
  });

  test("labels are told once each, empty ones never, and colours only as colours", () => {
    const setup = parseSetup({
      labels: ["A", "", "B", "A", 4],
      colors: { A: "#00ff00", B: "red; background: url(//x)" },
    });
    assert.deepEqual(setup.labels, ["A", "B"]);
    assert.deepEqual(setup.colors, { A: "#00ff00" });
  });

  test("messages that this page does not know are passed over", () => {
    for (const raw of [undefined, null, 3, "saved", [], {}, { type: "confetti" }]) {
      assert.equal(parseMessage(raw), null);
    }
  });
});
