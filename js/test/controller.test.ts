import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { caretAt, selectionOf } from "../src/annotator/model/cursor";
import { FakeKernel, Page, SETUP, taskOf, tasksOf } from "./fakes";

const suggestion = (id: string) =>
  taskOf(id, "Uber left New York", {
    spans: [
      [0, 1, "ORG", { source: "v3", score: 0.8 }],
      [2, 4, "GPE", { source: "v3", score: 0.4 }],
    ],
    suggested: true,
    by: "v3",
  });

describe("labelling", () => {
  test("a label key labels the selection, again removes, another relabels", () => {
    const page = new Page(new FakeKernel(tasksOf(1)));
    page.controller.setCursor(selectionOf({ start: 1, end: 3 }));
    page.run({ do: "label", index: 0 });
    assert.deepEqual(page.spans, [[1, 3, "ORG"]]);
    page.run({ do: "label", index: 1 });
    assert.deepEqual(page.spans, [[1, 3, "PERSON"]]);
    page.run({ do: "label", index: 1 });
    assert.deepEqual(page.spans, []);
  });

  test("a caret inside a span means the span", () => {
    const page = new Page(new FakeKernel([suggestion("1")]));
    page.controller.setCursor(caretAt(3));
    page.run({ do: "label", index: 1 });
    assert.deepEqual(page.spans, [[0, 1, "ORG"], [2, 4, "PERSON"]]);
    page.run("remove");
    assert.deepEqual(page.spans, [[0, 1, "ORG"]]);
  });

  test("without a selection a label becomes the active one, and a drag gives it", () => {
    const page = new Page(new FakeKernel(tasksOf(1)));
    assert.equal(page.controller.activeLabel, "ORG");
    page.run({ do: "label", index: 2 });
    assert.deepEqual(page.spans, []);
    page.controller.labelRange({ start: 2, end: 4 });
    assert.deepEqual(page.spans, [[2, 4, "GPE"]]);
    page.run({ do: "label", index: 1 });
    assert.deepEqual(page.spans, [[2, 4, "GPE"]], "after a drag nothing is selected");
    assert.equal(page.controller.activeLabel, "PERSON");
  });

  test("a label whose key has no label does nothing", () => {
    const page = new Page(new FakeKernel(tasksOf(1)));
    page.run({ do: "label", index: 7 });
    assert.equal(page.controller.activeLabel, "ORG");
  });

  test("a session without labels can still decide", () => {
    const page = new Page(new FakeKernel(tasksOf(1), { ...SETUP, labels: [] }));
    page.controller.labelRange({ start: 0, end: 1 });
    assert.deepEqual(page.spans, []);
    page.accept();
    assert.equal(page.kernel.find("0").answer, "accept");
  });

  test("a suggestion is one until it is touched or accepted, and what it was is remembered", () => {
    const page = new Page(new FakeKernel([suggestion("1"), taskOf("2")]));
    const { controller } = page;
    const isSuggested = () => controller.spans.map((span) => controller.isSuggestion(span));
    assert.deepEqual(isSuggested(), [true, true]);
    controller.setCursor(caretAt(0));
    page.run({ do: "label", index: 1 });
    assert.deepEqual(isSuggested(), [false, true]);
    assert.equal(controller.replacedSuggestion(controller.spans[0]!)?.label, "ORG");
    page.accept();
    page.run({ do: "browse", by: -1 });
    assert.deepEqual(isSuggested(), [false, false]);
  });
});

describe("deciding", () => {
  test("the next example stands there at once, with the kernel busy all along", () => {
    const kernel = new FakeKernel(tasksOf(40));
    const page = new Page(kernel);
    kernel.become("busy");
    page.accept(11);
    assert.equal(page.shown, "11");
    page.accept();
    assert.equal(page.shown, null, "the window is used up");
    assert.equal(kernel.events.length, 0);
    kernel.become("well");
    assert.equal(kernel.events.length, 12);
    assert.equal(page.shown, "12");
    assert.equal(page.saving, "saved");
  });

  test("every example is shown once, in order, and the window stays full", () => {
    const kernel = new FakeKernel(tasksOf(50));
    const page = new Page(kernel);
    const seen: (string | null)[] = [];
    for (let i = 0; i < 50; i += 1) {
      seen.push(page.shown);
      assert.ok(page.controller.items.filter(({ state }) => !state.answer).length <= 12);
      page.accept();
    }
    assert.deepEqual(seen, tasksOf(50).map(({ id }) => id));
    assert.equal(page.shown, null);
    assert.deepEqual(page.controller.counts, { total: 50, accept: 50, reject: 0, ignore: 0, open: 0 });
    assert.equal(kernel.sent("fetch").length, 0, "acknowledgements alone fill the window");
  });

  test("counts move with the hand, not with the kernel", () => {
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel);
    kernel.become("busy");
    page.accept();
    page.run({ do: "decide", answer: "reject" });
    assert.deepEqual(page.controller.counts, { total: 3, accept: 1, reject: 1, ignore: 0, open: 1 });
    page.run("take-back");
    assert.deepEqual(page.controller.counts, { total: 3, accept: 1, reject: 0, ignore: 0, open: 2 });
    kernel.become("well");
    assert.deepEqual(page.controller.counts, kernel.counts);
  });

  test("an edit takes a decision back, and says so to the kernel", () => {
    const kernel = new FakeKernel(tasksOf(2));
    const page = new Page(kernel);
    page.controller.labelRange({ start: 0, end: 1 });
    page.accept();
    page.run({ do: "browse", by: -1 });
    assert.equal(page.shown, "0");
    page.controller.labelRange({ start: 1, end: 2 });
    assert.equal(kernel.find("0").answer, null);
    assert.deepEqual(kernel.find("0").spans, [[0, 1, "ORG"], [1, 2, "ORG"]]);
  });

  test("deciding the same again sends nothing and goes on", () => {
    const kernel = new FakeKernel(tasksOf(2));
    const page = new Page(kernel);
    page.accept();
    page.run({ do: "browse", by: -1 });
    page.accept();
    assert.equal(kernel.events.length, 1);
    assert.equal(page.shown, "1");
  });

  test("a flag does not take a decision back", () => {
    const kernel = new FakeKernel(tasksOf(2));
    const page = new Page(kernel);
    page.accept();
    page.run({ do: "browse", by: -1 }, "flag");
    assert.equal(kernel.find("0").answer, "accept");
    assert.equal(kernel.find("0").flagged, true);
  });

  test("an edit that is left without a decision is sent as a draft", () => {
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel);
    page.controller.labelRange({ start: 0, end: 1 });
    assert.equal(kernel.events.length, 0);
    page.run({ do: "browse", by: 1 });
    const events = kernel.events.map(({ answer, spans }) => [answer, spans]);
    assert.deepEqual(events, [[null, [[0, 1, "ORG"]]]]);
    assert.equal(page.shown, "1");
  });

  test("seconds are those that an example was looked at", () => {
    const kernel = new FakeKernel(tasksOf(2));
    const page = new Page(kernel);
    page.clock.pass(2_500);
    page.accept();
    page.clock.pass(1_000);
    page.accept();
    assert.deepEqual(kernel.sent("answer").map(({ seconds }) => seconds), [2.5, 1]);
  });
});

describe("undo and redo", () => {
  test("go back and forth across edits, decisions and examples", () => {
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel);
    page.controller.labelRange({ start: 0, end: 1 });
    page.controller.labelRange({ start: 2, end: 3 });
    page.accept();
    page.controller.labelRange({ start: 1, end: 2 });
    page.run({ do: "decide", answer: "reject" });
    assert.equal(page.shown, "2");
    const ways = [
      ["1", [[1, 2, "ORG"]]],
      ["1", []],
      ["0", [[0, 1, "ORG"], [2, 3, "ORG"]]],
      ["0", [[0, 1, "ORG"]]],
      ["0", []],
    ] as const;
    for (const [example, spans] of ways) {
      page.run("undo");
      assert.equal(page.shown, example);
      assert.deepEqual(page.spans, spans);
    }
    assert.equal(kernel.counts.open, 3);
    page.run("undo");
    assert.equal(page.controller.announcement, "Nothing to undo");
    page.run("redo", "redo", "redo", "redo", "redo");
    assert.equal(page.shown, "2");
    assert.equal(kernel.find("0").answer, "accept");
    assert.equal(kernel.find("1").answer, "reject");
    assert.deepEqual(kernel.find("0").spans, [[0, 1, "ORG"], [2, 3, "ORG"]]);
    page.run("redo");
    assert.equal(page.controller.announcement, "Nothing to redo");
  });

  test("taking the last decision back can be redone, and undo then goes on behind it", () => {
    const page = new Page(new FakeKernel(tasksOf(3)));
    page.controller.labelRange({ start: 0, end: 1 });
    page.accept();
    page.run("take-back");
    assert.equal(page.shown, "0");
    page.run("undo");
    assert.deepEqual(page.spans, []);
    page.run("redo", "redo");
    assert.equal(page.shown, "1");
  });

  test("decisions are taken back one by one, also those from before the page was loaded", () => {
    const kernel = new FakeKernel(tasksOf(4));
    new Page(kernel).accept(2);
    const page = new Page(kernel);
    page.accept();
    const back = [];
    for (let i = 0; i < 3; i += 1) {
      page.run("take-back");
      back.push(page.shown);
    }
    assert.deepEqual(back, ["2", "1", "0"]);
    assert.equal(kernel.counts.open, 4);
    page.run("take-back");
    assert.equal(page.controller.announcement, "No decision to take back");
  });

  test("taking a decision back with newer edits elsewhere keeps those edits", () => {
    const page = new Page(new FakeKernel(tasksOf(3)));
    page.accept();
    page.controller.labelRange({ start: 0, end: 2 });
    page.run("take-back");
    assert.equal(page.shown, "0");
    page.run({ do: "browse", by: 1 });
    assert.deepEqual(page.spans, [[0, 2, "ORG"]]);
  });

  test("undo reaches as deep as the dataset", () => {
    const kernel = new FakeKernel(tasksOf(100));
    new Page(kernel).accept(100);
    const page = new Page(kernel);
    for (let i = 99; i >= 0; i -= 1) {
      page.run("undo");
      assert.equal(page.shown, String(i));
    }
    assert.equal(kernel.counts.open, 100);
    assert.ok(kernel.sent("past").length >= 7);
  });

  test("an undone edit that took a decision back brings the decision back too", () => {
    const kernel = new FakeKernel(tasksOf(2));
    const page = new Page(kernel);
    page.accept();
    page.run({ do: "browse", by: -1 });
    page.controller.labelRange({ start: 0, end: 1 });
    page.run("undo");
    assert.equal(kernel.find("0").answer, "accept");
    assert.deepEqual(kernel.find("0").spans, []);
  });

  test("after thousands of decisions the page holds a few hundred examples at most", () => {
    const page = new Page(new FakeKernel(tasksOf(1_000)));
    page.accept(1_000);
    assert.ok(page.controller.items.length <= 220);
    page.run("undo", "undo");
    assert.equal(page.shown, "998");
  });
});

describe("the caret", () => {
  test("goes from span to span and knows where there is none", () => {
    const page = new Page(new FakeKernel([suggestion("1")]));
    const { controller } = page;
    page.run({ do: "span", by: 1 });
    assert.deepEqual(controller.currentSpan?.label, "ORG");
    page.run({ do: "span", by: 1 });
    assert.deepEqual(controller.currentSpan?.label, "GPE");
    assert.equal(controller.adjacentSpan(1), null);
    page.run({ do: "span", by: -1 });
    assert.deepEqual(controller.currentSpan?.label, "ORG");
  });

  test("is gone on the next example", () => {
    const page = new Page(new FakeKernel(tasksOf(2)));
    page.controller.stepCaret(1, false);
    page.accept();
    assert.equal(page.controller.cursor.caret, null);
  });

  test("what a person does is said to those who cannot see it", () => {
    const page = new Page(new FakeKernel(tasksOf(2)));
    page.controller.stepCaret(1, false);
    assert.equal(page.controller.announcement, "Uber");
    page.run({ do: "label", index: 0 });
    assert.equal(page.controller.announcement, "Uber: ORG");
    page.accept();
    assert.equal(page.controller.announcement, "Accepted. Open example, 0 spans. 1 of 2 answered.");
  });
});
