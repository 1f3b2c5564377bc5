"""From the hand to the page: keys, the next example, the first sight of the widget."""

from __future__ import annotations

import gzip
import statistics
from pathlib import Path

import pytest
from playwright.sync_api import expect
from ui_tools import ALL, Nbner

ACTIONS = 120
STATIC = Path(__file__).parents[3] / "nbner" / "widgets" / "static"
#: A paragraph's length in tokens; and so many that no text has a second one.
PARAGRAPH, NONE = 120, 10**9


def p95(values):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


def spread(values):
    return f"{statistics.median(values):.1f} ms, 95th percentile {p95(values):.1f} ms"


def watch(lab, tool):
    lab.page.evaluate(
        "([root, types]) => probe.watch([...document.querySelectorAll(root)].at(-1), types)",
        [tool.root, list(tool.modes)],
    )


def rows(lab, least):
    """Give what has been measured, once so much of it is painted."""
    lab.page.wait_for_function("least => probe.rows.length >= least", arg=least)
    return lab.page.evaluate("() => probe.rows")


@pytest.mark.parametrize(
    ("size", "paragraph", "target"),
    [(50, NONE, 4), (5_000, PARAGRAPH, 8), (5_000, NONE, 8), (20_000, PARAGRAPH, None)],
    ids=["50", "5000", "5000 in one paragraph", "20000"],
)
@pytest.mark.parametrize("tool", ALL, ids=[tool.name for tool in ALL])
def test_from_a_key_to_the_page(cells, tokens, say, rivals, tool, size, paragraph, target):
    tool.need(rivals)
    lab = cells(f"{tool.prepare([tokens(size, paragraph)])}\n{tool.show}")
    tool.make_ready(lab.page)
    watch(lab, tool)
    for number in range(ACTIONS):
        tool.act(lab.page, number)
        # A hand's next key comes after the page has shown what the last one did.
        lab.page.evaluate("() => probe.painting()")
    measured = rows(lab, ACTIONS // 4)
    changed = [row["changed"] for row in measured]
    late = sum(row["late"] > 0 for row in measured)
    where = "in one paragraph" if paragraph == NONE else f"in paragraphs of {paragraph}"
    say(
        f"{tool.name}, {size:,} tokens {where}: {tool.event} to the changed page",
        f"{spread(changed)}; {late} of {len(measured)} later than the next frame; "
        f"painted {spread([row['painted'] for row in measured])}",
        f"95th percentile {target} ms, the next frame" if target else "no stall",
    )
    if tool.name == "nbner":
        assert late == 0
        assert target is None or p95(changed) <= target


BUSY = "import time\nend = time.time() + 20\nwhile time.time() < end: sum(range(10**5))"


@pytest.mark.parametrize("tool", [tool for tool in ALL if tool.accept], ids=lambda one: one.name)
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_to_the_next_example(cells, tokens, say, rivals, tool, busy):
    tool.need(rivals)
    texts = [tokens(25 + i % 10, NONE) + f" {i}" for i in range(200)]
    lab = cells(f"{tool.prepare(texts)}\n{tool.show}", BUSY)
    lab.page.evaluate(
        "([root, words]) => probe.nextExample(document.querySelector(root), words)",
        [tool.root, tool.words],
    )
    if busy:
        lab.start(1)
        lab.wait_until_busy()
    tool.make_ready(lab.page)
    times = 10 if busy else 60
    for number in range(times):
        # A tool that waits for the kernel is waited for.
        lab.page.keyboard.press(tool.accept)
        lab.page.wait_for_function(
            "count => probe.examples.length >= count", arg=number + 1, timeout=60_000
        )
    shown = lab.page.evaluate("() => probe.examples")
    ready = [one["changed"] for one in shown]
    say(
        f"{tool.name}, {'busy' if busy else 'idle'} kernel: accept to the next example",
        f"{spread(ready)}; painted {spread([one['painted'] for one in shown])}",
        "95th percentile 16 ms",
    )
    if tool.name == "nbner":
        assert p95(ready) <= 16


@pytest.mark.parametrize("tool", ALL, ids=[tool.name for tool in ALL])
def test_first_paint(cells, say, rivals, tool):
    tool.need(rivals)
    sizes = (10, 100_000) if tool.name == "nbner" else (10, 20_000)
    prepared = [tool.prepare(f"[f'Add 5 ml to tube {{i}}.' for i in range({n})]") for n in sizes]
    # Two queues in one notebook, shown in turn: what slows the machine slows both.
    lab = cells(prepared[0], tool.show, tool.renamed(prepared[1]), tool.renamed(tool.show))
    lab.run(2)
    seen = [[first_paint(lab, tool, cell) for cell in (1, 3)] for _ in range(18)][3:]
    medians = []
    for i, size in enumerate(sizes):
        keys, messages = ([pair[i][what] for pair in seen] for what in ("key", "message"))
        medians.append(statistics.median(keys))
        say(
            f"{tool.name}, a queue of {size:,}: first paint after the key that runs the cell",
            f"{spread(keys)}; after the kernel's word {spread(messages)}",
            "100 ms warm",
        )
    ratio = medians[1] / medians[0]
    say(f"{tool.name}, {sizes[1]:,} beside 10", f"{ratio:.2f} times", "0.8 to 1.2")
    if tool.name == "nbner":
        assert max(medians) <= 100
        assert 0.8 <= ratio <= 1.2


def first_paint(lab, tool, cell):
    # What the widget before it still has to say is not part of this one's time.
    quiet(lab)
    lab.page.evaluate(
        """([selector, cell]) => {
          const { node } = window.jupyterapp.shell.currentWidget.content.widgets[cell];
          window.appeared = probe.appear(node, selector);
        }""",
        [tool.root, cell],
    )
    lab.run(cell)
    return lab.page.evaluate("() => window.appeared")


@pytest.mark.parametrize("size", [10, 20_000])
@pytest.mark.parametrize("tool", ALL[1:], ids=[tool.name for tool in ALL[1:]])
def test_bytes_of_the_rivals(cells, say, rivals, tool, size):
    tool.need(rivals)
    texts = f"[f'Add 5 ml of LB broth to tube {{i}}.' for i in range({size})]"
    lab = cells(f"{tool.prepare(texts)}\n{tool.show}")
    tool.make_ready(lab.page)
    quiet(lab)
    before = lab.page.evaluate("() => probe.sent + probe.received")
    if tool.accept:
        lab.page.keyboard.press(tool.accept)
    else:
        tool.act(lab.page, 0)
    quiet(lab)
    after = lab.page.evaluate("() => probe.sent + probe.received")
    say(f"{tool.name}, a queue of {size:,}: bytes for an answer", f"{after - before:,}", "2,048")


@pytest.mark.parametrize("size", [10, 100_000])
def test_bytes_for_an_answer(cells, say, size):
    tool = Nbner()
    texts = f"[f'Add 5 ml of LB broth to tube {{i}}.' for i in range({size + 400})]"
    lab = cells(f"{tool.prepare(texts)}\n{tool.show}")
    before = traffic(lab, answers=5)
    answer(lab, 350)
    after = traffic(lab, answers=5)
    say(
        f"a queue of {size:,}: bytes over the socket for an answer, and after 350 more of them",
        f"{before['all']:,.0f} and {after['all']:,.0f}, of which our own words are "
        f"{before['own']:,.0f} and {after['own']:,.0f}; the rest are Jupyter's envelopes",
        "2,048",
    )
    assert max(before["own"], after["own"]) <= 2048


def answer(lab, count):
    lab.annotator.focus()
    for _ in range(count):
        lab.page.keyboard.press("a")
    expect(lab.annotator.locator("[data-save]").first).to_have_attribute("data-save", "saved")


def traffic(lab, answers):
    quiet(lab)
    before = lab.page.evaluate("() => ({ all: probe.sent + probe.received, own: probe.own })")
    answer(lab, answers)
    quiet(lab)
    after = lab.page.evaluate("() => ({ all: probe.sent + probe.received, own: probe.own })")
    return {key: (after[key] - before[key]) / answers for key in after}


def quiet(lab):
    """Wait until nothing has gone over the socket for half a second."""
    lab.page.evaluate(
        """async () => {
          for (let last = -1; last !== probe.received; ) {
            last = probe.received;
            await new Promise((go) => setTimeout(go, 500));
          }
        }"""
    )


def test_a_restarted_kernel_is_told_of_at_once(cells, say):
    tool = Nbner()
    lab = cells(f"{tool.prepare(['One text.', 'Another.'])}\n{tool.show}")
    after = lab.page.evaluate(
        """async () => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const save = document.querySelector("[data-nbner] [data-save]");
          let heard = null;
          kernel.statusChanged.connect((_, status) => {
            if (status === "restarting") heard ??= performance.now();
          });
          const told = new Promise((resolve) => new MutationObserver(() => {
            if (save.dataset.save === "unsaved") resolve(performance.now());
          }).observe(save, { attributes: true }));
          void kernel.restart();
          return (await told) - heard;
        }"""
    )
    what = "a restarted kernel: from JupyterLab's knowing to the view's saying"
    say(what, f"{after:.1f} ms", "at once")
    lab.wait_for_kernel()
    assert abs(after) <= 100


def test_the_bundle(say):
    sizes = {
        name: len(gzip.compress((STATIC / name).read_bytes(), 9))
        for name in ("annotator.js", "annotator.css")
    }
    total = sum(sizes.values())
    say("the bundle, gzipped", f"{total / 1024:.1f} KB ({sizes})", "60 KB")
    assert total <= 60 * 1024


def test_memory_stays_flat(cells, say):
    tool = Nbner()
    texts = "[f'Add 5 ml of LB broth to tube {i}.' for i in range(1100)]"
    lab = cells(f"{tool.prepare(texts)}\n{tool.show}")
    session = lab.page.context.new_cdp_session(lab.page)
    session.send("Performance.enable")
    used = []
    for _ in range(20):
        label_some(lab, 50)
        session.send("HeapProfiler.collectGarbage")
        figures = {
            one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]
        }
        used.append(figures)
    first, middle, last = used[1], used[9], used[-1]
    grown = (last["JSHeapUsedSize"] - first["JSHeapUsedSize"]) / 2**20
    say(
        "memory of the page after 100 and after 1,000 examples",
        f"{first['JSHeapUsedSize'] / 2**20:.1f} and {last['JSHeapUsedSize'] / 2**20:.1f} MB; "
        f"{first['Nodes']:,.0f} and {last['Nodes']:,.0f} nodes; "
        f"after 100, 500 and 1,000 {first['JSEventListeners']:,.0f}, "
        f"{middle['JSEventListeners']:,.0f} and {last['JSEventListeners']:,.0f} listeners",
        "flat: 1 MB more at most",
    )
    assert grown <= 1
    # JupyterLab adds 132 of its own some seconds after it has opened, also if nothing is done.
    assert last["JSEventListeners"] <= middle["JSEventListeners"] + 10


def label_some(lab, count):
    lab.annotator.focus()
    for _ in range(count):
        for key in ("Home", "1", "a"):
            lab.page.keyboard.press(key)
    expect(lab.annotator.locator("[data-save]").first).to_have_attribute("data-save", "saved")
