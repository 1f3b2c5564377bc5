import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { caretAt } from "../src/annotator/model/cursor";
import { findInText, matchFrom } from "../src/annotator/model/textSearch";
import { ViewSettings } from "../src/annotator/model/viewSettings";
import { FakeKernel, MemoryStorage, Page, SETUP, taskOf } from "./fakes";

const text = (words: string, lead = "") => ({ ...taskOf("1", words), lead });

describe("search inside a text", () => {
  test("finds words in any case, as the tokens that hold them", () => {
    assert.deepEqual(findInText(text("Salt and more salt, SALT"), "salt"), [
      { start: 0, end: 1 },
      { start: 3, end: 4 },
      { start: 4, end: 5 },
    ]);
  });

  test("finds parts of words, and words across tokens and white space of any kind", () => {
    const tokens = [["New", "\n  "], ["York", " "], ["Times", ""]] as const;
    assert.deepEqual(findInText({ lead: "  ", tokens }, "new york"), [{ start: 0, end: 2 }]);
    assert.deepEqual(findInText({ lead: "", tokens }, "ork T"), [{ start: 1, end: 3 }]);
  });

  test("takes every character for itself, and nothing for a pattern", () => {
    assert.deepEqual(findInText(text("what (a. b) c+ [x]"), "(a. b)"), [{ start: 1, end: 3 }]);
    assert.deepEqual(findInText(text("abc"), ".*"), []);
    assert.deepEqual(findInText(text("a-b/c"), "-b/"), [{ start: 0, end: 1 }]);
  });

  test("counts a token once, and blanks never", () => {
    assert.deepEqual(findInText(text("aaaa b"), "a"), [{ start: 0, end: 1 }]);
    assert.deepEqual(findInText(text("a b"), "  "), []);
    assert.deepEqual(findInText({ lead: "x ", tokens: [] }, "x"), []);
  });

  test("keeps its places where letters change their length with their case, and beyond the BMP", () => {
    assert.deepEqual(findInText(text("İİ 🧪 Salt"), "salt"), [{ start: 2, end: 3 }]);
  });

  test("goes round at both ends", () => {
    const matches = [3, 7, 9].map((start) => ({ start, end: start + 1 }));
    assert.deepEqual([null, 3, 5, 9].map((from) => matchFrom(matches, from, 1)), [0, 1, 1, 0]);
    assert.deepEqual([null, 3, 5, 9].map((from) => matchFrom(matches, from, -1)), [2, 2, 0, 1]);
    assert.equal(matchFrom([], 3, -1), -1);
  });
});

describe("work that is done up to some place", () => {
  const open = (more = {}) => new Page(new FakeKernel([taskOf("1", "Uber left the big city", more), taskOf("2")]));
  const doneAt = (page: Page, token: number) => {
    page.controller.setCursor(caretAt(token));
    page.run("done");
  };

  test("is kept by the kernel at once, without a decision", () => {
    const page = open();
    page.controller.labelRange({ start: 0, end: 1 });
    doneAt(page, 2);
    const [sent] = page.kernel.received.filter(({ type }) => type === "answer");
    assert.deepEqual(
      { answer: sent?.answer, done: sent?.done, spans: sent?.spans },
      { answer: null, done: 3, spans: [[0, 1, "ORG"]] },
    );
    assert.match(page.controller.announcement, /3 of 5 tokens/);
  });

  test("is taken up where it was left", () => {
    const { controller } = open({ done: 3, draft: true });
    assert.equal(controller.cursor.caret, 2);
    assert.equal(controller.shown?.state.done, 3);
  });

  test("is taken back by the same key, and by undo", () => {
    const page = open();
    doneAt(page, 2);
    doneAt(page, 2);
    assert.equal(page.controller.shown?.state.done, 0);
    page.run("undo");
    assert.equal(page.controller.shown?.state.done, 3);
  });

  test("says nothing more once the example is decided", () => {
    const page = open();
    doneAt(page, 2);
    page.accept();
    const sent = page.kernel.received.filter(({ type }) => type === "answer").at(-1);
    assert.equal(sent?.answer, "accept");
    assert.equal(sent?.done, undefined);
    page.run("undo");
    assert.equal(page.controller.shown?.state.done, 3);
  });

  test("is not for gold that is corrected, nor for versions: a draft would replace an answer", () => {
    const correction = new Page(new FakeKernel([taskOf("1")], { ...SETUP, mends: true }));
    const versions = [{ by: "ann", answer: "accept", spans: [] }] as const;
    const review = new Page(new FakeKernel([taskOf("1", "Uber left", { versions })]));
    for (const page of [correction, review]) {
      doneAt(page, 1);
      assert.equal(page.controller.shown?.state.done, 0);
      assert.equal(page.kernel.received.filter(({ type }) => type === "answer").length, 0);
      assert.match(page.controller.announcement, /answered as a whole/);
    }
  });

  test("is for a text with a set of analyses, which nobody has answered", () => {
    const versions = [{ by: "analysis 1", answer: "accept", spans: [], probability: 0.9 }] as const;
    const set = { level: 0.95, size: 1, complete: true, current: true };
    const page = new Page(new FakeKernel([taskOf("1", "Uber left", { versions, set })]));
    doneAt(page, 0);
    assert.equal(page.controller.shown?.state.done, 1);
  });

  test("asks for a caret", () => {
    const page = open();
    page.run("done");
    assert.equal(page.kernel.received.filter(({ type }) => type === "answer").length, 0);
    assert.match(page.controller.announcement, /caret/);
  });
});

describe("unsure suggestions", () => {
  const spans = [
    [0, 1, "ORG", { source: "m", score: 0.99 }],
    [1, 2, "GPE", { source: "m", score: 0.4 }],
    [3, 4, "GPE", { source: "m", score: 0.7 }],
    [4, 5, "GPE"],
  ] as const;

  test("are stopped at one after the other, and from the beginning again", () => {
    const page = new Page(new FakeKernel([taskOf("1", "Uber left the big city", { spans, suggested: true })]));
    const seen = [1, 2, 3].map(() => {
      page.run("unsure");
      return page.controller.cursor.anchor;
    });
    assert.deepEqual(seen, [1, 3, 1]);
  });

  test("are said to be missing where every one is sure", () => {
    const page = new Page(new FakeKernel([taskOf("1", "Uber left", { spans: [spans[0]], suggested: true })]));
    page.run("unsure");
    assert.equal(page.controller.cursor.caret, null);
    assert.match(page.controller.announcement, /at least/);
  });
});

describe("size and width of the text", () => {
  test("are kept by the browser, for every widget", () => {
    const storage = new MemoryStorage();
    const settings = new ViewSettings(storage);
    settings.changeScale(1);
    settings.toggleWidth();
    const again = new ViewSettings(storage);
    assert.deepEqual([again.scale, again.isWide], [settings.scale, true]);
    assert.ok(again.scale > 1);
  });

  test("have ends, and survive what another program has stored", () => {
    const storage = new MemoryStorage();
    storage.setItem("nbner:view:scale", "17");
    storage.setItem("nbner:view:wide", '"yes"');
    const settings = new ViewSettings(storage);
    assert.deepEqual([settings.scale, settings.isWide], [1, false]);
    for (let i = 0; i < 20; i += 1) settings.changeScale(1);
    assert.match(settings.changeScale(1), /no larger/);
    assert.equal(settings.scale, 2);
    assert.equal(new ViewSettings(null).scale, 1);
  });
});

describe("a target for today", () => {
  const target = { daily: 3, today: 2, answered: 0 };

  test("follows the kernel's count, and is asked for again when a day begins", () => {
    const page = new Page(new FakeKernel([taskOf("1", "Uber left")], { ...SETUP, target }));
    const [hello] = page.kernel.sent("hello");
    assert.equal(hello?.zone, new Date(page.clock.now()).getTimezoneOffset());
    assert.deepEqual(page.controller.target, target);
    page.kernel.tell({ type: "snapshot", ...page.kernel.snapshot, target: { ...target, today: 0 } });
    assert.equal(page.controller.target?.today, 0);
    page.clock.pass(2 * 24 * 3_600_000);
    assert.equal(page.kernel.sent("hello").length, 3);
    page.controller.dispose();
  });

  test("without one no day begins", () => {
    const page = new Page(new FakeKernel([taskOf("1", "Uber left")]));
    page.clock.pass(24 * 3_600_000);
    assert.equal(page.kernel.sent("hello").length, 1);
    assert.equal(page.controller.target, null);
  });
});
