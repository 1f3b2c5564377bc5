import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { selectionOf } from "../src/annotator/model/cursor";
import type { Analysis, WireSpan } from "../src/shared/protocol";
import { FakeKernel, Page, SETUP, taskOf } from "./fakes";

const FIRST: WireSpan[] = [
  [0, 1, "ORG", { source: "v3", score: 0.9 }],
  [2, 4, "GPE", { source: "v3", score: 0.4 }],
];
const SECOND: WireSpan[] = [[0, 1, "ORG", { source: "v3", score: 0.9 }]];
const THIRD: WireSpan[] = [[0, 1, "PERSON", { source: "v3", score: 0.1 }]];
const LIST: Analysis[] = [
  { probability: 0.5, spans: FIRST },
  { probability: 0.3, spans: SECOND },
  { probability: 0.1, spans: THIRD },
];
const ADVISING = { ...SETUP, mode: "make-gold", advises: true, redecodes: true } as const;

function opened(analyses = LIST, setup = ADVISING): Page {
  const suggested = { suggested: true, by: "v3", spans: FIRST };
  const tasks = ["1", "2"].map((id) => taskOf(id, "Uber left New York", suggested));
  const kernel = new FakeKernel(tasks, setup);
  kernel.analyses = analyses;
  return new Page(kernel);
}

const plain = (spans: readonly WireSpan[]) => spans.map(([start, end, label]) => [start, end, label]);

describe("leafing through analyses", () => {
  test("goes down the model's list and up again, and says where one is", () => {
    const page = opened();
    page.run({ do: "candidate", by: 1 });
    assert.deepEqual(page.spans, plain(SECOND));
    assert.deepEqual(page.controller.kBest.position, { at: 2, of: 3, probability: 0.3 });
    page.run({ do: "candidate", by: 1 });
    assert.deepEqual(page.spans, plain(THIRD));
    page.run({ do: "candidate", by: 1 });
    assert.deepEqual(page.spans, plain(THIRD), "there is no further one");
    page.run({ do: "candidate", by: -1 }, { do: "candidate", by: -1 }, { do: "candidate", by: -1 });
    assert.deepEqual(page.spans, plain(FIRST));
    assert.equal(page.kernel.sent("analyses").length, 1);
  });

  test("what differs from the best analysis is marked, and stays a suggestion", () => {
    const page = opened();
    page.run({ do: "candidate", by: 1 }, { do: "candidate", by: 1 });
    const [span] = page.controller.spans;
    assert.ok(span !== undefined && page.controller.kBest.differsFromBest(span));
    assert.ok(page.controller.isSuggestion(span));
  });

  test("one undo goes back to where it began", () => {
    const page = opened();
    page.run({ do: "candidate", by: 1 }, { do: "candidate", by: 1 }, "undo");
    assert.deepEqual(page.spans, plain(FIRST));
  });

  test("an analysis is accepted as it is shown", () => {
    const page = opened();
    page.run({ do: "candidate", by: 1 });
    page.accept();
    assert.deepEqual(plain(page.kernel.find("1").spans), plain(SECOND));
  });

  test("an answer that comes after one has gone on changes nothing", () => {
    const page = opened();
    page.kernel.become("busy");
    page.run({ do: "candidate", by: 1 });
    page.accept();
    page.kernel.become("well");
    assert.deepEqual(plain(page.kernel.find("1").spans), plain(FIRST));
    assert.deepEqual(page.spans, plain(FIRST), "nor does the next example");
  });
});

describe("corrections and their neighbours", () => {
  test("the rest is searched again with what was fixed and without what was taken off", () => {
    const page = opened([{ probability: 0.6, spans: [[0, 1, "PERSON"], [3, 4, "ORG", { score: 0.8 }]] }]);
    page.controller.setCursor(selectionOf({ start: 0, end: 1 }));
    page.run({ do: "label", index: 1 });
    const [asked] = page.kernel.sent("analyses");
    assert.deepEqual(asked?.forced, [[0, 1, "PERSON"]]);
    assert.deepEqual(asked?.forbidden, [], "a fixed span is in the way of what it replaced");
    assert.deepEqual(page.spans, [[0, 1, "PERSON"], [3, 4, "ORG"]]);
    const [fixed, moved] = page.controller.spans;
    assert.ok(fixed !== undefined && !page.controller.isSuggestion(fixed));
    assert.ok(moved !== undefined && page.controller.isSuggestion(moved));
  });

  test("a suggestion that was taken off stays off, also after the next change", () => {
    const page = opened([{ probability: 0.6, spans: SECOND }]);
    page.controller.setCursor(selectionOf({ start: 2, end: 4 }));
    page.run("remove");
    page.controller.setCursor(selectionOf({ start: 1, end: 2 }));
    page.run({ do: "label", index: 0 });
    const [first, second] = page.kernel.sent("analyses");
    assert.deepEqual(first?.forbidden, [[2, 4, "GPE"]]);
    assert.deepEqual(second?.forbidden, [[2, 4, "GPE"]]);
    assert.deepEqual(second?.forced, [[1, 2, "ORG"]]);
  });

  test("one undo takes back the change and what the model made of it", () => {
    const page = opened([{ probability: 0.6, spans: [[0, 1, "PERSON"]] }]);
    page.controller.setCursor(selectionOf({ start: 0, end: 1 }));
    page.run({ do: "label", index: 1 });
    assert.deepEqual(page.spans, [[0, 1, "PERSON"]]);
    page.run("undo");
    assert.deepEqual(page.spans, plain(FIRST));
    page.run("redo");
    assert.deepEqual(page.spans, [[0, 1, "PERSON"]]);
  });

  test("what a person has put elsewhere meanwhile is not touched", () => {
    const all: WireSpan[] = [[0, 1, "PERSON"], [1, 2, "ORG"], [3, 4, "GPE"]];
    const page = opened([{ probability: 0.6, spans: all }]);
    page.kernel.become("busy");
    page.controller.setCursor(selectionOf({ start: 0, end: 1 }));
    page.run({ do: "label", index: 1 });
    page.controller.setCursor(selectionOf({ start: 1, end: 2 }));
    page.run({ do: "label", index: 0 });
    page.kernel.become("well");
    assert.deepEqual(page.spans, plain(all));
    assert.deepEqual(page.kernel.sent("analyses")[1]?.forced, [[0, 1, "PERSON"], [1, 2, "ORG"]]);
  });

  test("nobody is asked where the kernel does not search again", () => {
    const page = opened(LIST, { ...ADVISING, redecodes: false } as unknown as typeof ADVISING);
    page.controller.setCursor(selectionOf({ start: 0, end: 1 }));
    page.run("remove");
    assert.deepEqual(page.kernel.sent("analyses"), []);
  });
});

describe("the threshold", () => {
  test("hides what is not sure enough and shows it again", () => {
    const page = opened();
    page.controller.setThreshold(0.5);
    assert.deepEqual(page.spans, plain(SECOND));
    assert.equal(page.controller.kBest.hiddenCount(page.controller.shown), 1);
    page.controller.setThreshold(0.2);
    assert.deepEqual(page.spans, plain(FIRST));
  });

  test("holds for the next example, and what is hidden is not accepted", () => {
    const page = opened();
    page.controller.setThreshold(0.5);
    page.accept();
    assert.deepEqual(plain(page.kernel.find("1").spans), plain(SECOND));
    assert.deepEqual(page.spans, plain(SECOND));
  });

  test("leaves alone what a person works on", () => {
    const page = opened(LIST, { ...ADVISING, redecodes: false } as unknown as typeof ADVISING);
    page.controller.setCursor(selectionOf({ start: 1, end: 2 }));
    page.run({ do: "label", index: 0 });
    page.controller.setThreshold(0.5);
    assert.deepEqual(page.spans, [[0, 1, "ORG"], [1, 2, "ORG"], [2, 4, "GPE"]]);
  });
});
