import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LabelEditor } from "../src/annotator/model/labelEditor";
import type { OnReply, PendingRequests } from "../src/annotator/model/transport";
import type { KernelMessage, KernelRequest } from "../src/shared/protocol";

const ROWS = [
  { label: "Dish", spans: 3, examples: 2 },
  { label: "Tool", spans: 0, examples: 0 },
  { label: "Time", spans: 1, examples: 1 },
];

/** An editor whose requests are kept, with their replies in the hands of the test. */
function start() {
  const asked: { request: KernelRequest; onReply: OnReply }[] = [];
  const requests = {
    add: (request: KernelRequest, onReply: OnReply) => asked.push({ request, onReply }),
    isWaiting: () => false,
  } as unknown as PendingRequests;
  const editor = new LabelEditor(requests);
  const reply = (message: KernelMessage) => asked.at(-1)?.onReply(message);
  editor.load();
  reply({ type: "labels", rows: ROWS, text: "", undo: "" });
  return { editor, asked, reply, last: () => asked.at(-1)?.request };
}

describe("the label set", () => {
  test("a change over all answers is proposed before it is made", () => {
    const { editor, asked, reply, last } = start();
    editor.proposeName("Dish", " Food ");
    assert.deepEqual(editor.state.proposal, { action: "rename", label: "Dish", to: "Food" });
    assert.equal(asked.length, 1);
    editor.confirm();
    assert.deepEqual(last(), { type: "labels", do: "rename", label: "Dish", to: "Food", order: [] });
    reply({ type: "labels", rows: ROWS, text: "Renamed.", undo: "rename" });
    assert.equal(editor.state.proposal, null);
    assert.equal(editor.state.text, "Renamed.");
    editor.undo();
    assert.deepEqual(last(), { type: "labels", do: "undo", label: "", to: "", order: [] });
  });

  test("the name of another label proposes a merge, and the same name nothing", () => {
    const { editor } = start();
    editor.proposeName("Dish", "Tool");
    assert.deepEqual(editor.state.proposal, { action: "merge", label: "Dish", to: "Tool" });
    editor.proposeName("Dish", "Dish");
    assert.equal(editor.state.proposal, null);
    editor.proposeMerge("Dish", "Time");
    assert.equal(editor.state.proposal?.action, "merge");
    editor.cancel();
    editor.confirm();
    assert.equal(editor.state.proposal, null);
  });

  test("labels move within their list", () => {
    const { editor, asked, last } = start();
    editor.move("Dish", -1);
    editor.move("Time", 1);
    editor.move("Gone", 1);
    assert.equal(asked.length, 1);
    editor.move("Dish", 1);
    assert.deepEqual(last(), { type: "labels", do: "reorder", label: "Dish", to: "", order: ["Tool", "Dish", "Time"] });
  });

  test("a refusal is said, and leaves the proposal to be corrected", () => {
    const { editor, reply } = start();
    editor.proposeName("Dish", "Food");
    editor.confirm();
    reply({ type: "failed", message: "'Dish' is not a label any more", retry: false });
    assert.equal(editor.state.problem, "'Dish' is not a label any more");
    assert.notEqual(editor.state.proposal, null);
    editor.add("  ");
    editor.undo();
    assert.equal(editor.state.problem, "'Dish' is not a label any more");
    editor.proposeName("Dish", "Foods");
    assert.equal(editor.state.problem, "");
  });
});
