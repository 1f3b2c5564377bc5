import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseTask } from "../src/shared/parseMessages";
import { FakeKernel, Page, taskOf } from "./fakes";

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

  test("without versions the key does nothing", () => {
    const page = new Page(new FakeKernel([taskOf("1", "Uber left", {})]));
    page.run("version");
    assert.deepEqual(page.spans, []);
  });

  test("versions are read as far as they can be shown", () => {
    const raw = { id: "1", lead: "", tokens: [["Uber", ""]], spans: [] };
    assert.equal(parseTask(raw)?.versions, undefined);
    const odd = [null, { by: "ann" }, { by: "bob", answer: "accept", spans: [[0, 9, "ORG"]] }];
    assert.deepEqual(parseTask({ ...raw, versions: odd })?.versions, [
      { by: "bob", answer: "accept", spans: [] },
    ]);
  });
});
