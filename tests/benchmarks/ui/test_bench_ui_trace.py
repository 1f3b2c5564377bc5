"""Stepping through the state machine: from a key to the painted page."""

from __future__ import annotations

import importlib.util
import statistics
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

import nbner

STEPS = 100


@pytest.fixture
def bench_world():
    """Give what serves the host page of the browser tests."""
    path = Path(__file__).parents[2] / "browser" / "world.py"
    spec = importlib.util.spec_from_file_location("nbner_bench_world", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def text(data):
    """Give a text of 50 tokens out of the protocols, whose labels are 18."""
    with nbner.Session("words", store=":memory:") as session:
        session.add(data / "protocols" / "dev.conll", split="dev")
        words = [token.text for one in session.examples("dev")[:10] for token in one.tokens]
    return " ".join(words[:50])


def test_from_a_key_to_the_painted_step(trained, text, say, page, bench_world):
    session, _ = trained
    trace = session.explain(text, [])
    assert len(session.labels) == 18
    bench_world.serve(page)
    page.goto(f"{bench_world.ORIGIN}trace_host.html")
    page.wait_for_selector("html[data-ready]")
    page.evaluate("run => host.start(run)", trace.get_state()["_run"])
    root = page.locator("[data-nbner=trace]")
    expect(root).to_be_visible()
    steps = len(trace.steps)
    keys = (["ArrowRight"] * steps + ["ArrowLeft"] * steps) * 2
    taken = page.evaluate("keys => host.time(keys)", keys[: 2 * STEPS])
    worked, painted = (sorted(one[what] for one in taken) for what in ("worked", "painted"))
    late = int(0.95 * len(taken))
    say(
        f"explainer, {steps} tokens, 18 labels, {len(taken)} steps: key to the laid-out page",
        f"{statistics.median(worked):.1f} ms, 95th percentile {worked[late]:.1f} ms",
        "16 ms",
    )
    say(
        "explainer: key to the painted frame, the wait for the next frame included",
        f"{statistics.median(painted):.1f} ms, 95th percentile {painted[late]:.1f} ms",
        "16 ms of work; frames come every 16.7 ms",
    )
    assert worked[late] <= 16


def test_to_explain_a_text(trained, text, say):
    session, _ = trained
    session.explain(text, [])
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        session.explain(text, [])
        taken.append(time.perf_counter() - start)
    say(
        "session.explain, 50 tokens, 18 labels, beam of 8",
        f"{1000 * statistics.median(taken):.0f} ms",
        "none stated",
    )
