"""The error explorer on 10,000 examples with 100,000 spans: to open, and to open a number."""

from __future__ import annotations

import statistics

from playwright.sync_api import expect
from test_bench_ui_speed import p95, spread

#: Gold of ten spans an example; the predictions are wrong in one of five, in every way there is.
PREPARE = """import random, uuid
import nbner
from nbner.evaluation.errors.span_features import TrainingVocabulary
from nbner.results import Errors
from nbner.types import Span

chance = random.Random(0)
LABELS = [f"Label {i}" for i in range(18)]
WORDS = "add five ml of broth incubate tube buffer water gel".split()
session = nbner.Session("bench", labels=LABELS, store=f"{uuid.uuid4()}.db")
rows = []
for number in range(10_000):
    words = [chance.choice(WORDS) for _ in range(40)] + [str(number)]
    starts = [sum(len(one) + 1 for one in words[:i]) for i in range(41)]
    spans = [
        dict(start=starts[i], end=starts[i] + len(words[i]), label=chance.choice(LABELS))
        for i in range(0, 40, 4)
    ]
    rows.append(dict(text=" ".join(words), spans=spans, answer="accept"))
session.add(rows, split="dev")

def said(example):
    for span in example.spans:
        luck = chance.random()
        if luck < 0.87:
            label = span.label if luck < 0.8 else chance.choice(LABELS)
            yield Span(span.start, span.end, label)
        elif luck < 0.95:
            wider = next(one.end for one in example.tokens if one.start > span.end)
            yield Span(span.start, wider, span.label)

examples = session.examples("dev")
predicted = [list(said(one)) for one in examples]
training = TrainingVocabulary(examples[:500])
print(sum(len(one.spans) for one in examples))"""
SHOW = """from nbner.session.evaluation import open_explorer
errors = Errors(examples, predicted, training=training, labels=LABELS, title="dev")
open_explorer(session.context, errors)"""
ROOT = "[data-nbner=errors]"
WATCH = """() => {
  window.opened = [];
  let at = null;
  addEventListener("click", (event) => { if (event.isTrusted) at = performance.now(); }, true);
  new MutationObserver(() => {
    if (at === null) return;
    const from = at;
    at = null;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.opened.push(performance.now() - from);
      channel.port2.postMessage(null);
    });
  }).observe(document.querySelector(".nbner-findings .nbner-rows"), { childList: true });
}"""
CLICKS, TIMES = 60, 5


def test_the_error_explorer(cells, say):
    lab = cells(PREPARE, SHOW)
    assert "100000" in lab.text(0)
    page = lab.page
    seen = []
    for _ in range(TIMES):
        cell = page.locator(".jp-Notebook .jp-Cell").nth(1)
        found = cell.element_handle()
        waiting = page.evaluate_handle(
            "([cell, root]) => ({ done: probe.appear(cell, root) })", [found, ROOT]
        )
        lab.run(1)
        seen.append(page.evaluate("async (waiting) => (await waiting.done).key", waiting))
    say(
        "error explorer, 10,000 examples with 100,000 spans: from the key that runs the cell to "
        "the painted matrix",
        spread(seen),
        "1,000 ms",
    )
    assert statistics.median(seen) <= 1_000
    root = page.locator(ROOT)
    expect(root).to_contain_text("in 100,")
    page.evaluate(WATCH)
    for number in range(CLICKS):
        row, column = number % 18, (5 * number + 1) % 18
        root.locator(f'[data-cell="{row}:{column}"]').click()
        page.wait_for_function("count => window.opened.length > count", arg=number)
    times = page.evaluate("() => window.opened")
    say(
        "error explorer: from a click on a number to its painted examples",
        f"{spread(times)} over {len(times)} clicks",
        "95th percentile 100 ms",
    )
    assert p95(times) <= 100
