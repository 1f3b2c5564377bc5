"""Learners on few labels: F of `session.train()` as a user gets it, by set, size and draw.

    make bench DATA=path ARGS="-k few_labels_learners"

SETS=, SIZES= and DRAWS= name how much is run, and BESIDE= the learners beside "auto": a
point takes one to four CPU minutes.
All of it is measured on texts that no learner has learnt from: 400 sentences of the
dev part of protocols, the dev part of wnut17, the rest of food, the test parts of the
others. Where "auto" takes `ner` or the CRF, its model is that of the learner alone.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace

import pytest

import nbner
from nbner.evaluation.scores import score
from nbner.io import formats
from nbner.io.rows import example_from_row
from nbner.nlp.prediction import predict
from nbner.training import learner_run

SETS = os.environ.get("SETS", "protocols").split()
SIZES = [int(one) for one in os.environ.get("SIZES", "100 200").split()]
DRAWS = [int(one) for one in os.environ.get("DRAWS", "1").split()]
BESIDE = os.environ.get("BESIDE", "crf ner").split()
POOL = 800
MEASURED = 400
#: Targets of the fast learner on protocols.
TARGETS = {50: 0.49, 100: 0.545, 200: 0.595, 500: 0.645}
TEACHER_GAP, AUTO_GAP, DEFAULT_GAP = 0.03, 0.01, 0.01

pytestmark = pytest.mark.timeout(7200)


@pytest.fixture(scope="module")
def parts(data):
    """Return by the name of a set the sentences to draw from, and those to measure on."""
    known = {}

    def read(file):
        rows = (example_from_row(row) for row in formats.read(data / file))
        return list({one.text: one for one in rows}.values())

    def find(name):
        if name == "food":
            rows = random.Random(99).sample(read("food/food.jsonl"), 949 - 30)
            rows = [one for one in rows if one.answer == "accept"]
            return rows[:-MEASURED], rows[-MEASURED:]
        if name == "protocols":
            measured = [example_from_row(row) for row in formats.read(data / f"{name}/dev.conll")]
            return read(f"{name}/train.conll"), random.Random(99).sample(measured, MEASURED)
        if name == "wnut17":
            return read(f"{name}/train.conll"), read(f"{name}/dev.conll")
        # Small ones: the texts of the dev part are a pool.
        return read(f"{name}/train.txt") + read(f"{name}/dev.txt"), read(f"{name}/test.txt")

    def remembered(name):
        if name not in known:
            known[name] = find(name)
        return known[name]

    return remembered


@pytest.fixture
def few(parts, tmp_path):
    """Open a session with some labelled sentences, and 800 without an answer."""
    opened = []

    def start(name, n, draw):
        drawn = random.Random(draw).sample(parts(name)[0], min(n + POOL, len(parts(name)[0])))
        gold = [replace(one, answer="accept") for one in drawn[:n]]
        session = nbner.Session("few", store=tmp_path / "few.db", seed=0)
        opened.append(session)
        session.add(gold)
        session.add([replace(one, spans=(), answer=None) for one in drawn[n:]])
        return session

    yield start
    for one in opened:
        one.close()


def measured(session, test, **options):
    """Train, and return the report with F and the CPU seconds."""
    start = time.process_time()
    report = session.train(progress=False, margin=None, **options)
    seconds = time.process_time() - start
    gold = [one.spans for one in test]
    return report, score(gold, list(predict(session.nlp, test))).exact.f or 0.0, seconds


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", SETS)
def test_f_of_the_learners(few, parts, say, name, n, draw):
    test = parts(name)[1]
    session = few(name, n, draw)
    report, auto, seconds = measured(session, test, learner="auto")
    candidates = report.candidates[["learner", "f", "f_low", "f_high"]].round(3)
    say(f"{name} {n} draw {draw}, candidates", f"\n{candidates.to_string(index=False)}", "-")
    say(f"{name} {n} draw {draw}, choice", report.record["choice"], "-")
    found = {"auto": (auto, seconds)}
    for learner in BESIDE:
        if report.learner == learner:
            found[learner] = (auto, float("nan"))
            continue
        _, f, seconds = measured(session, test, learner=learner)
        found[learner] = (f, seconds)
    figures = ", ".join(f"{one} {f:.3f} ({s:.0f} CPU s)" for one, (f, s) in found.items())
    best = max(f for one, (f, _) in found.items() if one != "auto")
    target = f"auto not below {best - AUTO_GAP:.3f}"
    if name == "protocols":
        target += f", crf {TARGETS.get(n, '-')}"
    say(f"F on {name} at {n}, draw {draw}, auto took {report.learner}", figures, target)


@pytest.mark.parametrize("n", SIZES)
def test_the_distilled_ner_beside_its_teacher(few, parts, say, monkeypatch, n):
    """Whatever is taken by itself, the distilled `ner` is taken here."""
    whole = learner_run.choose_learner
    monkeypatch.setattr(
        learner_run,
        "choose_learner",
        lambda *args, **more: replace(whole(*args, **more), learner="distilled"),
    )
    session, test = few("protocols", n, DRAWS[0]), parts("protocols")[1]
    _, distilled, _ = measured(session, test, learner="auto")
    _, crf, _ = measured(session, test, learner="crf")
    say(f"F at {n}, distilled", f"{distilled:.3f}", f"{crf - TEACHER_GAP:.3f}, its teacher - .03")
    assert distilled > crf - TEACHER_GAP


@pytest.mark.parametrize("n", SIZES)
def test_the_default_beside_that_of_earlier_versions(few, parts, say, n):
    """30 epochs, and the held-out part is never learnt from: the schedule as it was."""
    session, test = few("protocols", n, DRAWS[0]), parts("protocols")[1]
    _, old, seconds = measured(session, test, max_epochs=30, refit=False)
    say(f"F at {n}, ner as it was", f"{old:.3f}, {seconds:.0f} CPU s", "-")
    _, f, seconds = measured(session, test)
    say(f"F at {n}, ner", f"{f:.3f}, {seconds:.0f} CPU s", f"not below {old:.3f} - .01")
    assert f > old - DEFAULT_GAP
