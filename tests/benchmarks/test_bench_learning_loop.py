"""Learning while one labels: the cost of the whole loop, and the time of an answer meanwhile.

    make bench DATA=path ARGS="-k learning_loop"

SET=, SENTENCES= and SEED= name what is labelled, ORDERS= in which orders the model
that learns has it: 300 sentences take two to four CPU minutes an order. "new_words"
orders the same sentences that the loop as it was labels, so that no order gains by
choosing short ones; "uncertainty" chooses among all. ANSWERS= is the number of answers
of each kind whose time is measured, and TRAININGS= of trainings whose CPU time is.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from functools import partialmethod

import numpy as np
import pytest

import nbner
from nbner import registry
from nbner.active_learning.query_strategies import new_words
from nbner.active_learning.strategies import shuffled
from nbner.io import formats
from nbner.io.rows import example_from_row
from nbner.nlp.pipeline import load_base
from nbner.simulation.headless_client import HeadlessClient
from nbner.training.learner import learn_crf

SET = os.environ.get("SET", "protocols")
SENTENCES = int(os.environ.get("SENTENCES", "300"))
SEED = int(os.environ.get("SEED", "0"))
ORDERS = os.environ.get("ORDERS", "random new_words").split()
POOL = 1000  # sentences that are in the session, too, and are not labelled
DEV = 300
TRAIN_EVERY = 100  # examples between two trainings of the loop as it was
MEASURE_EVERY = 25  # examples between two measurements of the loop that learns
TARGET_F = 0.60
LEAST_SAVED_TO_F, LEAST_SAVED_IN_ALL = 0.40, 0.25
ANSWERS = int(os.environ.get("ANSWERS", "60"))  # of each kind
MOST_SLOWER = 1.2
TRAININGS = int(os.environ.get("TRAININGS", "3"))  # of `train()`, and three times as many
MOST_CPU = 20
_IN_TURN = 12  # answers with learning, then as many without
_THINKING = (0.02, 0.15)  # seconds between two answers

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def labelled(data, tmp_path_factory):
    """A session whose gold a simulated annotator knows."""
    store = tmp_path_factory.mktemp("loop") / "nbner.db"
    own = ("food.jsonl",) if SET == "food" else ("train.conll", "dev.conll")
    names = [f"{SET}/{one}" for one in own]
    found = [[example_from_row(row) for row in formats.read(data / name)] for name in names]
    different = list({one.text: one for one in found[0]}.values())
    drawn = random.Random(SEED).sample(different, min(SENTENCES + POOL + DEV, len(different)))
    dev = random.Random(SEED).sample(found[1], DEV) if len(found) > 1 else drawn[-DEV:]
    with nbner.Session(SET, store=store, seed=SEED) as session:
        known = {one.text for one in dev}
        texts = [one for one in drawn if one.text not in known][: SENTENCES + POOL]
        session.add([replace(one, answer="accept") for one in texts], split="train")
        session.add([replace(one, answer="accept") for one in dev], split="dev")
        yield session


def new_words_among(texts):
    """Make a query strategy: some texts by their new words, and the others after them."""

    def rank(examples, *, annotated):
        own = [i for i, one in enumerate(examples) if one.text in texts]
        ranked = [own[i] for i in new_words([examples[i] for i in own], annotated=annotated)]
        return ranked + sorted(set(range(len(examples))).difference(own))

    return rank


def actions_until(points, f):
    """Interpolate the actions at which F is reached; None where it is not."""
    before = (0, 0.0)
    for point in points:
        if point.f >= f:
            share = (f - before[1]) / (point.f - before[1])
            return before[0] + share * (point.actions - before[0])
        before = (point.actions, point.f)
    return None


def test_actions_of_the_whole_loop(labelled, say, monkeypatch):
    """The loop as it was trains `ner` after every 100, the other one learns after every 5."""
    runs = {"train after every 100": (("make_gold", "random"), TRAIN_EVERY)}
    runs |= {f"learn, {order}": (("learn", order), MEASURE_EVERY) for order in ORDERS}
    found = {}
    gold = labelled.examples("train", answer="accept")
    same = {gold[i].text for i in shuffled(len(gold), labelled.seed)[:SENTENCES]}
    registry.query_strategies.register("new_words", new_words_among(same))
    for name, (condition, batch) in runs.items():
        begun = time.process_time()
        with monkeypatch.context() as patch:
            # The schedule of that time: 30 epochs, and no training on all labels. Learning in
            # the widget calls no `train`.
            patch.setattr(
                nbner.Session,
                "train",
                partialmethod(nbner.Session.train, refit=False),
            )
            if name == "train after every 100":
                # There was nothing on offer beside the suggestions.
                patch.setattr(
                    nbner.Session,
                    "make_gold",
                    partialmethod(nbner.Session.make_gold, alternatives=None),
                )
            points = nbner.simulate(
                labelled,
                conditions=[condition],
                batch=batch,
                rounds=SENTENCES // batch,
                max_epochs=30,
                progress=False,
            ).points
        found[name] = points
        curve = ", ".join(f"{one.examples}: {one.actions} actions, F {one.f:.3f}" for one in points)
        say(f"{SET}, {name} ({time.process_time() - begun:.0f} CPU s in this process)", curve, "")
    registry.query_strategies.register("new_words", new_words)
    old, *new = found
    for name in new:
        pairs = {
            f"actions until F {TARGET_F:.2f}": [
                actions_until(found[one], TARGET_F) for one in (old, name)
            ],
            f"actions for {SENTENCES} sentences": [found[one][-1].actions for one in (old, name)],
        }
        for (what, (before, after)), target in zip(
            pairs.items(), (LEAST_SAVED_TO_F, LEAST_SAVED_IN_ALL), strict=True
        ):
            saved = None if before is None or after is None else f"{1 - after / before:.0%} fewer"
            say(f"{what}, {old} / {name}", f"{before} / {after}, {saved}", f"{target:.0%} fewer")


def test_an_answer_takes_no_longer_while_the_learner_trains(labelled, tmp_path, say):
    """Both kinds of answers are given in turn, so that the machine's load is the same for both."""
    times = {"idle": [], "training": []}
    gold = {one.text: one.spans for one in labelled.examples("train", answer="accept")}
    with nbner.Session("d", labels=labelled.labels, store=tmp_path / "nbner.db") as session:
        session.add(list(gold))
        widget = session.make_gold(learn=True, every=1000)
        page = HeadlessClient(widget)
        for number in range(2 * ANSWERS + 20):
            if number >= 20 and number % 2 == 0:
                widget.learning.start()
                while widget.learning.state != "training":
                    time.sleep(0.001)
            state = "training" if widget.learning.state == "training" else "idle"
            example = page.next_example()
            begun = time.perf_counter()
            page.accept(example, gold[example.text], 1.0)
            took = time.perf_counter() - begun
            if number >= 20 and state == ("training" if number % 2 == 0 else "idle"):
                times[state].append(took)
            widget.learning.wait()
            page.reload()
    p50, p95 = (
        {kind: 1000 * float(np.quantile(all_, share)) for kind, all_ in times.items()}
        for share in (0.5, 0.95)
    )
    say(
        f"reply to an answer in ms, median (p95), idle and while training, {len(times['idle'])} "
        f"and {len(times['training'])} answers",
        f"{p50['idle']:.1f} ({p95['idle']:.1f}) and {p50['training']:.1f} ({p95['training']:.1f}), "
        f"p95 {p95['training'] / p95['idle']:.2f} times",
        f"p95 within {MOST_SLOWER} times",
    )


def test_an_answer_takes_no_longer_at_any_moment_of_a_training(labelled, tmp_path, say):
    """One training follows the other, and each model comes into use while answers go on."""
    times = {"idle": [], "learning": []}
    draw = random.Random(1)
    gold = {one.text: one.spans for one in labelled.examples("train", answer="accept")}
    with nbner.Session("d", labels=labelled.labels, store=tmp_path / "nbner.db") as session:
        session.add(list(gold))
        widget = session.make_gold(learn=True, every=1000)
        page = HeadlessClient(widget)
        for number in range(2 * ANSWERS + 3 * _IN_TURN):
            # In turn, so that the machine's load and the number of answers are the same.
            kind = ("idle", "learning")[number // _IN_TURN % 2]
            if number % _IN_TURN == 0:
                widget.learning.wait()
                page.reload()
            if kind == "learning" and widget.learning.state != "training":
                widget.learning.start()
            time.sleep(draw.uniform(*_THINKING))
            example = page.next_example()
            begun = time.perf_counter()
            page.accept(example, gold[example.text], 1.0)
            if number >= 3 * _IN_TURN:
                times[kind].append(time.perf_counter() - begun)
    p50, p95 = (
        {kind: 1000 * float(np.quantile(all_, share)) for kind, all_ in times.items()}
        for share in (0.5, 0.95)
    )
    say(
        f"reply to an answer in ms, median (p95), idle and at any moment of learning, "
        f"{len(times['idle'])} and {len(times['learning'])} answers",
        f"{p50['idle']:.1f} ({p95['idle']:.1f}) and {p50['learning']:.1f} ({p95['learning']:.1f}), "
        f"p95 {p95['learning'] / p95['idle']:.2f} times",
        f"p95 within {MOST_SLOWER} times",
    )


def test_cpu_of_one_training_at_200_sentences(labelled, tmp_path, say):
    """Beside `train()` with the schedule of before there was a learner, in the same process."""
    gold = labelled.examples("train", answer="accept")[:200]
    base = load_base("blank:en")
    pool = [one.text for one in labelled.examples("train")]
    learn_crf(base, gold[:5], labels=labelled.labels, pool_texts=pool)

    def cpu_of(function, *arguments, **options):
        begun = time.process_time()
        function(*arguments, **options)
        return time.process_time() - begun

    with nbner.Session("d", labels=labelled.labels, store=tmp_path / "nbner.db") as session:
        session.add(gold)
        found, before = [], []
        for _ in range(TRAININGS):
            found += [
                cpu_of(learn_crf, base, gold, labels=labelled.labels, pool_texts=pool)
                for _ in range(3)
            ]
            before.append(cpu_of(session.train, max_epochs=30, refit=False, progress=False))
    one, other = (float(np.median(all_)) for all_ in (found, before))
    say(
        f"CPU s of one training of the learner, 200 sentences (median of {len(found)}), and of "
        f"train() as it was (of {len(before)})",
        f"{one:.2f} and {other:.1f}, 1/{other / one:.1f}",
        f"at most 1/{MOST_CPU}",
    )
