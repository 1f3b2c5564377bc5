"""The model loop on protocols: quality, parity and speed, as ratios within one run."""

from __future__ import annotations

import statistics
import time

import pytest

import nbner

LEAST_F = 0.72
LEAST_SPEED = 0.95
REPEATS = 5


@pytest.mark.timeout(3000)
def test_dev_f(trained, say):
    session, seconds = trained
    f = session.evaluate(split="dev").f
    how = "kept from an earlier run" if seconds is None else f"after {seconds:.0f} s of training"
    say("protocols, dev F", f"{f:.3f} {how}", f">= {LEAST_F}")
    assert f >= LEAST_F


def test_suggestions_equal_predictions(trained, say, data):
    session, _ = trained
    texts = [example.text for example in session.examples("dev")[:50]]
    session.add(texts, split="fifty")
    annotator = session.make_gold(split="fifty")
    differing = 0
    for position, text in enumerate(texts):
        shown = annotator.current
        assert shown.text == text, position
        suggested = [(span.start, span.end, span.label) for span in shown.spans]
        frame = session.predict([text])
        predicted = list(frame[["start", "end", "label"]].itertuples(index=False, name=None))
        differing += suggested != predicted
        annotator.answer("accept")
    say("make_gold against predict, differing of 50", differing, 0)
    assert differing == 0


def test_predict_is_as_quick_as_plain_pipe(trained, say, data):
    session, _ = trained
    rows = list(nbner.io.formats.read(data / "protocols/dev.conll"))
    texts = [row.text for row in rows]
    assert len(texts) == 2862
    ratios = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _doc in session.nlp.pipe(texts):
            pass
        middle = time.perf_counter()
        session.predict(texts)
        ratios.append((middle - start) / (time.perf_counter() - middle))
    ratio = statistics.median(ratios)
    say(
        "predict, speed as a share of nlp.pipe over 2,862 texts, median of 5",
        f"{ratio:.2f}",
        f">= {LEAST_SPEED}",
    )
    assert ratio >= LEAST_SPEED
