import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseMessage } from "../src/shared/parseMessages";
import type { Task } from "../src/shared/protocol";
import { FakeKernel, Page, SETUP, taskOf } from "./fakes";

const offered = (id: string, offer: number, end = 1, score?: number): Task =>
  taskOf(id, "Uber left the city", {
    spans: [[0, end, "ORG", { source: `model ${offer}`, ...(score !== undefined && { score }) }]],
    suggested: true,
    by: `model ${offer}`,
    offer,
  });

const LEARNING = {
  type: "learning",
  state: "ready",
  text: "Suggestions by the model of 14:32, 35 answers.",
  figures: "Last 20 answers: precision 0.70",
  offer: "",
  choice: "",
  detail: "",
};

function open(count = 4): [FakeKernel, Page] {
  const tasks = Array.from({ length: count }, (_, i) => offered(String(i), i + 1));
  const kernel = new FakeKernel(tasks, { ...SETUP, mode: "make-gold" });
  return [kernel, new Page(kernel)];
}

/** Another model suggests: the kernel sends its examples anew. */
function learnt(kernel: FakeKernel, ids: readonly string[]): void {
  const window = ids.map((id) => offered(id, 100 + Number(id), 2));
  kernel.tell({ type: "refresh", window, past: [], counts: kernel.counts, ahead: true, keep: true });
}

describe("learning while one labels", () => {
  test("an answer says which suggestions it was given to", () => {
    const [kernel, page] = open();
    page.accept();
    assert.equal(kernel.sent("answer")[0]?.offer, 1);
    page.clock.pass(1_000);
    assert.deepEqual(kernel.sent("at").at(-1)?.offer, 2);
  });

  test("an answer under hidden suggestions says nothing of them", () => {
    const task = offered("0", 1, 1, 0.2);
    const kernel = new FakeKernel([task, offered("1", 2, 1, 0.9)], { ...SETUP, mode: "make-gold" });
    const page = new Page(kernel);
    page.controller.setThreshold(0.5);
    page.accept(2);
    assert.deepEqual(kernel.sent("answer").map(({ offer }) => offer), [undefined, 2]);
  });

  test("a new model changes what was not shown yet, and nothing under the hand", () => {
    const [kernel, page] = open();
    learnt(kernel, ["0", "1", "2", "3"]);
    assert.equal(page.shown, "0");
    assert.equal(page.controller.spans[0]?.end, 1);
    page.accept();
    assert.equal(page.controller.spans[0]?.end, 2);
    page.accept();
    assert.deepEqual(kernel.sent("answer").map(({ offer }) => offer), [1, 101]);
  });

  test("the example on display stays although the new order has others first", () => {
    const [kernel, page] = open();
    learnt(kernel, ["3", "2"]);
    assert.equal(page.shown, "0");
    page.accept();
    assert.equal(page.shown, "3");
  });

  test("an example that was passed over keeps its suggestions too", () => {
    const [kernel, page] = open();
    page.controller.run({ do: "browse", by: 1 });
    learnt(kernel, ["0", "1", "2", "3"]);
    assert.equal(page.shown, "1");
    // The example on display is at the head of the new order.
    page.controller.run({ do: "browse", by: 1 });
    assert.equal(page.shown, "0");
    assert.equal(page.controller.spans[0]?.end, 1);
    page.controller.run({ do: "browse", by: 1 });
    assert.equal(page.controller.spans[0]?.end, 2);
  });

  test("without that, a refresh brings the kernel's state as ever", () => {
    const [kernel, page] = open();
    const window = [offered("0", 50, 3)];
    kernel.tell({ type: "refresh", window, past: [], counts: kernel.counts });
    assert.equal(page.controller.spans[0]?.end, 3);
  });

  test("what a refresh has put on display stays from then on", () => {
    const [kernel, page] = open();
    kernel.tell({ type: "refresh", window: [offered("0", 50, 3)], past: [], counts: kernel.counts });
    page.clock.pass(1_000);
    assert.equal(kernel.sent("at").at(-1)?.offer, 50);
    learnt(kernel, ["0", "1"]);
    assert.equal(page.controller.spans[0]?.end, 3);
  });

  test("news of the training are shown, and a command is sent", () => {
    const [kernel, page] = open();
    assert.equal(page.controller.learning, null);
    kernel.tell(LEARNING);
    assert.equal(page.controller.learning?.text, LEARNING.text);
    page.controller.runLearning("stop");
    assert.equal(kernel.sent("learning")[0]?.do, "stop");
  });

  test("a state that this page does not know offers nothing", () => {
    const parsed = parseMessage({ ...LEARNING, state: "dreaming", text: 3 });
    assert.deepEqual(parsed, { ...LEARNING, state: "closed", text: "" });
  });
});
