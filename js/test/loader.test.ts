/** The loader in a page whose kernel does not answer: it says what it waits for, or finds it in the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import load from "../src/loader";
import { nameOfBuild, reuseLoaded } from "../src/shared/loadedWidgets";

interface Loaded {
  render(given: object): Promise<unknown>;
}

/** A page with a clock and styles, and a model whose kernel is silent. */
class Page extends EventTarget {
  readonly timers: (() => void)[] = [];
  readonly shown: { textContent: string }[] = [];
  readonly sent: { type: string }[] = [];
  readonly styles: { textContent: string }[] = [];
  readonly listeners = new Set<unknown>();
  readonly el = { append: (one: { textContent: string }) => this.shown.push(one) };
  readonly model = {
    get: () => undefined,
    send: (one: { type: string }) => this.sent.push(one),
    on: (_: string, listener: unknown) => this.listeners.add(listener),
    off: (_: string, listener: unknown) => this.listeners.delete(listener),
  };
  querySelectorAll = () => this.styles;
  createElement() {
    const one = { textContent: "", remove: () => this.shown.splice(this.shown.indexOf(one), 1) };
    return one;
  }
}

async function inPage(act: (page: Page) => Promise<void> | void): Promise<void> {
  const { document, setTimeout, clearTimeout } = globalThis;
  const page = new Page();
  const later = (then: () => void): number => page.timers.push(then);
  Object.assign(globalThis, { document: page, setTimeout: later, clearTimeout: () => undefined });
  try {
    await act(page);
  } finally {
    Object.assign(globalThis, { document, setTimeout, clearTimeout });
  }
}

const { setTimeout: realTimeout } = globalThis;
const settled = (): Promise<void> => new Promise((resolve) => void realTimeout(resolve, 0));

test("a page whose kernel is silent says what it waits for", () =>
  inPage((page) => {
    void (load() as Loaded).render(page);
    assert.deepEqual(page.sent.map(({ type }) => type), ["bundle"]);
    assert.deepEqual(page.shown, []);
    page.timers.forEach((then) => then());
    assert.match(page.shown[0]?.textContent ?? "", /waits for its kernel/);
  }));

test("without a kernel a later display takes the bundle that the first one brings", () =>
  inPage(async (page) => {
    const drawn: unknown[] = [];
    const widget = (): object => ({ initialize: () => () => undefined, render: ({ el }: { el: unknown }) => drawn.push(el) });
    // A notebook's outputs are made side by side: the loader may run before the bundle of another.
    const rendered = (load() as Loaded).render(page);
    page.timers.forEach((then) => then());
    assert.equal(page.shown.length, 1);
    // A bundle without its style, as in a shadow root, is none for this place.
    reuseLoaded("", widget);
    await settled();
    assert.deepEqual(drawn, []);
    page.styles.push({ textContent: `/*${nameOfBuild("")}*/` });
    // The first one is kept.
    reuseLoaded("", (): object => ({ initialize: () => undefined, render: () => undefined }));
    await rendered;
    assert.deepEqual(drawn, [page.el]);
    assert.deepEqual(page.shown, []);
    assert.equal(page.listeners.size, 0);
    // A display that comes after it asks nobody.
    const before = page.sent.length;
    (load() as Loaded).render(page);
    assert.equal(drawn.length, 2);
    assert.equal(page.sent.length, before);
  }));
