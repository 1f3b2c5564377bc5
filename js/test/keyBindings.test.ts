import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KEY_BINDINGS, labelChord } from "../src/annotator/model/keyBindings";
import { KeyMap } from "../src/annotator/model/keyMap";
import { chordOf, formatKeys, isBrowserKey, type KeyStroke } from "../src/shared/keyboard";

const stroke = (key: string, code = "", held: Partial<KeyStroke> = {}): KeyStroke => ({
  key,
  code,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});
const shift = { shiftKey: true };
const ctrl = { ctrlKey: true };
const names = (count: number) => Array.from({ length: count }, (_, i) => `L${i}`);
const commandOf = (given: Parameters<KeyMap["commandOf"]>[0], labels: number) =>
  new KeyMap({ labels: names(labels) }).commandOf(given);
const command = (...parts: Parameters<typeof stroke>) => commandOf(stroke(...parts), 30);

describe("keys", () => {
  test("Prodigy's keys do what Prodigy's users expect", () => {
    assert.deepEqual(command("a", "KeyA"), { do: "decide", answer: "accept" });
    assert.deepEqual(command("x", "KeyX"), { do: "decide", answer: "reject" });
    assert.deepEqual(command(" ", "Space"), { do: "decide", answer: "ignore" });
    assert.deepEqual(command("Backspace", "Backspace"), { do: "take-back" });
    assert.deepEqual(command("f", "KeyF"), { do: "flag" });
    assert.deepEqual(command("s", "KeyS", ctrl), { do: "save" });
    assert.deepEqual(command("s", "KeyS", { metaKey: true }), { do: "save" });
    assert.deepEqual(command("h", "KeyH"), { do: "help" });
    assert.deepEqual(command("?", "Slash", shift), { do: "help" });
  });

  test("thirty labels have a key each, by the digit's place on any layout", () => {
    assert.deepEqual(command("1", "Digit1"), { do: "label", index: 0 });
    assert.deepEqual(command("0", "Digit0"), { do: "label", index: 9 });
    assert.deepEqual(command("!", "Digit1", shift), { do: "label", index: 10 });
    assert.deepEqual(command("=", "Digit0", shift), { do: "label", index: 19 });
    assert.deepEqual(command("¡", "Digit1", { ...shift, altKey: true }), { do: "label", index: 20 });
    assert.deepEqual(command("&", "Digit1"), { do: "label", index: 0 });
    assert.deepEqual(command("5", "Numpad5"), { do: "label", index: 4 });
    assert.equal(labelChord(0), "1");
    assert.equal(labelChord(19), "shift+0");
    assert.equal(labelChord(20), "shift+alt+1");
    assert.equal(labelChord(30), null);
  });

  test("the pad without number lock moves the caret", () => {
    assert.deepEqual(command("ArrowLeft", "Numpad4"), { do: "horizontal", by: -1, extend: false });
  });

  test("letters are found on layouts without Latin ones", () => {
    assert.deepEqual(command("ф", "KeyA"), { do: "decide", answer: "accept" });
    assert.deepEqual(command("A", "KeyA", shift), { do: "decide", answer: "accept" });
    assert.deepEqual(command("q", "KeyA"), null);
  });

  test("a shifted digit is punctuation where no label has it", () => {
    const slash = stroke("/", "Digit7", shift);
    assert.deepEqual(commandOf(slash, 12), { do: "filter" });
    assert.deepEqual(commandOf(slash, 17), { do: "label", index: 16 });
  });

  test("undo and redo", () => {
    assert.deepEqual(command("z", "KeyZ", ctrl), { do: "undo" });
    assert.deepEqual(command("Z", "KeyZ", { ...ctrl, ...shift }), { do: "redo" });
    assert.deepEqual(command("y", "KeyY", ctrl), { do: "redo" });
    assert.equal(command("z", "KeyZ"), null);
  });

  test("a held key moves on, but decides once", () => {
    const held = (key: string) => commandOf({ ...stroke(key), repeat: true }, 3);
    assert.equal(held("a"), null);
    assert.equal(held("Backspace"), null);
    assert.deepEqual(held("ArrowRight"), { do: "horizontal", by: 1, extend: false });
  });

  test("with control or alt, letters are not commands", () => {
    assert.equal(command("a", "KeyA", ctrl), null);
    assert.equal(command("x", "KeyX", { altKey: true }), null);
    assert.equal(command("1", "Digit1", ctrl), null);
  });

  test("the browser keeps its own keys", () => {
    for (const key of ["c", "r", "+", "-", "0", "1"]) {
      assert.ok(isBrowserKey(stroke(key, "", ctrl)));
    }
    assert.ok(isBrowserKey(stroke("F5")));
    assert.ok(isBrowserKey(stroke("F12")));
    for (const key of ["b", "d", "m", "y", "Enter"]) assert.ok(!isBrowserKey(stroke(key)));
  });

  test("every chord of the table is what pressing it gives, and stands there once", () => {
    const chords = KEY_BINDINGS.flatMap((row) => Object.keys(row.chords));
    assert.equal(new Set(chords).size, chords.length);
    for (const chord of chords) {
      const parts = chord.split(/\+(?=.)/u);
      const name = parts.at(-1) as string;
      const pressed = stroke(name === "Space" ? " " : name, /^\d$/.test(name) ? `Digit${name}` : "", {
        ctrlKey: parts.includes("mod"),
        shiftKey: parts.includes("shift"),
        altKey: parts.includes("alt"),
      });
      assert.equal(chordOf(pressed), chord);
    }
  });

  test("a plus is shown as one", () => {
    assert.equal(formatKeys("+", false), "+");
    assert.equal(formatKeys("ctrl++", false), "ctrl +");
  });

  test("every row of the help card says something", () => {
    for (const { keys: shown, description: does } of KEY_BINDINGS) assert.ok(shown.length > 0 && does.length > 0);
  });

  test("keys are spelt as the keyboard has them", () => {
    assert.equal(formatKeys("shift+alt+1", true), "⇧⌥1");
    assert.equal(formatKeys("ctrl+z", true), "⌘z");
    assert.equal(formatKeys("ctrl+z", false), "ctrl z");
    assert.equal(formatKeys("shift+3", false), "⇧3");
  });
});
