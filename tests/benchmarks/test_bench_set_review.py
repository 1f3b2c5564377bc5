"""Actions that a review of conformal sets saves, beside plain make-gold at equal accuracy.

``make bench DATA=path ARGS="-k review_of_sets"``; ``SETS="wnut17" TRAIN=300 EPOCHS=5
HELD_OUT=200 TEXTS=200`` asks for less. A model of ``TRAIN`` texts is calibrated on
``HELD_OUT`` others, all drawn at random, and ``TEXTS`` open ones are labelled through the
widget by a simulated annotator who makes no errors. What was accepted unseen costs gold;
plain make-gold reaches the same accuracy where some texts are accepted unseen as the model
predicts them: the last of a random order, or those whose least probable suggestion is the
surest, as `confident_suggestions` would.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, replace

import pytest

import nbner
from nbner.io import formats
from nbner.io.rows import example_from_row
from nbner.simulation.annotator import SimulatedAnnotator, count_actions
from nbner.simulation.headless_client import annotate_with

SETS = os.environ.get("SETS", "protocols wnut17").split()
TEXTS = int(os.environ.get("TEXTS", "400"))
TRAIN = int(os.environ.get("TRAIN", "600"))
HELD_OUT = int(os.environ.get("HELD_OUT", "400"))
EPOCHS = int(os.environ.get("EPOCHS", "8"))
# Where gold is in no list of a weak model, the lower ones are not reached: that is said.
ALPHAS = tuple(float(one) for one in os.environ.get("ALPHAS", "0.05 0.1 0.2 0.3 0.5").split())


@dataclass(frozen=True)
class Cost:
    """One open text: actions of plain make-gold, the model's spans, and how sure it is."""

    text: str
    actions: int
    spans: tuple[nbner.Span, ...]
    gold: tuple[nbner.Span, ...]
    lowest: float

    @property
    def errors(self):
        """Right, spurious and missing spans of the model."""
        right = len(set(self.spans) & set(self.gold))
        return right, len(self.spans) - right, len(self.gold) - right


def f_of(right, wrong, missed):
    return 2 * right / max(1, 2 * right + wrong + missed)


def until(ordered, f):
    """Return the actions where the longest tail of an order is accepted unseen at an F."""
    whole = sum(len(one.gold) for one in ordered)
    actions = best = sum(one.actions for one in ordered)
    wrong = missed = 0
    for one in reversed(ordered):
        _, spurious, omitted = one.errors
        wrong, missed, actions = wrong + spurious, missed + omitted, actions - one.actions
        if f_of(whole - missed, wrong, missed) >= f:
            best = actions
    return best


@pytest.fixture
def opened(data, tmp_path, request):
    """Give a session with a model, held-out gold and open texts, and the gold of these."""
    name = request.param
    rows = formats.read(data / name / "train.conll")
    read = [replace(example_from_row(row), answer="accept") for row in rows]
    drawn = random.Random(0).sample(read, TRAIN + HELD_OUT + TEXTS)
    gold = {one.text: one.spans for one in drawn[TRAIN + HELD_OUT :]}
    with nbner.Session(name, store=tmp_path / "nbner.db", annotator="robot") as session:
        session.add(drawn[:TRAIN])
        session.add(drawn[TRAIN : TRAIN + HELD_OUT], split="dev")
        session.train(max_epochs=EPOCHS, progress=False)
        fresh = [
            replace(one, spans=(), answer=None, labels=None) for one in drawn[TRAIN + HELD_OUT :]
        ]
        for alpha in ALPHAS:
            session.add(fresh, split=f"open {alpha}")
        yield name, session, gold


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("opened", SETS, indirect=True)
def test_actions_of_a_review_of_sets(opened, say):
    name, session, gold = opened
    listed = session.confident_suggestions(
        f"open {ALPHAS[0]}", min_probability=1e-9, include_empty=True, progress=False
    )
    sure = {one.example.text: one for one in listed}
    costs = [
        Cost(
            text,
            count_actions(one.example.spans, gold[text]),
            one.example.spans,
            gold[text],
            one.lowest,
        )
        for text, one in sure.items()
    ]
    by_text = {one.text: one for one in costs}
    order = [by_text[text] for text in gold if text in by_text]
    by_confidence = sorted(order, key=lambda one: one.lowest)
    plain = sum(one.actions for one in order)
    known = [nbner.Example(text, spans=spans) for text, spans in gold.items()]
    say(f"{name}, {len(order)} open texts, plain make-gold", f"{plain:,} actions, F 1", "-")
    for alpha in ALPHAS:
        try:
            widget = session.make_gold(f"open {alpha}", review="set", alpha=alpha, holdout=0.0)
        except nbner.DataError as error:
            say(f"{name}, {100 * (1 - alpha):g} %", f"not reached: {error}", "-")
            continue
        sets = widget.sets
        whole = next(
            one for one in sets.coverage.rows if (one.method, one.group) == (sets.method, "all")
        )
        say(
            f"{name}, coverage over {whole.n} held-out texts, {100 * (1 - alpha):g} % asked",
            f"{whole.coverage} ({sets.method}), {whole.size.value:.1f} analyses in a set, one for "
            f"{whole.single:.1%}, incomplete for {whole.incomplete:.1%}",
            "within 1.5 points of what is asked",
        )
        groups = sets.frame["set"].value_counts().to_dict()
        wrong = sum(set(one.spans) != set(gold[one.text]) for one in sets.single)
        expected = sets.expected_wrong
        batch = sets.accept() if sets.single else None
        done = annotate_with(widget, SimulatedAnnotator(), known)
        # The bulk act takes one.
        actions = sum(one.actions for one in done) + (batch is not None)
        answered = session.examples(f"open {alpha}", answer="accept")
        assert len(answered) == len(order)
        counts = [_counts(one, gold) for one in answered]
        f = f_of(*map(sum, zip(*counts, strict=True)))
        cut, surest = until(order, f), until(by_confidence, f)
        say(
            f"{name}, review of sets at {100 * (1 - alpha):g} % ({groups})",
            f"{actions:,} actions ({1 - actions / plain:.1%} saved), F {f:.3f}; "
            f"{len(sets.single)} accepted unseen, {wrong} of them wrong, expected "
            f"{expected.value:.1f} ({expected.low:.1f} to {expected.high:.1f}), which is "
            f"{wrong / len(order):.1%} of all texts; plain make-gold at that F: {cut:,} actions "
            f"with the last texts of a random order accepted unseen, {surest:,} with the surest",
            "fewer actions than plain at the same F",
        )


def _counts(answered, gold):
    right = len(set(answered.spans) & set(gold[answered.text]))
    return right, len(answered.spans) - right, len(gold[answered.text]) - right
