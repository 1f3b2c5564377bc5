/** What stands in for the kernel on the page to try nbner without Python. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Setup, Task, WireSpan } from "../src/shared/protocol";
import { exportLines } from "../src/tryPage/exportLines";
import { featuresOf, spansOf, tagsOf, trainTagger } from "../src/tryPage/learner";
import { playRecording, requestKey } from "../src/tryPage/recordedKernel";
import { StandInKernel, type StoredAnswer } from "../src/tryPage/standInKernel";

const LABELS = ["Action", "Food"];
const SETUP = { key: "k", labels: LABELS, annotator: "you", mode: "manual", guideline: "v1" } as unknown as Setup;

function task(id: string, text: string, spans: readonly WireSpan[] = []): Task {
  const tokens = text.split(" ").map((word, i, all) => [word, i + 1 < all.length ? " " : ""] as const);
  const rest = { also: [], loose: [], answer: null, flagged: false, note: "", meta: {}, suggested: false, draft: false, by: "" };
  return { id, lead: "", tokens, spans, ...rest };
}

const TASKS = [task("1", "Chop onions"), task("2", "Fry red onions"), task("3", "Rest")];

type Reply = Record<string, never> & { type: string; tasks: Task[]; counts: { open: number }; next: Task[]; places: object[] };
const ask = (kernel: StandInKernel, message: object): Reply => kernel.respond({ id: "x", ...message })[0] as Reply;

const answer = (example: string, spans: readonly WireSpan[], id = example, kind: string | null = "accept"): object => ({
  ...{ type: "answer", id, example, answer: kind, spans, flagged: false, note: "", have: [] },
});

describe("the kernel's stand-in", () => {
  test("an answer is kept once, told once, and what comes next is open", () => {
    const told: StoredAnswer[] = [];
    const kernel = new StandInKernel({ setup: SETUP, tasks: TASKS }, [], (one) => told.push(one));
    const reply = ask(kernel, answer("1", [[1, 2, "Food"]]));
    assert.equal(reply.type, "saved");
    assert.deepEqual(reply.next.map(({ id }) => id), ["2", "3"]);
    ask(kernel, answer("1", [[1, 2, "Food"]]));
    assert.equal(told.length, 1);
    assert.deepEqual(kernel.accepted.map(({ id }) => id), ["1"]);
    ask(kernel, answer("1", [[1, 2, "Food"]], "again", null));
    assert.equal(ask(kernel, { type: "fetch", have: [], want: 9 }).counts.open, 3);
  });

  test("answers of an earlier visit are there again", () => {
    const first = new StandInKernel({ setup: SETUP, tasks: TASKS });
    ask(first, answer("2", [[1, 3, "Food"]]));
    const second = new StandInKernel({ setup: SETUP, tasks: TASKS }, first.answers);
    assert.deepEqual(second.answers, first.answers);
    assert.deepEqual(ask(second, { type: "past", before: null, want: 5 }).tasks.map(({ id }) => id), ["2"]);
  });

  test("occurrences are found, labelled as one act, and taken back unless changed since", () => {
    const kernel = new StandInKernel({ setup: SETUP, tasks: TASKS });
    const query = { type: "occurrences", words: ["ONIONS"], label: "Food", take: "label", cased: false, besides: "1", want: 9 };
    assert.deepEqual(
      ask(kernel, query).places.map((one) => ({ ...one })),
      [{ example: "2", start: 2, end: 3, problem: "", left: "Fry red ", hit: "onions", right: "" }],
    );
    const bulk = { type: "bulk", bulk: "b", label: "Food", take: "label", places: [["2", 2, 3]], have: ["2"], undo: false };
    assert.deepEqual(ask(kernel, bulk).tasks[0]?.spans, [[2, 3, "Food"]]);
    assert.deepEqual(ask(kernel, { ...bulk, undo: true }).tasks[0]?.spans, []);
    ask(kernel, { ...bulk, bulk: "c" });
    ask(kernel, answer("2", []));
    assert.equal(ask(kernel, { ...bulk, bulk: "c", undo: true }).tasks.length, 0);
    assert.deepEqual(kernel.accepted[0]?.spans, []);
    // What was answered after it was listed is left as it is, and counted.
    const late = ask(kernel, { ...bulk, bulk: "d" }) as unknown as { count: number; left: number };
    assert.deepEqual([late.count, late.left], [0, 1]);
    assert.deepEqual(kernel.accepted[0]?.spans, []);
  });

  test("suggestions reach only what was neither answered nor shown", () => {
    const kernel = new StandInKernel({ setup: SETUP, tasks: TASKS });
    ask(kernel, answer("1", []));
    kernel.respond({ type: "at", example: "2" });
    kernel.suggest(() => [[0, 1, "Action"]], "model");
    const open = ask(kernel, { type: "fetch", have: [], want: 9 }).tasks;
    assert.deepEqual(open.map(({ spans }) => spans), [[], [[0, 1, "Action", { source: "model" }]]]);
    assert.deepEqual(kernel.accepted[0]?.spans, []);
  });

  test("analyses keep what a person has set, and none comes twice", () => {
    const analyses = { "1": [0.5, 0.3, 0.2].map((probability, i) => ({ probability, spans: [[i % 2, 2, "Food"] as WireSpan] })) };
    const kernel = new StandInKernel({ setup: SETUP, tasks: TASKS, analyses });
    const request = { type: "analyses", example: "1", want: 9, forced: [], forbidden: [[1, 2, "Food"]] };
    const reply = ask(kernel, request) as unknown as { analyses: readonly { spans: readonly WireSpan[] }[] };
    assert.deepEqual(reply.analyses.map(({ spans }) => spans), [[[0, 2, "Food"]], []]);
  });

  test("what needs Python is refused with a sentence", () => {
    const kernel = new StandInKernel({ setup: SETUP, tasks: TASKS });
    assert.equal(ask(kernel, { type: "labels", do: "rename" }).type, "failed");
  });

  test("the list filters as the kernel's does", () => {
    const kernel = new StandInKernel({ setup: SETUP, tasks: TASKS });
    ask(kernel, answer("1", [[1, 2, "Food"]]));
    const count = (filter: object): number =>
      (ask(kernel, { type: "list", filter, offset: 0, want: 9 }) as unknown as { total: number }).total;
    assert.deepEqual([{}, { answer: "open" }, { label: "Food" }, { text: "RED" }, { order: "unsure" }].map(count), [3, 2, 1, 1, 0]);
  });
});

describe("the learner", () => {
  const texts = [
    ["Chop the onions", [[0, 1, "Action"], [2, 3, "Food"]]],
    ["Fry red onions", [[0, 1, "Action"], [1, 3, "Food"]]],
    ["Serve", [[0, 1, "Action"]]],
    ["Peel two carrots", [[0, 1, "Action"], [2, 3, "Food"]]],
  ] as const;
  const labeled = texts.map(([text, spans]) => ({ words: text.split(" "), spans: spans as unknown as readonly WireSpan[] }));

  test("tags and spans are the same thing, said twice", () => {
    for (const text of labeled) assert.deepEqual(spansOf(tagsOf(text, LABELS), LABELS), text.spans);
    assert.deepEqual(spansOf([3, 3, 4], LABELS), [[0, 1, "Food"], [1, 3, "Food"]]);
    assert.equal(featuresOf(["Fry", "X2"])[1]?.includes("s X0"), true);
  });

  test("it repeats what it has learned, and finds it in new texts", () => {
    const tagger = trainTagger(labeled, LABELS);
    for (const { words, spans } of labeled) assert.deepEqual(tagger.predict(words), spans);
    assert.deepEqual(tagger.predict("Chop the carrots".split(" ")), [[0, 1, "Action"], [2, 3, "Food"]]);
    assert.deepEqual(tagger.predict([]), []);
  });

  test("the same texts give the same model", () => {
    const words = "Peel red onions".split(" ");
    assert.deepEqual(trainTagger(labeled, LABELS).predict(words), trainTagger(labeled, LABELS).predict(words));
  });

  test("nothing learned suggests nothing", () => assert.deepEqual(trainTagger([], LABELS).predict(["Chop"]), []));
});

describe("what is written and recorded", () => {
  test("offsets are in code points, and open examples are left out", () => {
    const tasks = [task("1", "\u{1F600} onions"), task("2", "Rest")];
    const answers = [
      { example: "1", answer: "accept" as const, spans: [[1, 2, "Food"] as const], flagged: true, note: "" },
      { example: "2", answer: null, spans: [], flagged: false, note: "" },
    ];
    const lines = exportLines(tasks, answers).trimEnd().split("\n");
    assert.equal(lines.length, 1);
    const row = JSON.parse(lines[0] as string) as { spans: object[]; answer: string; flagged: boolean };
    assert.deepEqual(row.spans, [{ start: 2, end: 8, label: "Food", token_start: 1, token_end: 1 }]);
    assert.deepEqual([row.answer, row.flagged], ["accept", true]);
  });

  test("a request is found whatever its id and the order of its names", () => {
    const at = { gold: "Food", predicted: null };
    assert.equal(
      requestKey({ id: "7", want: 8, type: "open", at }),
      '{"at":{"gold":"Food","predicted":null},"type":"open","want":8}',
    );
    const play = playRecording({ replies: { [requestKey({ type: "open", at })]: { rows: [1] } }, rows: [{ id: "a" }, { id: "b" }] });
    assert.deepEqual(play({ type: "open", at, id: "9" }), [{ rows: [{ id: "b" }], re: "9" }]);
    assert.equal((play({ type: "narrow", id: "9" })[0] as { type: string }).type, "failed");
    assert.deepEqual(play({ type: "at" }), []);
    const greet = playRecording({ replies: {}, rows: [] }, { setup: SETUP });
    assert.deepEqual(greet({ type: "hello", id: "1" }), [{ type: "snapshot", setup: SETUP, re: "1" }]);
  });
});
