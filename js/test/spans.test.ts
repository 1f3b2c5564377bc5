import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as spans from "../src/annotator/model/spans";
import type { Span, Spans } from "../src/annotator/model/spans";
import type { TokenRange } from "../src/shared/tokens";
import { LABELS, randomFrom, randomSpans } from "./random";

const SIZE = 40;
const org = (start: number, end: number): Span => ({ start, end, label: "ORG" });
const person = (start: number, end: number): Span => ({ start, end, label: "PERSON" });

/** Run a check on many random lists with a random range each. */
function forMany(check: (list: Spans, stretch: TokenRange, label: string) => void): void {
  const random = randomFrom(7);
  for (let round = 0; round < 500; round += 1) {
    const start = random(SIZE);
    const end = start + 1 + random(SIZE - start);
    check(randomSpans(random, SIZE), { start, end }, LABELS[random(3)] as string);
  }
}

const overlap = (a: TokenRange, b: TokenRange): boolean => a.start < b.end && b.start < a.end;

function assertSound(list: Spans): void {
  list.forEach((span, i) => {
    assert.ok(0 <= span.start && span.start < span.end && span.end <= SIZE);
    assert.ok(i === 0 || (list[i - 1] as Span).end <= span.start, JSON.stringify(list));
  });
}

describe("spans", () => {
  test("a new span stands in the place of those it overlaps", () => {
    const before = [org(0, 2), org(3, 5), org(6, 8)];
    assert.deepEqual(spans.addSpan(before, person(1, 4)), [person(1, 4), org(6, 8)]);
    assert.deepEqual(spans.addSpan(before, person(2, 3)), [org(0, 2), person(2, 3), org(3, 5), org(6, 8)]);
  });

  test("adding keeps lists sound and everything that does not overlap", () => {
    forMany((list, stretch, label) => {
      const after = spans.addSpan(list, { ...stretch, label });
      assertSound(after);
      assert.ok(spans.hasSpan(after, { ...stretch, label }));
      assert.deepEqual(
        after.filter((span) => !overlap(span, stretch)),
        list.filter((span) => !overlap(span, stretch)),
      );
    });
  });

  test("labelling twice is not labelling at all where nothing was", () => {
    forMany((list, stretch, label) => {
      const empty = spans.removeOverlapping(list, stretch);
      const once = spans.toggleSpan(empty, stretch, label);
      assert.equal(once.length, empty.length + 1);
      assert.deepEqual(spans.toggleSpan(once, stretch, label), empty);
    });
  });

  test("another label on the same tokens relabels", () => {
    assert.deepEqual(spans.toggleSpan([org(1, 3)], { start: 1, end: 3 }, "PERSON"), [person(1, 3)]);
  });

  test("removing takes exactly what overlaps", () => {
    forMany((list, stretch) => {
      const after = spans.removeOverlapping(list, stretch);
      assert.deepEqual(after, list.filter((span) => !overlap(span, stretch)));
      assert.deepEqual(spans.overlapping(list, stretch), list.filter((span) => overlap(span, stretch)));
    });
  });

  test("finding a token's span agrees with looking at all of them", () => {
    forMany((list, { start }) => {
      const found = list.find((span) => span.start <= start && start < span.end) ?? null;
      assert.equal(spans.spanAt(list, start), found);
    });
  });

  test("a difference leads from one list to the other", () => {
    const random = randomFrom(3);
    for (let round = 0; round < 300; round += 1) {
      const [before, after] = [randomSpans(random, SIZE), randomSpans(random, SIZE)];
      const { removed: gone, added: come } = spans.diffSpans(before, after);
      const kept = before.filter((span) => !gone.includes(span));
      assert.deepEqual([...kept, ...come].sort((a, b) => a.start - b.start), after);
    }
  });

  test("lists are never changed in place", () => {
    forMany((list, stretch, label) => {
      const copy = structuredClone(list);
      spans.addSpan(list, { ...stretch, label });
      spans.toggleSpan(list, stretch, label);
      spans.removeOverlapping(list, stretch);
      assert.deepEqual(list, copy);
    });
  });

  test("a stretch comes off blank ends and out of nowhere", () => {
    const isBlank = (token: number): boolean => token === 2 || token === 5;
    assert.deepEqual(spans.trimRange({ start: 2, end: 6 }, 8, isBlank), { start: 3, end: 5 });
    assert.deepEqual(spans.trimRange({ start: 6, end: 3 }, 8, isBlank), { start: 3, end: 5 });
    assert.deepEqual(spans.trimRange({ start: -4, end: 99 }, 8, isBlank), { start: 0, end: 8 });
    assert.equal(spans.trimRange({ start: 5, end: 6 }, 8, isBlank), null);
    assert.equal(spans.trimRange({ start: 8, end: 9 }, 8, isBlank), null);
  });

  test("neighbours are found from any token", () => {
    const list = [org(1, 3), person(5, 6)];
    assert.deepEqual(spans.nextSpan(list, null, 1), org(1, 3));
    assert.deepEqual(spans.nextSpan(list, 2, 1), person(5, 6));
    assert.equal(spans.nextSpan(list, 5, 1), null);
    assert.deepEqual(spans.nextSpan(list, null, -1), person(5, 6));
    assert.deepEqual(spans.nextSpan(list, 5, -1), org(1, 3));
    assert.equal(spans.nextSpan(list, 1, -1), null);
  });

  test("what was suggested is told only where something else stands now", () => {
    const suggested = [org(1, 3)];
    assert.deepEqual(spans.findReplacedSuggestion(suggested, person(1, 3)), org(1, 3));
    assert.deepEqual(spans.findReplacedSuggestion(suggested, org(2, 5)), org(1, 3));
    assert.equal(spans.findReplacedSuggestion(suggested, org(1, 3)), null);
    assert.equal(spans.findReplacedSuggestion(suggested, person(3, 4)), null);
  });

  test("the wire and back keeps places, labels and what is known of them", () => {
    const wired = spans.fromWire([[1, 3, "ORG", { source: "v3", score: 0.5 }]]);
    assert.deepEqual(wired, [{ start: 1, end: 3, label: "ORG", source: "v3", score: 0.5 }]);
    assert.deepEqual(spans.toWire(wired), [[1, 3, "ORG"]]);
  });
});
