import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfidentTexts } from "../src/annotator/model/confidentTexts";
import type { OnReply, PendingRequests } from "../src/annotator/model/transport";
import type { ConfidentReply, ConfidentRequest } from "../src/shared/protocol";

const row = (id: string, lowest: number) => ({ id, parts: [], lowest, spans: 2, wrong: 0.25, missed: 0.5 });
const LIST: ConfidentReply = {
  type: "confident",
  state: "ready",
  number: 7,
  checked: 3,
  pending: 3,
  rows: [row("1", 0.95), row("2", 0.97), row("3", 0.99)],
  total: 3,
  spans: 6,
  wrong: 0.75,
  missed: 1.5,
  notes: "",
  text: "",
  undo: "",
};

/** An opened list whose requests are kept, with their replies and the clock in the hands of the test. */
function start() {
  const asked: { request: ConfidentRequest; onReply: OnReply }[] = [];
  const timers: (() => void)[] = [];
  let waiting = false;
  const add = (request: ConfidentRequest, onReply: OnReply) => {
    waiting = true;
    asked.push({ request, onReply });
  };
  const requests = { add, replace: add, isWaiting: () => waiting } as unknown as PendingRequests;
  const clock = { now: () => 0, setTimer: (_: number, then: () => void) => (timers.push(then), () => timers.splice(0)) };
  const texts = new ConfidentTexts(requests, { clock, newId: () => "act" });
  const reply = (change: Partial<ConfidentReply> = {}) => {
    waiting = false;
    asked.at(-1)?.onReply({ ...LIST, ...change });
  };
  const fail = (message: string) => {
    waiting = false;
    asked.at(-1)?.onReply({ type: "failed", message, retry: false });
  };
  texts.open();
  return { texts, asked, reply, fail, last: () => asked.at(-1)?.request, tick: () => timers.splice(0).forEach((one) => one()) };
}

describe("texts that the model is sure of", () => {
  test("how far the list is is asked until it is there, and no longer once it is closed", () => {
    const { texts, asked, reply, last, tick } = start();
    assert.equal(last()?.do, "start");
    reply({ state: "computing", rows: [], total: 0 });
    assert.equal(texts.canAccept, false);
    tick();
    assert.equal(last()?.do, "list");
    reply({ state: "computing" });
    texts.close();
    assert.equal(last()?.do, "stop");
    reply({ state: "computing" });
    const count = asked.length;
    tick();
    assert.equal(asked.length, count);
  });

  test("what is unticked is neither counted nor accepted, whatever the probability is", () => {
    const { texts, reply, last } = start();
    reply();
    texts.toggleRow(0);
    texts.toggleRow(1);
    assert.deepEqual(texts.ticked, { texts: 1, spans: 2, wrong: 0.25, missed: 0.5 });
    texts.stepProbability(1);
    assert.equal(last()?.probability, 0.97);
    reply({ rows: LIST.rows.slice(1), total: 2, spans: 4, wrong: 0.5, missed: 1 });
    assert.equal(texts.ticked.texts, 1);
    texts.accept();
    const { number, unticked, bulk } = last() ?? {};
    assert.deepEqual([number, unticked, bulk], [7, ["2"], "act"]);
    // A second press before the reply is none.
    texts.accept();
    assert.equal(texts.canAccept, false);
  });

  test("why an act was refused is said, and the list is asked for again", () => {
    const { texts, reply, fail, last, tick } = start();
    reply();
    texts.accept();
    fail("computed again meanwhile");
    assert.equal(texts.state.problem, "computed again meanwhile");
    tick();
    assert.equal(last()?.do, "list");
    reply();
    assert.equal(texts.state.problem, "");
  });

  test("without a model nothing is computed, and nothing can be accepted", () => {
    const { texts, fail } = start();
    fail("The model has not been trained");
    assert.equal(texts.isComputing, false);
    assert.equal(texts.canAccept, false);
  });

  test("more rows of another list are not put behind these", () => {
    const { texts, reply, last } = start();
    reply({ total: 60 });
    texts.loadMore();
    assert.equal(last()?.offset, 3);
    reply({ number: 8 });
    assert.equal(last()?.offset, 0);
    reply({ number: 8, total: 3 });
    assert.equal(texts.state.rows.length, 3);
  });

  test("what is no probability changes nothing", () => {
    const { texts, asked, reply } = start();
    reply();
    for (const wrong of [0, -1, 2, Number.NaN, 0.95]) texts.setProbability(wrong);
    assert.equal(asked.length, 1);
  });
});
