"""What to label next: the order, the random share, and what training makes of it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbner import DataError, ModelError, Session, Span
from nbner.active_learning.strategies import (
    farthest_first,
    interleave,
    rank_by_new_words,
    rank_by_score_diverse,
    word_vectors,
)

PEOPLE = ("Ada", "Bo", "Cleo", "Dan", "Eve", "Finn")
PLACES = ("Rome", "Oslo", "Graz", "Ulm")
ROWS = [
    {
        "text": f"{person} lives in {place} .",
        "answer": "accept",
        "spans": [{"start": 0, "end": len(person), "label": "Person"}],
    }
    for person in PEOPLE
    for place in PLACES
]
OPEN = [
    *(f"{person} lives in {place} ." for person in ("Gil", "Hal") for place in PLACES),
    "Nobody knows where Mister Ada Rome Finn might be tonight",
    "an entirely different sentence about nothing whatsoever",
]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    store = tmp_path_factory.mktemp("learnt") / "nbner.db"
    with Session("d", labels=["Person"], store=store) as session:
        session.add(ROWS)
        return session.train(max_epochs=12, progress=False).path


@pytest.fixture
def session(tmp_path, learnt):
    with Session("d", labels=["Person"], store=tmp_path / "nbner.db", model=learnt) as session:
        session.add(OPEN, split="open")
        yield session


def shown(widget):
    texts = []
    for _ in OPEN:
        texts.append(widget.current.text)
        widget.answer("ignore")
    return texts


def test_as_given(session):
    assert shown(session.make_gold("open")) == OPEN


@pytest.mark.parametrize("order", ["random", "uncertainty", "diversity", "new_words"])
def test_every_order_shows_everything_once(session, order):
    texts = shown(session.make_gold("open", strategy=order))
    assert sorted(texts) == sorted(OPEN)
    assert texts != OPEN


def test_new_words_that_many_texts_have_come_first():
    texts = [["mix", "x"], ["add", "water"], ["add", "salt"], ["add", "water", "now"]]
    # "add" and "water" are new in the second and the last one, and nothing is after that.
    assert rank_by_new_words(texts) == [1, 0, 2, 3]
    assert rank_by_new_words(texts, known={"add", "water"}) == [0, 1, 2, 3]
    # A short one goes before a long one with the same words.
    assert rank_by_new_words([["add", *"abcdef"], ["add", "b"], ["add", "c"]])[0] == 1


@given(st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=9), max_size=9))
@settings(max_examples=30)
def test_new_words_are_covered_greedily(texts):
    left, words, expected = list(range(len(texts))), [set(one) for one in texts], []
    seen = set()
    while left:
        counts = Counter(word for some in words for word in some)
        gain = {
            row: sum(counts[word] - 1 for word in words[row] - seen) / max(4, len(texts[row]))
            for row in left
        }
        best = max(left, key=lambda row: (gain[row], -row))
        expected.append(best)
        left.remove(best)
        seen |= words[best]
    assert rank_by_new_words(texts) == expected


def test_new_words_follow_the_answers(tmp_path, learnt):
    """What is annotated is known, and the others come in a new order."""
    with Session("w", labels=["Person"], store=tmp_path / "w.db", model=learnt) as session:
        session.add(["one two three", "one two three four", "five six", "five seven", "x y z"])
        session.add([{"text": "one two three", "spans": [], "answer": "accept"}])
        widget = session.make_gold(strategy="new_words", holdout=0)
        assert widget.current.text == "five six"


def test_random_is_the_sessions_seed(session, tmp_path, learnt):
    first = shown(session.make_gold("open", strategy="random"))
    with Session("e", labels=["Person"], store=tmp_path / "e.db", model=learnt) as again:
        again.add(OPEN, split="open")
        assert shown(again.make_gold("open", strategy="random")) == first


def test_what_the_model_is_least_sure_of_comes_early(session):
    from nbner.decoding.api import lattices

    first = session.make_gold("open", strategy="uncertainty", holdout=0).current.text
    entropies = {one.text: one.entropy() for one in lattices(session.nlp, OPEN)}
    assert entropies[first] == max(entropies.values())


def test_what_is_unlike_all_that_is_labelled_comes_first(session):
    session.add(ROWS)
    assert session.make_gold("open", strategy="diversity", holdout=0).current.text == OPEN[-1]


def test_a_share_is_drawn_at_random_and_not_learnt_from(session):
    session.add(ROWS[:12])
    session.add([f"Ivy {i} lives in Bonn ." for i in range(30)], split="train")
    widget = session.make_gold("train", strategy="uncertainty", holdout=0.3)
    for _ in range(30):
        widget.answer("accept", [Span(0, 3, "Person")])
    answers = list(session.context.dataset.answers("train"))
    assert {one.extra.get("order") for one in answers if one.annotator != "import"} == {
        "least sure"
    }
    aside = [one for one in session.examples("train") if one.extra.get("_aside")]
    assert 4 <= len(aside) <= 16
    report = session.train(init="continue", max_epochs=1, progress=False)
    assert report.n_dev == len(aside)
    assert report.n_train == 12 + 30 - len(aside)


def test_a_draft_comes_first_in_every_order(session):
    widget = session.make_gold("open", strategy="diversity", holdout=0)
    text = widget.current.text
    widget.answer("accept")
    widget.undo()
    assert session.make_gold("open", strategy="random").current.text == text


def test_a_new_model_makes_a_new_order(session):
    calls = []

    def counted(examples):
        calls.append(1)
        return range(len(examples))

    widget = session.make_gold("open", strategy=counted, holdout=0)
    widget.answer("ignore")
    assert len(calls) == 1
    session.add(ROWS)
    session.train(init="continue", max_epochs=1, progress=False)
    assert len(calls) == 2


def test_orders_say_what_they_need(session):
    with pytest.raises(DataError, match="'uncertainty'"):
        session.make_gold("open", strategy="somehow")
    with pytest.raises(DataError, match=r"holdout=0\.1"):
        session.make_gold("open", strategy="random", holdout=1.0)
    with pytest.raises(ModelError, match="two trained models"):
        session.make_gold("open", strategy="disagreement")
    with Session("e", labels=["Person"], store=":memory:") as untrained:
        untrained.add(ROWS[:1], gold=False)
        untrained.add([{"text": "Ada left", "spans": [{"start": 0, "end": 3, "label": "Person"}]}])
        with pytest.raises(ModelError, match='strategy="diversity"'):
            untrained.make_gold(strategy="uncertainty")


def test_where_two_models_disagree(session):
    session.add(ROWS)
    session.train(init="continue", max_epochs=1, progress=False, margin=None)
    session.train(init="scratch", max_epochs=1, progress=False, margin=None)
    texts = shown(session.make_gold("open", strategy="disagreement"))
    assert sorted(texts) == sorted(OPEN)


# The orders themselves.


@given(st.lists(st.floats(0, 9), max_size=40), st.integers(1, 8))
def test_an_order_by_score_is_a_permutation_and_begins_high(scores, batch):
    vectors = word_vectors([f"word{i}" for i in range(len(scores))])
    order = rank_by_score_diverse(scores, vectors, batch=batch)
    assert sorted(order) == list(range(len(scores)))
    if scores:
        best = sorted(scores, reverse=True)[: 4 * batch]
        assert all(scores[i] >= best[-1] for i in order[:batch])


@given(st.lists(st.text("abc ", max_size=8), max_size=12), st.integers(0, 12))
def test_farthest_first_chooses_each_once(texts, size):
    chosen = farthest_first(word_vectors(texts), size)
    assert len(chosen) == len(set(chosen)) == min(size, len(texts))


def test_what_is_known_is_kept_away_from():
    vectors = word_vectors(["a b c", "x y z", "a b d"])
    assert farthest_first(vectors, 1, selected=vectors[:1]) == [1]


@given(st.integers(0, 30), st.integers(0, 10), st.floats(0, 0.9))
def test_the_random_share_is_mixed_in_and_nothing_lost(size, apart, share):
    order, aside = list(range(size)), list(range(100, 100 + apart))
    mixed = interleave(order, aside, share)
    assert sorted(mixed) == sorted([*order, *aside])
    assert [one for one in mixed if one < 100] == order
    assert np.array_equal([one for one in mixed if one >= 100], aside)
