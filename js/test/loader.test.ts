/** The loader in a page whose kernel does not answer: it says what it waits for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import load from "../src/loader";

test("a page whose kernel is silent says what it waits for", () => {
  const { document, setTimeout } = globalThis;
  const timers: (() => void)[] = [];
  const shown: { textContent: string }[] = [];
  const sent: { type: string }[] = [];
  const page = { querySelectorAll: () => [], createElement: () => ({ textContent: "", remove: () => undefined }) };
  Object.assign(globalThis, { document: page, setTimeout: (then: () => void) => timers.push(then) });
  try {
    const model = { get: () => undefined, send: (one: { type: string }) => sent.push(one), on: () => undefined, off: () => undefined };
    const widget = load() as { render(given: object): Promise<unknown> };
    void widget.render({ model, el: { append: (one: { textContent: string }) => shown.push(one) } });
    assert.deepEqual(sent.map(({ type }) => type), ["bundle"]);
    assert.deepEqual(shown, []);
    timers.forEach((then) => then());
    assert.match(shown[0]?.textContent ?? "", /waits for its kernel/);
  } finally {
    Object.assign(globalThis, { document, setTimeout });
  }
});
