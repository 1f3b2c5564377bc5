import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BrowserStorage, storageKey } from "../src/annotator/model/browserStorage";
import { Outbox } from "../src/annotator/model/outbox";
import type { KeyValueStorage } from "../src/shared/environment";
import type { Answer, AnswerMessage } from "../src/shared/protocol";
import { MemoryStorage } from "./fakes";

const PREFIX = "nbner:store:news:train:ann:answer:";
const message = (id: string, example: string, answer: Answer = "accept"): AnswerMessage => ({
  type: "answer",
  id,
  example,
  answer,
  spans: [[0, 1, "ORG"]],
  flagged: false,
  note: "",
  seconds: 1,
});
const ids = (outbox: Outbox): string[] => outbox.entries.map((letter) => letter.message.id);
const open = (storage: KeyValueStorage | null): Outbox => new Outbox(new BrowserStorage(storage, PREFIX));

describe("the outbox", () => {
  test("holds answers across a reload, in their order, until each is acknowledged", () => {
    const storage = new MemoryStorage();
    const before = open(storage);
    ["c", "a", "b"].forEach((id) => before.add(message(id, `example ${id}`), null, 1000));
    const after = open(storage);
    assert.deepEqual(ids(after), ["c", "a", "b"]);
    assert.deepEqual(after.entries[0]?.message, message("c", "example c"));
    after.acknowledge("a");
    assert.deepEqual(ids(open(storage)), ["c", "b"]);
    after.acknowledge("c");
    after.acknowledge("b");
    assert.equal(storage.length, 0);
  });

  test("two pages on one storage lose nothing of each other", () => {
    const storage = new MemoryStorage();
    const [left, right] = [open(storage), open(storage)];
    left.add(message("l", "1"), null, 1);
    right.add(message("r", "2"), null, 2);
    left.acknowledge("l");
    assert.deepEqual(ids(open(storage)), ["r"]);
  });

  test("an acknowledgement for another page's answer clears the storage of it", () => {
    const storage = new MemoryStorage();
    const [left, right] = [open(storage), open(storage)];
    left.add(message("l", "1"), null, 1);
    assert.equal(right.acknowledge("l"), null);
    assert.equal(storage.length, 0);
  });

  test("a later answer on the same example settles the earlier ones", () => {
    const storage = new MemoryStorage();
    const outbox = open(storage);
    outbox.add(message("1", "x", "accept"), null, 1);
    outbox.add(message("2", "y", "accept"), null, 2);
    outbox.add(message("3", "x", null), "accept", 3);
    outbox.add(message("4", "x", "reject"), null, 4);
    outbox.acknowledge("3");
    assert.deepEqual(ids(outbox), ["2", "4"]);
    assert.deepEqual(ids(open(storage)), ["2", "4"]);
  });

  test("tells how counts will change, once for each example", () => {
    const outbox = open(null);
    outbox.add(message("1", "x", "accept"), null, 1);
    outbox.add(message("2", "x", null), "accept", 2);
    outbox.add(message("3", "x", "reject"), null, 3);
    outbox.add(message("4", "y", null), "accept", 4);
    assert.deepEqual(outbox.answerChanges(), [
      { from: null, to: "reject" },
      { from: "accept", to: null },
    ]);
  });

  test("works in memory where storage is full, forbidden or missing, and says so", () => {
    const full = new MemoryStorage();
    full.setItem = () => {
      throw new Error("quota");
    };
    const forbidden = new Proxy(new MemoryStorage(), {
      get: () => {
        throw new Error("denied");
      },
    });
    for (const storage of [full, forbidden, null]) {
      const outbox = open(storage);
      outbox.add(message("1", "x"), null, 1);
      assert.deepEqual(ids(outbox), ["1"]);
      assert.equal(outbox.isDurable, false);
      assert.equal(outbox.acknowledge("1")?.id, "1");
      assert.deepEqual(ids(outbox), []);
    }
  });

  test("passes over what it cannot read", () => {
    const storage = new MemoryStorage();
    storage.setItem(`${PREFIX}1`, "{not json");
    storage.setItem(`${PREFIX}2`, "null");
    storage.setItem(`${PREFIX}3`, JSON.stringify({ at: 1, message: { type: "answer" } }));
    storage.setItem("somebody else's", "17");
    const outbox = open(storage);
    outbox.add(message("4", "x"), null, 1);
    assert.deepEqual(ids(open(storage)), ["4"]);
  });

  test("names of datasets cannot run into each other", () => {
    assert.notEqual(storageKey(["k", "a:b", "c", "d"]), storageKey(["k", "a", "b:c", "d"]));
    assert.equal(storageKey(["k", "news", "train", "ann"]), "nbner:k:news:train:ann");
  });
});
