/** What views rely on: one run for each change, and nothing left behind by a view that is closed. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { caretAt } from "../src/annotator/model/cursor";
import { EffectScope, reactive } from "../src/shared/reactive";
import { FakeKernel, Page, tasksOf } from "./fakes";

/** Count the runs of an effect that reads from a page's controller. */
function watch(page: Page, read: (page: Page) => unknown): { readonly runs: number; readonly scope: EffectScope } {
  const scope = new EffectScope();
  const counter = { runs: 0, scope };
  scope.run(() => {
    read(page);
    counter.runs += 1;
  });
  counter.runs = 0;
  return counter;
}

describe("effects", () => {
  test("run once for a command, whatever it changes", () => {
    const page = new Page(new FakeKernel(tasksOf(3)));
    const watcher = watch(page, ({ controller }) => [
      controller.shown?.state,
      controller.spans,
      controller.cursor,
      controller.counts,
      controller.announcement,
      controller.canBrowse(-1),
    ]);
    page.controller.setCursor(caretAt(0));
    assert.equal(watcher.runs, 1);
    page.controller.run({ do: "label", index: 1 });
    assert.equal(watcher.runs, 2);
    page.kernel.meanwhile(() => page.controller.run({ do: "decide", answer: "accept" }));
    // Once for the decision, and once for the kernel's acknowledgement.
    assert.equal(watcher.runs, 4);
  });

  test("do not run for what they have not read", () => {
    const page = new Page(new FakeKernel(tasksOf(3)));
    const watcher = watch(page, ({ controller }) => controller.spans);
    page.controller.stepCaret(1, false);
    page.run("flag");
    page.controller.setNote("odd");
    assert.equal(watcher.runs, 0);
    page.controller.labelRange({ start: 0, end: 1 });
    assert.equal(watcher.runs, 1);
  });

  test("end with their scope", () => {
    const page = new Page(new FakeKernel(tasksOf(3)));
    const watcher = watch(page, ({ controller }) => [controller.shown, controller.spans, controller.cursor]);
    watcher.scope.dispose();
    page.controller.labelRange({ start: 0, end: 1 });
    page.accept();
    assert.equal(watcher.runs, 0);
  });

  test("are told of every kind of change", () => {
    const kernel = new FakeKernel(tasksOf(30));
    const page = new Page(kernel);
    const seen = watch(page, ({ controller }) => [controller.saveStatus, controller.counts, controller.currentNotice]);
    let before = 0;
    const assertRan = (): void => {
      assert.ok(seen.runs > before);
      before = seen.runs;
    };
    kernel.answerElsewhere("5", "accept");
    assertRan();
    page.connection.live = false;
    assertRan();
    page.connection.live = true;
    kernel.become("deaf");
    page.accept();
    assertRan();
    page.clock.pass(60_000);
    assertRan();
    kernel.become("well");
    kernel.tell({ type: "notice", text: "The model is being trained", detail: "" });
    assertRan();
  });

  test("clean up before they run again", () => {
    const scope = new EffectScope();
    const state = reactive({ value: 1 });
    const log: string[] = [];
    scope.run(() => {
      const { value } = state;
      log.push(`set ${value}`);
      return () => log.push(`reset ${value}`);
    });
    state.value = 2;
    scope.dispose();
    state.value = 3;
    assert.deepEqual(log, ["set 1", "reset 1", "set 2", "reset 2"]);
  });
});
