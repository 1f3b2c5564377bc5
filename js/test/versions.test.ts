import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { differencesOf } from "../src/annotator/model/differences";
import { describeSet } from "../src/annotator/view/versionsView";
import { parseTask } from "../src/shared/parseMessages";
import { FakeKernel, Page, SETUP, taskOf } from "./fakes";

const versions = [
  { by: "ann", answer: "accept", spans: [[0, 1, "ORG"], [2, 4, "GPE"]] },
  { by: "bob", answer: "accept", spans: [[0, 1, "PERSON"]] },
  { by: "eve", answer: "reject", spans: [[0, 1, "PERSON"]] },
] as const;
const disputed = () => taskOf("1", "Uber left New York", { versions });

describe("deciding between versions", () => {
  test("a key takes the next version as it is, and comes round to the first", () => {
    const page = new Page(new FakeKernel([disputed()]));
    const seen = [1, 2, 3].map(() => {
      page.run("version");
      return page.spans;
    });
    assert.deepEqual(seen, [versions[0].spans, versions[1].spans, versions[0].spans]);
    page.run("undo");
    assert.deepEqual(page.spans, versions[1].spans);
  });

  test("a version that was taken can be changed, and is decided by accepting it", () => {
    const page = new Page(new FakeKernel([disputed()]));
    page.controller.takeVersion(versions[1]);
    page.controller.labelRange({ start: 2, end: 4 });
    page.accept();
    assert.equal(page.kernel.find("1").answer, "accept");
    assert.deepEqual(
      page.kernel.find("1").spans.map(([start, end, label]) => [start, end, label]),
      [[0, 1, "PERSON"], [2, 4, "ORG"]],
    );
  });

  test("a digit takes a version: all of it, and at a difference what it says there", () => {
    const page = new Page(new FakeKernel([disputed()]));
    page.controller.run({ do: "version-at", index: 1, otherwise: null });
    assert.deepEqual(page.spans, versions[1].spans);
    const go = (by: 1 | -1) => page.controller.run({ do: "difference", by });
    go(1);
    go(1);
    assert.deepEqual(page.controller.cursor, { anchor: 2, caret: 3 });
    page.controller.run({ do: "version-at", index: 0, otherwise: null });
    assert.deepEqual(page.spans, [[0, 1, "PERSON"], [2, 4, "GPE"]]);
    page.run("undo");
    assert.deepEqual(page.spans, versions[1].spans);
    // Round to the first one; no version has the fourth number, which is a label's.
    go(1);
    assert.deepEqual(page.controller.cursor, { anchor: 0, caret: 0 });
    go(-1);
    assert.deepEqual(page.controller.cursor, { anchor: 2, caret: 3 });
    go(-1);
    assert.deepEqual(page.controller.cursor, { anchor: 0, caret: 0 });
  });

  test("where all agree a digit labels as ever", () => {
    const page = new Page(new FakeKernel([disputed()]));
    page.controller.setCursor({ anchor: 1, caret: 1 });
    page.controller.run({ do: "version-at", index: 0, otherwise: { do: "label", index: 0 } });
    assert.deepEqual(page.spans, [[1, 2, "ORG"]]);
  });

  test("differences are the spans that not all have, and overlapping ones are one place", () => {
    const say = (...spans: [number, number, string][]) => ({ by: "x", answer: "accept", spans }) as const;
    const one = say([0, 1, "A"], [2, 4, "B"], [6, 7, "C"]);
    const two = say([0, 1, "A"], [3, 5, "B"], [6, 7, "D"]);
    assert.deepEqual(differencesOf([one, two]), [{ start: 2, end: 5 }, { start: 6, end: 7 }]);
    assert.deepEqual(differencesOf([one, one]), []);
    assert.deepEqual(differencesOf([one]), []);
  });

  test("without versions the key does nothing", () => {
    const page = new Page(new FakeKernel([taskOf("1", "Uber left", {})]));
    page.run("version");
    assert.deepEqual(page.spans, []);
  });

  test("an analysis that was taken as a whole is not decoded again, and what it leaves out stays out", () => {
    const shown = [[0, 1, "ORG", { source: "v3" }], [2, 4, "GPE", { source: "v3" }]] as const;
    const choices = [
      { by: "analysis 1", answer: "accept", spans: versions[0].spans, probability: 0.6 },
      { by: "analysis 2", answer: "accept", spans: versions[1].spans, probability: 0.3 },
    ] as const;
    const set = { level: 0.95, size: 2, complete: true, current: true };
    const task = taskOf("1", "Uber left New York", { spans: shown, suggested: true, versions: choices, set });
    const setup = { ...SETUP, mode: "make-gold", advises: true, redecodes: true } as const;
    const page = new Page(new FakeKernel([task], setup));
    page.controller.run({ do: "version-at", index: 1, otherwise: null });
    assert.deepEqual(page.spans, versions[1].spans);
    assert.deepEqual(page.kernel.sent("analyses"), []);
    page.controller.labelRange({ start: 1, end: 2 });
    const [asked] = page.kernel.sent("analyses");
    assert.deepEqual(asked?.forced, [[0, 1, "PERSON"], [1, 2, "ORG"]]);
    assert.deepEqual(asked?.forbidden, [[2, 4, "GPE"]]);
  });

  test("a set says how many analyses it has, and what to do where they are not few", () => {
    const set = { level: 0.95, size: 4, complete: true, current: true };
    assert.equal(describeSet(set), "4 analyses at 95 %");
    assert.match(describeSet({ ...set, size: 1 }), /^The only analysis at 95 %: annotator.sets/);
    assert.equal(describeSet({ ...set, level: 0.975, size: 1200 }), "1,200 analyses at 97.5 %: label as usual");
    assert.equal(
      describeSet({ ...set, size: 256, complete: false }),
      "The set at 95 % goes beyond a list of 256: label as usual",
    );
    assert.match(describeSet({ ...set, current: false }), /out of date: another model is in use/);
  });

  test("versions are read as far as they can be shown", () => {
    const raw = { id: "1", lead: "", tokens: [["Uber", ""]], spans: [] };
    assert.equal(parseTask(raw)?.versions, undefined);
    const odd = [null, { by: "ann" }, { by: "bob", answer: "accept", spans: [[0, 9, "ORG"]] }];
    assert.deepEqual(parseTask({ ...raw, versions: odd })?.versions, [
      { by: "bob", answer: "accept", spans: [] },
    ]);
    const set = { level: 0.9, size: 3, complete: true };
    assert.deepEqual(parseTask({ ...raw, set })?.set, { ...set, current: false });
    assert.equal(parseTask({ ...raw, set: { level: "?" } })?.set, undefined);
  });
});
