"""The model loop on real data: parity, causes, Dask, spacy train, and effort to quality.

LEARNER=crf measures the effort with the fast learner in place of `ner`.
"""

from __future__ import annotations

import html
import json
import math
import os
import random
import subprocess
import sys
import time
import unicodedata
from dataclasses import replace

import pandas as pd
import pytest

import nbner
from nbner.evaluation.diff.variants import PipelineVariants, common_tokenizers, sentence_ranges
from nbner.io import formats
from nbner.io.rows import example_from_row
from nbner.session.annotation import open_annotator
from nbner.session.suggestions import in_order
from nbner.types import Example, Span

EPOCHS = 6
PLANTED = 500
LEAST_NAMED = 0.95
DASK_TEXTS = 20_000
LEAST_DASK = 1.6
SEEDS = (0, 1, 2)
CLOSE_F = 0.005
REACHED = 0.9
ORDERS = ("random", "uncertainty", "diversity")
# As small as keeps the curves apart: all three orders see the same texts.
EFFORT_TEXTS = 1000
EFFORT_DEV = 400
EFFORT_LEARNER = os.environ.get("LEARNER", "ner")
EFFORT_OPTIONS = {"ner": {"max_epochs": 4}}.get(EFFORT_LEARNER, {"learner": EFFORT_LEARNER})
EFFORT_STEPS = (100, 200, 300, 450, 675, EFFORT_TEXTS)
TRAIN_TEXTS, TRAIN_DEV = 3000, 1000

pytestmark = pytest.mark.timeout(7200)


@pytest.fixture(scope="module")
def session(trained):
    return trained[0]


# The same in the cell and at run time.

SETS = {
    "protocols dev": "protocols/dev.conll",
    "wnut17 dev": "wnut17/dev.conll",
    "food": "food/*.jsonl",
    "litbank": "litbank",
}


@pytest.mark.parametrize("name", SETS)
def test_parity(session, data, say, name):
    texts = [example_from_row(row) for row in rows_of(data, SETS[name])]
    fresh = [replace(one, spans=(), answer=None, annotator=None, extra={}) for one in texts]
    session.add(fresh, split=name)
    parity = session.experiments.parity(name, batch_sizes=(1, 64), n_process=(1, 2))
    n = {unit: count for unit, _, count, _ in parity.rows}
    say(f"parity on {name}, examples that differ of {n}", parity.differing, 0)
    assert parity.same, parity.frame


def rows_of(data, pattern):
    if pattern == "litbank":
        for file in sorted((data / "litbank").rglob("*.txt")):
            yield from formats.read([file.read_text(encoding="utf-8")])
        return
    files = sorted(one for one in data.glob(pattern) if "pattern" not in one.name)
    assert files, pattern
    for file in files:
        for row in formats.read(file):
            yield replace(row, spans=None, answer=None, gold=False)


# Causes, planted one at a time.


@pytest.fixture(scope="module")
def texts(data):
    """Two sentences each, so that there is something to cut."""
    rows = [row.text for row in formats.read(data / "protocols/dev.conll")]
    joined = [f"{a} {b}" for a, b in zip(rows[::2], rows[1::2], strict=False)]
    return joined[:PLANTED]


def plain(nlp, texts):
    return [Example(one, spans=bare(s)) for one, s in zip(texts, said(nlp, texts), strict=True)]


def said(nlp, texts):
    return PipelineVariants(nlp).predict([Example(text) for text in texts])


def bare(spans):
    return tuple(Span(one.start, one.end, one.label) for one in spans)


def with_spans(texts, spans, **more):
    return [Example(t, spans=bare(s), **more) for t, s in zip(texts, spans, strict=True)]


def planted_sentences(nlp, texts, _):
    return [
        Example(text[start:end], spans=bare(said(nlp, [text[start:end]])[0]))
        for text, cuts in zip(texts, sentence_ranges("en", texts), strict=True)
        for start, end in cuts
    ]


def planted_filter(nlp, texts, _):
    kept = {"Action", "Reagent", "Location", "Amount"}
    return [
        replace(one, spans=tuple(s for s in one.spans if s.label in kept))
        for one in plain(nlp, texts)
    ]


def planted_tokens(nlp, texts, _):
    cut = common_tokenizers("en")["split at spaces"]
    return with_spans(
        texts, PipelineVariants(nlp).predict_with_tokens([Example(t) for t in texts], cut)
    )


def planted_model(_, texts, other):
    return with_spans(texts, said(other, texts)), [other]


def planted_ruler(nlp, texts, _):
    phrases = [(word, "Device") for word in ("water", "buffer", "cells", "tube", "sample")]
    examples = [Example(text) for text in texts]
    return with_spans(
        texts, PipelineVariants(nlp).predict_with_rules(examples, phrases, after=False)
    )


def planted_person(nlp, texts, _):
    draw = random.Random(0)
    found = []
    for one in plain(nlp, texts):
        spans = list(one.spans)
        if spans and draw.random() < 0.6:
            at = draw.randrange(len(spans))
            label = draw.choice(["Device", "Action", "Method", None])
            spans[at : at + 1] = [] if label is None else [replace(spans[at], label=label)]
        found.append(replace(one, spans=tuple(spans), answer="accept", annotator="ann"))
    return found


def altered(change):
    def plant(nlp, texts, _):
        return plain(nlp, [change(text) for text in texts])

    return plant


PLANTS = {
    "sentence splitting": (planted_sentences, "sentence_splitting"),
    "label filter": (planted_filter, "label_filter"),
    "tokenizer": (planted_tokens, "other_tokenizer"),
    "model": (planted_model, "other_model"),
    "entity ruler": (planted_ruler, "entity_ruler"),
    "person": (planted_person, "human_correction"),
    "whitespace": (altered(lambda text: text.replace(" ", "  ")), "altered_text"),
    "truncation": (altered(lambda text: text[: len(text) * 7 // 10]), "altered_text"),
    "HTML entities": (altered(lambda text: html.escape(f"{text} & 'more'")), "altered_text"),
    "Unicode normal form": (
        altered(lambda text: unicodedata.normalize("NFD", text)),
        "altered_text",
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_planted_causes_are_named(session, texts, say, name, tmp_path):
    nlp = session.nlp
    plant, cause = PLANTS[name]
    whole = texts
    if name == "HTML entities":
        whole = [f"{text} & 'more'" for text in texts]
    if name == "Unicode normal form":
        whole = [text.replace("e", "é").replace("u", "ü") for text in texts]
    other = None
    if name == "model":
        other = second_model(session, tmp_path)
    side = plant(nlp, whole if name != "HTML entities" else texts, other)
    side, others = side if isinstance(side, tuple) else (side, [])
    found = nbner.differences(side, plain(nlp, whole), model=nlp, others=others)
    right = found.counts.get(cause, 0)
    share = right / found.differing if found.differing else 1.0
    target = f">= {LEAST_NAMED:.0%}"
    say(f"{name}, named rightly of {found.differing} that changed", f"{share:.1%}", target)
    assert share >= LEAST_NAMED, found.counts


def second_model(session, folder):
    from nbner.training.loop import train

    examples = session.examples("train", answer="accept")[:1500]
    dev = session.examples("dev", answer="accept")[:300]
    options = {"labels": session.labels, "output": folder / "run", "seed": 7, "max_epochs": 2}
    with train("blank:en", examples, dev, **options) as run:
        for _ in run:
            pass
        return run.finish().nlp


# Beyond one process.


def test_dask_with_two_workers(session, data, say):
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    rows = [row.text for row in formats.read(data / "protocols/train.conll")]
    texts = (rows * (DASK_TEXTS // len(rows) + 1))[:DASK_TEXTS]
    frame = pd.DataFrame({"text": texts})
    start = time.perf_counter()
    here = session.predict(texts)
    one = time.perf_counter() - start
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        warm = dd.from_pandas(frame.head(64), npartitions=4)
        session.predict(warm).compute()
        start = time.perf_counter()
        there = session.predict(dd.from_pandas(frame, npartitions=20)).compute()
        two = time.perf_counter() - start
    columns = ["example", "start", "end", "label"]
    assert there[columns].to_numpy().tolist() == here[columns].to_numpy().tolist()
    split = session.predict(texts, n_process=2)
    assert split.to_numpy().tolist() == here.to_numpy().tolist()
    say("Dask, two workers, times one process on 20,000 texts", f"{one / two:.2f}", LEAST_DASK)
    assert one / two >= LEAST_DASK


@pytest.mark.parametrize("seed", SEEDS)
def test_train_against_spacy_train(data, tmp_path, say, seed):
    with nbner.Session("protocols", store=tmp_path / "nbner.db", seed=seed) as session:
        session.add(list(formats.read(data / "protocols/train.conll"))[:TRAIN_TEXTS])
        session.add(list(formats.read(data / "protocols/dev.conll"))[:TRAIN_DEV], split="dev")
        start = time.perf_counter()
        report = session.train(max_epochs=EPOCHS, progress=False)
        ours = time.perf_counter() - start
    start = time.perf_counter()
    config = report.path.parent / "config.cfg"
    command = ["-m", "spacy", "train", str(config), "--output", str(tmp_path / "theirs")]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    theirs = time.perf_counter() - start
    meta = pd.read_json(tmp_path / "theirs/model-best/meta.json", typ="series")
    gap = abs(report.f - meta["performance"]["ents_f"])
    say(f"seed {seed}: F against spacy train, apart by", f"{gap:.4f}", f"<= {CLOSE_F}")
    say(f"seed {seed}: wall time as a share of spacy train", f"{ours / theirs:.2f}", "<= 1.0")
    assert gap <= CLOSE_F
    assert ours <= theirs


# Effort to quality.


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("corpus", ["protocols", "wnut17"])
def test_effort_to_quality(effort, say, corpus, order, seed):
    """F after so many labels in this order; the goal is 90 % of F with all of them."""
    goal, curve = effort(corpus, order, seed)
    points = ", ".join(f"{labels} {f:.3f}" for labels, f in curve)
    what = f"{EFFORT_LEARNER}, {corpus}, {order}, seed {seed}: F after so many labels"
    say(what, f"{points}; goal {goal:.3f}", "as it comes out")
    say("... labels to 90 % of full-data F", f"{reached(curve, goal):.0f}", "as it comes out")
    assert curve[-1][1] >= goal


@pytest.fixture(scope="module")
def effort(data, request, tmp_path_factory):
    """Give the goal and the curve of one run; with --kept, from an earlier one."""
    kept = request.config.getoption("--kept")
    known = {}

    def remembered(name, find):
        file = None if kept is None else kept / "effort" / f"{name}.json"
        if name not in known and file is not None and file.exists():
            known[name] = json.loads(file.read_text())
        if name not in known:
            known[name] = find()
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(known[name]))
        return known[name]

    def run(corpus, order, seed):
        rows, dev = (
            [example_from_row(row) for row in formats.read(data / corpus / f"{name}.conll")][:size]
            for name, size in (("train", EFFORT_TEXTS), ("dev", EFFORT_DEV))
        )
        folder = tmp_path_factory.mktemp("effort")
        whole = remembered(
            f"{EFFORT_LEARNER}-{corpus}-{seed}", lambda: full_data(rows, dev, seed, folder)
        )
        goal = REACHED * whole
        name = f"{EFFORT_LEARNER}-{corpus}-{order}-{seed}"
        return goal, remembered(name, lambda: simulated(rows, dev, order, seed, folder, goal))

    return run


def full_data(rows, dev, seed, folder):
    with nbner.Session("whole", store=folder / "whole.db", seed=seed) as session:
        session.add(dev, split="dev")
        session.add(rows)
        return session.train(**EFFORT_OPTIONS, progress=False).f


def simulated(rows, dev, order, seed, folder, goal):
    """Label in an order, retraining every so often, until the model is good enough."""
    gold = {one.text: one.spans for one in rows}
    with nbner.Session("order", store=folder / "order.db", seed=seed) as session:
        session.add(dev, split="dev")
        session.add([replace(one, spans=(), answer=None, annotator=None) for one in rows])
        curve = []
        for most in EFFORT_STEPS:
            # Without a model there is nothing to be unsure of.
            by = order if curve else "random"
            widget = session.make_gold(strategy=by, holdout=0.0) if curve else first(session)
            while (done := session.counts("train").answered) < most and widget.current:
                widget.answer("accept", list(gold[widget.current.text]))
            f = session.train(**EFFORT_OPTIONS, margin=None, progress=False).f
            curve.append((done, f))
            if f >= goal or widget.current is None:
                return curve
        return curve


def first(session):
    context = session.context
    shuffled = in_order(context, "random", 0.0)
    return open_annotator(context, "train", "manual", None, dataset=shuffled)


def reached(curve, goal):
    """Between the last too few labels and the first that are enough, on a straight line."""
    before = (0, 0.0)
    for labels, f in curve:
        if f >= goal:
            return before[0] + (labels - before[0]) * (goal - before[1]) / (f - before[1])
        before = labels, f
    return math.inf
