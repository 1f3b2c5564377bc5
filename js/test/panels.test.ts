import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { caretAt, selectionOf } from "../src/annotator/model/cursor";
import { findOccurrences, conflictAt } from "../src/annotator/model/occurrences";
import type { Occurrence } from "../src/shared/protocol";
import { parseQuery, labelTerm, toggleTerm } from "../src/annotator/model/searchQuery";
import { resizeSpan } from "../src/annotator/model/spans";
import { FakeKernel, Page, SETUP, taskOf, tasksOf } from "./fakes";

const tokensOf = (text: string) => taskOf("t", text).tokens;

describe("the ends of a span", () => {
  const ground = { size: 6, isBlank: (token: number) => token === 3 };
  const span = { start: 1, end: 3, label: "ORG" };

  test("move by a token, over blank ones, and never to nothing or past the text", () => {
    const move = (edge: "start" | "end", by: 1 | -1) => resizeSpan([span], span, edge, by, ground);
    assert.deepEqual(move("end", 1), { start: 1, end: 5, label: "ORG" });
    assert.deepEqual(move("end", -1), { start: 1, end: 2, label: "ORG" });
    assert.deepEqual(move("start", -1), { start: 0, end: 3, label: "ORG" });
    assert.deepEqual(move("start", 1), { start: 2, end: 3, label: "ORG" });
    const one = { start: 0, end: 1, label: "ORG" };
    assert.equal(resizeSpan([one], one, "end", -1, ground), null);
    assert.equal(resizeSpan([one], one, "start", -1, ground), null);
  });

  test("a neighbour is not pushed", () => {
    const other = { start: 4, end: 5, label: "GPE" };
    assert.equal(resizeSpan([span, other], span, "end", 1, ground), null);
  });

  test("by command: the span stays selected, and undo takes it back", () => {
    const page = new Page(new FakeKernel(tasksOf(1)));
    page.controller.labelRange({ start: 0, end: 1 });
    page.controller.setCursor(caretAt(0));
    page.controller.resizeSpan("end", 1);
    page.controller.resizeSpan("end", 1);
    page.controller.resizeSpan("start", 1);
    assert.deepEqual(page.spans, [[1, 3, "ORG"]]);
    assert.deepEqual(page.controller.cursor, selectionOf({ start: 1, end: 3 }));
    page.run("undo", "undo", "undo");
    assert.deepEqual(page.spans, [[0, 1, "ORG"]]);
  });
});

describe("undo", () => {
  test("goes back through every edit of a thousand examples, and forward again", () => {
    const kernel = new FakeKernel(tasksOf(1_000));
    const page = new Page(kernel);
    for (let i = 0; i < 1_000; i += 1) {
      page.controller.labelRange({ start: i % 4, end: (i % 4) + 1 });
      page.accept();
    }
    assert.ok(page.controller.items.length <= 220);
    for (let i = 999; i >= 0; i -= 1) {
      page.run("undo");
      assert.equal(page.shown, String(i));
      assert.deepEqual(page.spans, [[i % 4, (i % 4) + 1, "ORG"]]);
      page.run("undo");
      assert.deepEqual(page.spans, []);
    }
    assert.equal(kernel.counts.open, 1_000);
    for (let i = 0; i < 2_000; i += 1) page.run("redo");
    assert.equal(kernel.counts.accept, 1_000);
    assert.deepEqual(kernel.find("7").spans, [[3, 4, "ORG"]]);
  });

  test("waits for older answers that are on their way, as with a slow kernel", () => {
    const kernel = new FakeKernel(tasksOf(40));
    new Page(kernel).accept(40);
    const page = new Page(kernel);
    kernel.become("busy");
    for (let i = 0; i < 14; i += 1) page.run("undo");
    assert.equal(page.controller.announcement, "Older answers are on their way");
    kernel.become("well");
    assert.equal(page.shown, "27");
  });

  test("a note is kept with the answer, does not take it back, and can be undone", () => {
    const kernel = new FakeKernel(tasksOf(2));
    const page = new Page(kernel);
    page.accept();
    page.run({ do: "browse", by: -1 });
    page.controller.setNote("odd");
    assert.deepEqual([kernel.find("0").note, kernel.find("0").answer], ["odd", "accept"]);
    page.run("undo");
    assert.equal(kernel.find("0").note, "");
    assert.equal(kernel.find("0").answer, "accept");
  });

  test("an unsent note outlives a reload", () => {
    const page = new Page(new FakeKernel(tasksOf(2)));
    page.controller.setNote("odd");
    assert.equal(page.reload().controller.shown?.state.note, "odd");
  });
});

describe("the list", () => {
  const search = (page: Page, query: string) => page.controller.updatePanel(({ exampleList: listing }) => listing.search(query));

  test("words of a search and what they mean", () => {
    assert.deepEqual(parseQuery('is:open label:"a b" by:ann heat is:flagged sort:unsure the "oven door"'), {
      answer: "open",
      label: "a b",
      annotator: "ann",
      flagged: true,
      order: "unsure",
      text: "heat the oven door",
    });
    assert.deepEqual(parseQuery("is:strange 10:30"), { text: "is:strange 10:30" });
    assert.equal(toggleTerm("heat is:open", "is:accepted"), "heat is:accepted");
    assert.equal(toggleTerm("heat is:open", "is:open"), "heat");
    assert.deepEqual(parseQuery(labelTerm("Generic Measure")), { label: "Generic Measure" });
    assert.deepEqual(parseQuery(labelTerm("ORG")), { label: "ORG" });
  });

  test("gives rows page by page, and any of them can be shown, edited and decided", () => {
    const kernel = new FakeKernel(tasksOf(500));
    const page = new Page(kernel);
    page.run({ do: "list" });
    const { exampleList: listing } = page.controller.sidePanel;
    assert.deepEqual([listing.state.rows.length, listing.state.total], [50, 500]);
    for (let i = 0; i < 300; i += 1) page.controller.updatePanel(() => listing.setActive(listing.state.activeIndex + 1));
    assert.equal(listing.activeRow?.id, "300");
    page.controller.openActiveRow();
    assert.equal(page.shown, "300");
    assert.equal(page.controller.sidePanel.open, null);
    page.controller.labelRange({ start: 0, end: 1 });
    page.accept();
    assert.deepEqual(kernel.find("300").spans, [[0, 1, "ORG"]]);
    assert.equal(page.shown, "301", "one goes on along the list");
    page.run({ do: "browse", by: -1 });
    assert.equal(page.shown, "300");
    assert.deepEqual(page.controller.resultPosition, { at: 301, of: listing.state.rows.length });
    page.run({ do: "first-open" });
    assert.equal(page.shown, "0");
    page.run("take-back");
    assert.equal(page.shown, "300");
    assert.equal(kernel.find("300").answer, null);
  });

  test("only the newest search counts, however late the replies", () => {
    const kernel = new FakeKernel([taskOf("1", "heat"), taskOf("2", "cool")]);
    const page = new Page(kernel);
    kernel.become("busy");
    search(page, "he");
    search(page, "heat");
    search(page, "cool");
    kernel.become("well");
    assert.deepEqual(page.controller.sidePanel.exampleList.state.rows.map(({ id }) => id), ["2"]);
  });

  test("a question that was lost is put again once the kernel speaks", () => {
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel);
    kernel.become("deaf");
    page.run({ do: "list" });
    kernel.become("well");
    page.clock.pass(9_000);
    assert.equal(page.controller.sidePanel.exampleList.state.total, 3);
  });

  test("searches are kept in the browser and forgotten again", () => {
    const page = new Page(new FakeKernel(tasksOf(1)));
    search(page, "is:flagged heat");
    page.controller.updatePanel(({ exampleList: listing }) => listing.toggleSaved());
    const { exampleList: listing } = page.reload().controller.sidePanel;
    assert.deepEqual(listing.state.savedQueries, ["is:flagged heat"]);
    listing.search("is:flagged heat");
    listing.toggleSaved();
    assert.deepEqual(listing.state.savedQueries, []);
  });

  test("an example shown out of turn comes in its turn too", () => {
    const kernel = new FakeKernel(tasksOf(30));
    const page = new Page(kernel);
    kernel.tell({ type: "show", task: kernel.find("20"), counts: kernel.counts });
    assert.equal(page.shown, "20");
    page.run({ do: "browse", by: 1 });
    const seen = [];
    for (let i = 0; i < 30; i += 1) {
      seen.push(page.shown);
      page.accept();
    }
    assert.deepEqual(seen, tasksOf(30).map(({ id }) => id));
  });

  test("what code has answered is left, unless the user is at work on it", () => {
    const kernel = new FakeKernel(tasksOf(5));
    const page = new Page(kernel);
    const follow = (id: string, turn: number): void =>
      kernel.tell({ type: "show", task: kernel.find(id), counts: kernel.counts, follow: true, turn });
    follow("1", 1);
    assert.equal(page.shown, "1");
    page.controller.labelRange({ start: 0, end: 1 });
    follow("2", 2);
    assert.equal(page.shown, "1");
    assert.deepEqual(page.spans, [[0, 1, "ORG"]]);
  });
});

describe("every occurrence", () => {
  const text = "Uber met uber and Uber Eats at Uber";
  const place = (example: string, start: number, problem = ""): Occurrence => ({
    example,
    start,
    end: start + 1,
    problem,
    left: "",
    hit: "Uber",
    right: "",
  });

  test("is found as whole tokens, in the same case or in any", () => {
    assert.deepEqual(findOccurrences(tokensOf(text), ["Uber"], true).map(({ start }) => start), [0, 4, 7]);
    assert.deepEqual(findOccurrences(tokensOf(text), ["Uber"], false).map(({ start }) => start), [0, 2, 4, 7]);
    assert.deepEqual(findOccurrences(tokensOf("a a a a"), ["a", "a"], true), [
      { start: 0, end: 2 },
      { start: 2, end: 4 },
    ]);
    const broken = [["New", "\n"], [" ", ""], ["York", ""]] as const;
    assert.deepEqual(findOccurrences(broken, ["New", "York"], true), [{ start: 0, end: 3 }]);
  });

  test("what stands there is never overwritten", () => {
    const spans = [{ start: 0, end: 2, label: "GPE" }];
    assert.equal(conflictAt(spans, { start: 1, end: 2 }, "ORG", "label"), "holds GPE");
    assert.equal(conflictAt(spans, { start: 1, end: 2 }, "ORG", "label", true), "holds GPE");
    assert.equal(conflictAt(spans, { start: 0, end: 2 }, "ORG", "label", true), "");
    assert.equal(conflictAt(spans, { start: 0, end: 2 }, "GPE", "label", true), null);
    assert.equal(conflictAt(spans, { start: 0, end: 2 }, "GPE", "label"), null);
    assert.equal(conflictAt(spans, { start: 2, end: 3 }, "ORG", "label"), "");
    assert.equal(conflictAt(spans, { start: 0, end: 2 }, "GPE", "unlabel"), "");
    assert.equal(conflictAt(spans, { start: 0, end: 2 }, "ORG", "unlabel"), null);
  });

  test("is labelled here as one step, but for what is unticked or taken", () => {
    const page = new Page(new FakeKernel([taskOf("1", text), taskOf("2")]));
    const { controller } = page;
    controller.labelRange({ start: 4, end: 6 });
    controller.setCursor(caretAt(0));
    page.run({ do: "occurrences", action: "label" });
    const { occurrences: everywhere } = controller.sidePanel;
    const lines = everywhere.rows.map((row) => [row.range.start, row.problem, everywhere.isChecked(row)]);
    assert.deepEqual(lines, [[0, "", true], [4, "holds ORG", false], [7, "", true]]);
    everywhere.toggleRow(1);
    assert.equal(everywhere.checkedRows.length, 2, "a conflict cannot be ticked");
    everywhere.apply();
    assert.deepEqual(page.spans, [[0, 1, "ORG"], [4, 6, "ORG"], [7, 8, "ORG"]]);
    page.run("undo");
    assert.deepEqual(page.spans, [[4, 6, "ORG"]]);
    page.run("redo");
    page.run({ do: "occurrences", action: "unlabel" });
    controller.sidePanel.occurrences.apply();
    assert.deepEqual(page.spans, [[4, 6, "ORG"]]);
  });

  test("in coming examples it is one change with one id, taken back by one undo", () => {
    const kernel = new FakeKernel([taskOf("1", text), taskOf("2", text), taskOf("3", text)]);
    kernel.places = [place("2", 0), place("3", 7), place("3", 0, "holds GPE")];
    const page = new Page(kernel);
    page.controller.labelRange({ start: 0, end: 1 });
    page.controller.setCursor(caretAt(0));
    page.run({ do: "occurrences", action: "label" });
    page.controller.updatePanel(({ occurrences: everywhere }) => everywhere.setIncludeUpcoming(true));
    const { occurrences: everywhere } = page.controller.sidePanel;
    assert.equal(kernel.find("1").spans.length, 1, "edits are sent before the kernel is asked");
    assert.equal(everywhere.rows.length, 5);
    assert.equal(everywhere.state.labeledCount, 1);
    everywhere.apply();
    const [bulk] = kernel.sent("bulk");
    assert.deepEqual(bulk?.places, [["2", 0, 1], ["3", 7, 8]]);
    assert.deepEqual([bulk?.label, bulk?.undo], ["ORG", false]);
    assert.match(page.controller.currentNotice.text, /^2 coming examples changed/);
    page.run("undo");
    page.run("redo");
    const [, undone, again] = kernel.sent("bulk");
    assert.deepEqual([undone?.bulk, undone?.undo], [bulk?.bulk, true]);
    assert.equal(again?.undo, false);
    assert.notEqual(again?.bulk, bulk?.bulk);
  });

  test("while the change is on its way nothing says saved", () => {
    const kernel = new FakeKernel([taskOf("1", text), taskOf("2", text)]);
    kernel.places = [place("2", 0)];
    const page = new Page(kernel);
    page.controller.setCursor(caretAt(0));
    page.run({ do: "occurrences", action: "label" });
    page.controller.updatePanel(({ occurrences: everywhere }) => everywhere.setIncludeUpcoming(true));
    kernel.become("busy");
    page.controller.sidePanel.occurrences.apply();
    assert.equal(page.saving, "saving");
    kernel.become("well");
    assert.equal(page.saving, "saved");
  });
});

describe("what was also suggested", () => {
  const conflict = taskOf("1", "olive oil and salt", {
    spans: [[0, 2, "ORG", { source: "v3" }]],
    also: [[0, 1, "GPE", { source: "patterns.jsonl", pattern: 4 }]],
    suggested: true,
  });

  test("takes the place of what won, in a circle", () => {
    const page = new Page(new FakeKernel([conflict]));
    const shown = () => page.controller.alternatives.map(({ start, end, label }) => [start, end, label]);
    assert.deepEqual(shown(), [[0, 1, "GPE"]]);
    page.controller.setCursor(caretAt(0));
    page.run("alternative");
    assert.deepEqual(page.spans, [[0, 1, "GPE"]]);
    assert.deepEqual(shown(), [[0, 2, "ORG"]]);
    page.run("alternative");
    assert.deepEqual(page.spans, [[0, 2, "ORG"]]);
    assert.ok(page.controller.isSuggestion(page.controller.spans[0]!));
    page.accept();
    page.run({ do: "browse", by: -1 });
    assert.deepEqual(shown(), []);
  });

  test("the likeliest is taken first, and then the next one elsewhere", () => {
    const offered = taskOf("1", "olive oil and sea salt", {
      spans: [[0, 2, "ORG", { source: "v3", score: 0.8 }]],
      also: [
        [4, 5, "GPE", { source: "v3", score: 0.4 }],
        [3, 5, "GPE", { source: "v3", score: 0.3 }],
        [2, 3, "ORG", { source: "v3", score: 0.2 }],
        [0, 2, "GPE", { source: "v3", score: 0.1 }],
      ],
      suggested: true,
    });
    const page = new Page(new FakeKernel([offered]));
    page.run("alternative");
    assert.deepEqual(page.spans, [[0, 2, "ORG"], [4, 5, "GPE"]]);
    page.run("alternative");
    assert.deepEqual(page.spans, [[0, 2, "ORG"], [3, 5, "GPE"]], "what is at the caret comes before what is elsewhere");
    page.controller.setCursor(caretAt(2));
    page.run("alternative");
    assert.deepEqual(page.spans, [[0, 2, "ORG"], [2, 3, "ORG"], [3, 5, "GPE"]]);
    page.run("alternative");
    assert.deepEqual(page.spans, [[0, 2, "ORG"], [2, 3, "ORG"], [4, 5, "GPE"]], "nothing else is there: the likeliest");
    for (let steps = 0; steps < 4; steps += 1) page.run({ do: "undo" });
    assert.deepEqual(page.spans, [[0, 2, "ORG"]]);
    assert.deepEqual(page.controller.alternatives.map(({ score }) => score), [0.4, 0.3, 0.2, 0.1]);
  });

  test("in somebody's draft only what has a source is a suggestion", () => {
    const spans = [[0, 1, "ORG", { source: "v3" }], [2, 3, "GPE"]] as const;
    const page = new Page(new FakeKernel([taskOf("1", "a b c", { spans, suggested: true, draft: true })]));
    const is = page.controller.spans.map((span) => page.controller.isSuggestion(span));
    assert.deepEqual(is, [true, false]);
  });
});

describe("the kernel hears", () => {
  test("what is shown and selected, a while after the hand, in a small message", () => {
    const kernel = new FakeKernel([taskOf("-1999999999", "w ".repeat(40).trim()), taskOf("2")]);
    const page = new Page(kernel);
    page.clock.pass(200);
    for (let i = 0; i < 10; i += 1) page.controller.labelRange({ start: i, end: i + 1 });
    page.controller.setCursor(selectionOf({ start: 2, end: 5 }));
    assert.equal(kernel.sent("at").length, 1, "nothing is sent under the hand");
    page.clock.pass(200);
    const last = kernel.sent("at").at(-1);
    assert.deepEqual(last?.selection, [2, 5]);
    assert.deepEqual((last?.spans as number[]).slice(0, 6), [0, 1, 0, 1, 2, 0]);
    assert.ok(JSON.stringify(last).length <= 200);
    page.clock.pass(10_000);
    assert.equal(kernel.sent("at").length, 2, "and nothing while nothing changes");
  });

  test("nothing while answers wait for it, and then once", () => {
    const kernel = new FakeKernel(tasksOf(9));
    const page = new Page(kernel);
    page.clock.pass(200);
    kernel.become("busy");
    for (let i = 0; i < 5; i += 1) {
      page.accept();
      page.clock.pass(1_000);
    }
    assert.equal(kernel.sent("at").length, 1);
    kernel.become("well");
    page.clock.pass(1_000);
    assert.deepEqual(kernel.sent("at").map(({ example }) => example), ["0", "5"]);
  });

  test("a queue set by code comes next, behind what is in work", () => {
    const kernel = new FakeKernel(tasksOf(20));
    const page = new Page(kernel);
    const window = ["0", "15", "9", "1"].map((id) => kernel.find(id));
    kernel.tell({ type: "refresh", window, past: [], counts: kernel.counts, ahead: true });
    const seen = [];
    for (let i = 0; i < 4; i += 1) {
      seen.push(page.shown);
      page.accept();
    }
    assert.deepEqual(seen, ["0", "15", "9", "1"]);
  });

  test("a page of another version says so and keeps its answers", () => {
    const kernel = new FakeKernel(tasksOf(2), { ...SETUP, protocol: 1 });
    const page = new Page(kernel);
    assert.match(page.controller.problem ?? "", /Reload the page, and run the cell again/);
    page.accept();
    assert.equal(kernel.find("0").answer, "accept");
  });

  test("what goes wrong in a user's callback is shown until it is over", () => {
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel);
    kernel.tell({ type: "notice", text: "The callback plot failed", detail: "Traceback" });
    page.accept();
    assert.equal(page.controller.currentNotice.text, "The callback plot failed");
    kernel.tell({ type: "notice", text: "", detail: "" });
    assert.equal(page.controller.currentNotice.text, "");
  });
});
