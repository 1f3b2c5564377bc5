"""Learners on few labels: F of `session.train()` as a user gets it, by set, size and draw.

    make bench DATA=path ARGS="-k few_labels_learners"
    make bench DATA=path ARGS="-k every_candidate"

The second one is the table: CRF, distilled `ner` and `ner`, each held out and on all
labels, and which of them "auto" takes, in one to three CPU minutes a point. KEEP= is a
file for a line of JSON a point, with the counts of each held-out sentence and F of each
final model, so that another rule is tried without another training.

SETS=, SIZES= and DRAWS= name how much is run, BESIDE= the learners beside "auto", and
CANDIDATES= those of the table, the CRF first ("crf ner" spares half of the time).
All of it is measured on texts that no learner has learnt from: 400 sentences of the
dev part of protocols, the dev parts of wnut17, ncbi and chinese, 400 texts of food and
wikigold, half of headlines, the test parts of the others. Where "auto"
takes `ner` or the CRF, its model is that of the learner alone.
"""

from __future__ import annotations

import json
import os
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import nbner
from nbner.evaluation.scores import score
from nbner.io import formats
from nbner.io.rows import example_from_row
from nbner.nlp.gold_docs import split_corpus
from nbner.nlp.pipeline import load_base
from nbner.nlp.prediction import predict
from nbner.training import learner_run, loop
from nbner.training.candidates import choose_learner
from nbner.training.crf_run import CrfRun
from nbner.training.distillation import silver_examples

SETS = os.environ.get("SETS", "protocols").split()
SIZES = [int(one) for one in os.environ.get("SIZES", "100 200").split()]
DRAWS = [int(one) for one in os.environ.get("DRAWS", "1").split()]
BESIDE = os.environ.get("BESIDE", "crf ner").split()
CANDIDATES = os.environ.get("CANDIDATES", "crf distilled ner").split()
KEEP = os.environ.get("KEEP")
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
        if name in ("ncbi", "chinese"):
            suffix = "conll" if name == "ncbi" else "iob2"
            return read(f"{name}/train.{suffix}"), read(f"{name}/dev.{suffix}")
        if name in ("wikigold", "headlines"):
            file = "wikigold.conll.txt" if name == "wikigold" else "headlines.jsonl"
            rows = [one for one in read(f"{name}/{file}") if one.answer == "accept"]
            drawn = random.Random(99).sample(rows, len(rows))
            size = min(MEASURED, len(rows) // 2)
            return drawn[:-size], drawn[-size:]
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


def plain(spans):
    return [(one.start, one.end, one.label) for one in spans]


@dataclass
class Trained:
    """Candidates without and with the held-out examples, and CPU seconds of both together."""

    dev: list
    held_out: dict
    all: dict
    seconds: dict


def train_candidates(session, folder):
    """Train the candidates as `LearnerRun` does, and all of them on all labels."""
    examples = session.examples("train")
    gold = [one for one in examples if one.answer == "accept"]
    pool = [one for one in examples if one.answer is None]
    labels, base = tuple(session.labels), load_base("blank:en")
    corpus = split_corpus(gold, (), labels, 0)
    found = Trained(list(corpus.dev), {}, {}, {})
    taught, steps = {}, {}
    decision = None
    for is_all, models in ((False, found.held_out), (True, found.all)):
        data = split_corpus(gold, corpus.dev, labels, 0) if is_all else corpus
        for name in CANDIDATES:
            start = time.process_time()
            output = folder / f"{name}-{is_all}"
            if name == "crf":
                run = taught[is_all] = CrfRun(base, data, output, pool=pool, decision=decision)
            else:
                options = {"fixed_steps": steps[name]} if is_all else {}
                if name == "distilled":
                    options["silver_examples"] = silver_examples(taught[is_all].nlp, pool, 0)
                dev = corpus.dev if is_all else ()
                run = loop.train(base, gold, dev, labels=labels, output=output, **options)
            for _ in run:
                pass
            result = run.finish()
            # As `LearnerRun` does: all steps of a distilled one.
            steps[name] = result.steps if name == "distilled" else result.best.step + 1
            models[name] = result.nlp
            spent = found.seconds.get(name, 0.0)
            found.seconds[name] = spent + time.process_time() - start
        decision = taught[is_all].decision
    return found


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


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", SETS)
def test_f_of_every_candidate(few, parts, say, tmp_path, name, n, draw):
    """Train all candidates as "auto" does, and on all labels not only the one that it takes."""
    test, session = parts(name)[1], few(name, n, draw)
    found = train_candidates(session, tmp_path)
    held_out = {one: predict(nlp, found.dev) for one, nlp in found.held_out.items()}
    held_out = {one: list(spans) for one, spans in held_out.items()}
    choice = choose_learner(found.dev, held_out, seed=0)
    gold = [one.spans for one in test]
    f = {
        one: score(gold, list(predict(nlp, test))).exact.f or 0.0 for one, nlp in found.all.items()
    }
    if KEEP:
        line = {
            "set": name,
            "n": n,
            "draw": draw,
            "taken": choice.learner,
            "f": f,
            "gold": [plain(one.spans) for one in found.dev],
            "held_out": {one: [*map(plain, some)] for one, some in held_out.items()},
            "seconds": found.seconds,
        }
        with Path(KEEP).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    say(f"{name} {n} draw {draw}, held out", {one: str(f) for one, f in choice.f.items()}, "-")
    say(f"{name} {n} draw {draw}, choice", choice.reason, "-")
    figures = ", ".join(f"{one} {f[one]:.3f} ({s:.0f} CPU s)" for one, s in found.seconds.items())
    loss = max(f.values()) - f[choice.learner]
    say(
        f"F on {name} at {n}, draw {draw}",
        f"{figures}; auto {f[choice.learner]:.3f}, the best less {loss:.3f}",
        f"at most {AUTO_GAP} less; crf {TARGETS.get(n, '-') if name == 'protocols' else '-'}",
    )


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
