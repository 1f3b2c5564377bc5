import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ariaOf, KeyMap, nameOf, signOf } from "../src/annotator/model/keyMap";
import type { KeyStroke } from "../src/shared/keyboard";

const stroke = (key: string, code = "", held: Partial<KeyStroke> = {}): KeyStroke => ({
  key,
  code,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});
const labels = ["Dish", "Tool", "Time"];

describe("keys of one's own", () => {
  test("an act and a label have the chosen key in place of the built-in one", () => {
    const keys = new KeyMap({ labels, keys: { accept: "Enter" }, labelKeys: { Tool: "d" } });
    assert.deepEqual(keys.commandOf(stroke("Enter")), { do: "decide", answer: "accept" });
    assert.equal(keys.commandOf(stroke("a", "KeyA")), null);
    assert.deepEqual(keys.commandOf(stroke("d", "KeyD")), { do: "label", index: 1 });
    assert.equal(keys.commandOf(stroke("2", "Digit2")), null);
    assert.deepEqual(keys.commandOf(stroke("3", "Digit3")), { do: "label", index: 2 });
    assert.equal(keys.chordOf("accept"), "Enter");
    assert.equal(keys.chordOf("label_active"), null, "it yields");
    assert.deepEqual(labels.map((label) => keys.chordOfLabel(label)), ["1", "d", "3"]);
  });

  test("in a review a digit is that of a version, whatever labels there are, but never that of an act", () => {
    const keys = new KeyMap({ labels: ["Dish"], keys: { accept: "4" }, labelKeys: { Dish: "3" } });
    const command = (digit: string, versions = 5) => keys.commandOf(stroke(digit, `Digit${digit}`), versions);
    assert.deepEqual(command("2"), { do: "version-at", index: 1, otherwise: { do: "label", index: 1 } });
    assert.deepEqual(command("3"), { do: "version-at", index: 2, otherwise: { do: "label", index: 0 } });
    assert.deepEqual(command("1"), { do: "version-at", index: 0, otherwise: null });
    assert.deepEqual(command("4"), { do: "decide", answer: "accept" });
    assert.deepEqual(command("3", 2), { do: "label", index: 0 });
    assert.deepEqual([0, 2, 3, 9].map((index) => keys.chordOfVersion(index)), ["1", "3", null, null]);
  });

  test("two change places", () => {
    const keys = new KeyMap({ labels, keys: { accept: "x", reject: "a" }, labelKeys: { Dish: "2", Tool: "1" } });
    assert.deepEqual(keys.commandOf(stroke("x", "KeyX")), { do: "decide", answer: "accept" });
    assert.deepEqual(keys.commandOf(stroke("a", "KeyA")), { do: "decide", answer: "reject" });
    assert.deepEqual(keys.commandOf(stroke("1", "Digit1")), { do: "label", index: 1 });
    assert.deepEqual(labels.map((label) => keys.chordOfLabel(label)), ["2", "1", "3"]);
  });

  test("an act, or a label, may have no key", () => {
    const keys = new KeyMap({ labels, keys: { reject: "" }, labelKeys: { Dish: "" } });
    assert.equal(keys.commandOf(stroke("x", "KeyX")), null);
    assert.equal(keys.commandOf(stroke("1", "Digit1")), null);
    assert.equal(keys.chordOf("reject"), null);
    assert.equal(keys.chordOfLabel("Dish"), null);
  });

  test("an act with two keys loses both, and what is unknown does nothing", () => {
    const keys = new KeyMap({ labels, keys: { help: "F2", later: "q" }, labelKeys: { Gone: "g" } });
    assert.equal(keys.commandOf(stroke("?", "Slash", { shiftKey: true })), null);
    assert.equal(keys.commandOf(stroke("h", "KeyH")), null);
    assert.deepEqual(keys.commandOf(stroke("F2")), { do: "help" });
    assert.equal(keys.commandOf(stroke("q", "KeyQ")), null);
    assert.deepEqual(keys.commandOf(stroke("g", "KeyG")), { do: "first-open" });
  });

  test("the help card lists the keys as they are", () => {
    const keys = new KeyMap({ labels, keys: { accept: "Enter", reject: "", back: "b" }, labelKeys: { Tool: "d" } });
    const lines = new Map(keys.bindings.map((one) => [one.description, one.keys]));
    assert.deepEqual(lines.get("Accept: these spans are the complete gold"), ["enter"]);
    assert.equal(lines.has("Reject: these spans are wrong"), false);
    assert.deepEqual(lines.get("Back and next, without deciding"), ["b", "."]);
    assert.equal(lines.has("The active label"), false);
    assert.deepEqual(lines.get("Tool"), ["d"]);
    assert.deepEqual(lines.get("Redo"), ["ctrl+shift+z", "ctrl+y"]);
  });

  test("a chord is named for people and for screen readers", () => {
    assert.deepEqual(["mod+shift+z", "Space", "F2"].map(nameOf), ["ctrl+shift+z", "space", "f2"]);
    assert.deepEqual(["Enter", "Space", "a"].map(signOf), ["⏎", "␣", "a"]);
    assert.deepEqual(["mod+s", "shift+1"].map(ariaOf), ["Control+s", "Shift+1"]);
  });
});
