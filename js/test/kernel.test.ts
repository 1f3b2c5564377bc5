import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { REPLY_TIMEOUT } from "../src/annotator/model/transport";
import { randomFrom } from "./random";
import { FakeClock, FakeKernel, MemoryStorage, Page, taskOf, tasksOf } from "./fakes";

describe("nothing is lost", () => {
  test("an answer is in the browser's storage until the kernel has acknowledged it", () => {
    const storage = new MemoryStorage();
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel, storage);
    kernel.become("busy");
    page.accept();
    assert.equal(page.saving, "saving");
    assert.equal(storage.length, 1);
    assert.ok(storage.key(0)?.startsWith("nbner:store:news:train:ann:"));
    kernel.become("well");
    assert.equal(storage.length, 0);
    assert.equal(page.saving, "saved");
  });

  test("what a dead kernel never heard is sent by the next live view, and not shown as open", () => {
    const kernel = new FakeKernel(tasksOf(20));
    const page = new Page(kernel);
    kernel.become("deaf");
    page.controller.labelRange({ start: 0, end: 1 });
    page.accept(2);
    kernel.become("busy");
    const next = page.reload();
    assert.equal(next.shown, "2");
    assert.equal(next.saving, "saving");
    kernel.become("well");
    assert.equal(next.saving, "saved");
    assert.deepEqual(kernel.events.map(({ example }) => example), ["0", "1"]);
    assert.deepEqual(kernel.find("0").spans, [[0, 1, "ORG"]]);
  });

  test("lost acknowledgements lead to the same id again, applied once", () => {
    const kernel = new FakeKernel(tasksOf(5));
    const page = new Page(kernel);
    kernel.deliver = () => false;
    page.accept(2);
    assert.equal(kernel.events.length, 2);
    kernel.deliver = () => true;
    page.clock.pass(REPLY_TIMEOUT + 1);
    assert.equal(page.saving, "saved");
    assert.equal(kernel.events.length, 2);
    assert.equal(kernel.sent("answer").length, 4);
  });

  test("what was lost while the page slept is sent again as soon as it wakes", () => {
    const kernel = new FakeKernel(tasksOf(5));
    const page = new Page(kernel);
    kernel.become("deaf");
    page.accept(2);
    page.clock.pass(10 * REPLY_TIMEOUT);
    assert.equal(page.saving, "unsaved");
    kernel.become("well");
    assert.equal(kernel.events.length, 0);
    page.connection.wake();
    assert.equal(page.saving, "saved");
    assert.deepEqual(kernel.events.map(({ example }) => example), ["0", "1"]);
  });

  test("a later reply shows at once that an earlier message was lost", () => {
    const kernel = new FakeKernel(tasksOf(5));
    const page = new Page(kernel);
    kernel.become("deaf");
    page.accept();
    kernel.become("well");
    page.accept();
    assert.equal(page.saving, "saved");
    assert.deepEqual(new Set(kernel.events.map(({ example }) => example)), new Set(["0", "1"]));
  });

  test("an answer that was replaced is not sent after the one that replaced it", () => {
    const kernel = new FakeKernel(tasksOf(2));
    const page = new Page(kernel);
    kernel.become("deaf");
    page.accept();
    kernel.become("well");
    page.run("take-back");
    assert.equal(page.saving, "saved");
    assert.equal(kernel.find("0").answer, null);
  });

  test("a busy kernel finds one small question, not a heap of repeated answers", () => {
    const kernel = new FakeKernel(tasksOf(40));
    const page = new Page(kernel);
    kernel.become("busy");
    page.accept(10);
    page.clock.pass(REPLY_TIMEOUT - 1);
    assert.equal(page.saving, "saving");
    page.clock.pass(2);
    assert.equal(page.saving, "unsaved");
    assert.match(page.controller.saveStatus.why, /busy or gone: 10 answers are kept in this browser/);
    page.clock.pass(10 * 60_000);
    assert.equal(kernel.sent("answer").length, 10);
    assert.ok(kernel.sent("hello").length < 25);
    kernel.become("well");
    assert.equal(page.saving, "saved");
    assert.equal(kernel.events.length, 10);
  });

  test("a store that cannot take an answer now is asked again", () => {
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel);
    kernel.become("full");
    page.accept();
    assert.equal(page.saving, "unsaved");
    assert.match(page.controller.saveStatus.why, /^The disk is full. Trying again; 1 answer is kept/);
    page.clock.pass(3_000);
    assert.equal(page.saving, "unsaved");
    kernel.become("well");
    page.clock.pass(30_000);
    assert.equal(page.saving, "saved");
    assert.equal(kernel.find("0").answer, "accept");
  });

  test("a refused answer is open again, with its spans and the reason", () => {
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel);
    kernel.become("refusing");
    page.controller.labelRange({ start: 0, end: 1 });
    page.accept();
    assert.equal(page.saving, "unsaved");
    assert.match(page.controller.saveStatus.why, /^No such label. The example is open again/);
    assert.equal(page.shown, "0");
    assert.deepEqual(page.spans, [[0, 1, "ORG"]]);
    kernel.become("well");
    page.accept();
    assert.equal(page.saving, "saved");
    assert.equal(kernel.find("0").answer, "accept");
  });

  test("a refused answer is kept where it can be seen, is not sent again, and goes when it is discarded", () => {
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel);
    kernel.become("refusing");
    page.controller.labelRange({ start: 0, end: 1 });
    page.accept();
    const kept = (one: Page): string[] =>
      one.controller.refusedAnswers.map((said) => said.replace(/\n.*"example":"(.*?)".*/, " $1"));
    assert.match(page.controller.refusedAnswers[0] ?? "", /^No such label\n\{"text":".*"spans":\[\[0,1,"ORG"\]\]/);
    assert.deepEqual(kept(page), ["No such label 0"]);
    kernel.become("well");
    const next = page.reload();
    next.clock.pass(60_000);
    assert.deepEqual(kept(next), ["No such label 0"]);
    assert.equal(next.saving, "saved");
    assert.equal(kernel.find("0").answer, null);
    next.controller.discardRefused();
    assert.deepEqual(kept(next.reload()), []);
  });

  test("an edit in progress survives a reload of the page", () => {
    const kernel = new FakeKernel(tasksOf(3));
    const page = new Page(kernel);
    page.controller.labelRange({ start: 1, end: 3 });
    const next = page.reload();
    assert.deepEqual(next.spans, [[1, 3, "ORG"]]);
    next.accept();
    assert.deepEqual(kernel.find("0").spans, [[1, 3, "ORG"]]);
    assert.deepEqual(next.reload().spans, []);
  });

  test("after a restart the page says so, keeps what is done, and sends nothing into the void", () => {
    const kernel = new FakeKernel(tasksOf(5));
    const page = new Page(kernel);
    page.connection.live = false;
    assert.equal(page.saving, "unsaved");
    assert.match(page.controller.saveStatus.why, /^The kernel was restarted: run the cell again\./);
    page.accept(2);
    assert.match(page.controller.saveStatus.why, /2 answers are kept in this browser/);
    assert.equal(kernel.sent("answer").length, 0);
    const next = page.reload();
    assert.equal(next.saving, "saved");
    assert.equal(kernel.events.length, 2);
    assert.equal(next.shown, "2");
  });

  test("without storage the page says that it must stay open", () => {
    const kernel = new FakeKernel(tasksOf(2));
    const page = new Page(kernel, null);
    kernel.become("deaf");
    page.accept();
    page.clock.pass(REPLY_TIMEOUT + 1);
    assert.match(page.controller.saveStatus.why, /on this page only, so leave it open/);
  });

  test("a thrown error on sending is as good as silence", () => {
    const kernel = new FakeKernel(tasksOf(2));
    const page = new Page(kernel);
    page.connection.send = () => {
      throw new Error("Cannot send");
    };
    page.accept();
    page.clock.pass(REPLY_TIMEOUT + 1);
    assert.equal(page.saving, "unsaved");
    assert.equal(page.shown, "1");
  });

  test("through any mix of losses every decision ends up stored, once", () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const random = randomFrom(seed);
      const kernel = new FakeKernel(tasksOf(60));
      let page = new Page(kernel);
      const wanted = new Map<string, string | null>();
      kernel.deliver = () => random(4) > 0;
      for (let i = 0; i < 120; i += 1) {
        kernel.become((["well", "well", "busy", "deaf", "full"] as const)[random(5)] ?? "well");
        if (random(20) === 0) page = page.reload();
        const before = page.shown;
        if (random(5) === 0) page.run("take-back");
        else if (before !== null) page.run({ do: "decide", answer: random(2) ? "accept" : "reject" });
        page.clock.pass(random(20_000));
        page.controller.items.forEach(({ id, state }) => wanted.set(id, state.answer));
      }
      kernel.deliver = () => true;
      kernel.become("well");
      page.clock.pass(5 * 60_000);
      assert.equal(page.saving, "saved");
      for (const [id, answer] of wanted) {
        assert.equal(kernel.find(id).answer, answer, `seed ${seed}, example ${id}`);
      }
      const ids = kernel.events.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      assert.deepEqual(page.controller.counts, kernel.counts);
    }
  });
});

describe("news from the kernel", () => {
  test("two pages follow each other", () => {
    const kernel = new FakeKernel(tasksOf(20));
    const [left, right] = [new Page(kernel), new Page(kernel)];
    left.accept(2);
    assert.equal(right.shown, "2");
    assert.deepEqual(right.controller.counts, left.controller.counts);
    left.run("take-back");
    assert.equal(right.shown, "1");
    right.accept();
    assert.equal(left.shown, "2");
    assert.equal(kernel.events.length, 4);
  });

  test("an example that somebody is at work on is not taken away", () => {
    const kernel = new FakeKernel(tasksOf(5));
    const page = new Page(kernel);
    page.controller.labelRange({ start: 0, end: 2 });
    kernel.answerElsewhere("0", "reject");
    assert.equal(page.shown, "0");
    assert.deepEqual(page.spans, [[0, 2, "ORG"]]);
    kernel.answerElsewhere("1", "accept");
    page.accept();
    assert.equal(page.shown, "2", "what was answered elsewhere is not shown again");
    assert.equal(kernel.find("0").answer, "accept");
  });

  test("a draft from another page does not pull this one to its example", () => {
    const kernel = new FakeKernel(tasksOf(5));
    const page = new Page(kernel);
    kernel.answerElsewhere("3", null, [[0, 1, "ORG"]]);
    assert.equal(page.shown, "0");
    page.accept(3);
    assert.deepEqual(page.spans, [[0, 1, "ORG"]]);
  });

  test("new suggestions come in, except where somebody is at work", () => {
    const kernel = new FakeKernel(tasksOf(4));
    const page = new Page(kernel);
    page.controller.labelRange({ start: 0, end: 1 });
    const suggestions = kernel.tasks.map((task) => ({
      ...task,
      spans: [[2, 4, "GPE"] as const],
      suggested: true,
    }));
    kernel.tasks.splice(0, 4, ...suggestions);
    kernel.tell({ type: "refresh", ...kernel.snapshot });
    assert.deepEqual(page.spans, [[0, 1, "ORG"]]);
    page.accept();
    assert.deepEqual(page.spans, [[2, 4, "GPE"]]);
  });

  test("an empty queue shows what is added to it", () => {
    const kernel = new FakeKernel([]);
    const page = new Page(kernel);
    assert.equal(page.shown, null);
    kernel.tasks.push(...tasksOf(3));
    kernel.tell({ type: "refresh", ...kernel.snapshot });
    assert.equal(page.shown, "0");
    assert.equal(page.controller.counts.total, 3);
  });

  test("a page that was loaded long before it is looked at catches up", () => {
    const kernel = new FakeKernel(tasksOf(5));
    const stale = kernel.snapshot;
    kernel.answerElsewhere("0", "accept");
    const port = kernel.connect();
    port.get = (trait) => (trait === "_setup" ? kernel.setup : stale);
    kernel.connect = () => port;
    const page = new Page(kernel);
    assert.equal(page.shown, "1");
  });

  test("examples that do not come are asked for again, and the reason is told", () => {
    const kernel = new FakeKernel(tasksOf(30));
    const page = new Page(kernel);
    let broken = true;
    kernel.deliver = (message) => {
      const reply = message as { type: string; next?: unknown[]; message?: string; retry?: boolean };
      if (!broken) return true;
      if (reply.type === "saved") reply.next = [];
      if (reply.type === "tasks") {
        Object.assign(reply, { type: "failed", message: "No model", retry: true });
      }
      return true;
    };
    page.accept(12);
    assert.equal(page.shown, null);
    assert.equal(page.controller.problem, "No model");
    broken = false;
    page.clock.pass(REPLY_TIMEOUT + 1);
    assert.equal(page.controller.problem, null);
    assert.equal(page.shown, "12");
  });

  test("a page that is closed listens to nothing and waits for nothing", () => {
    const clock = new FakeClock();
    const kernel = new FakeKernel([taskOf("1")]);
    const page = new Page(kernel, null, clock);
    kernel.become("busy");
    page.accept();
    page.controller.dispose();
    assert.equal(clock.waiting, 0);
    kernel.become("well");
    assert.equal(page.saving, "saving");
  });
});
