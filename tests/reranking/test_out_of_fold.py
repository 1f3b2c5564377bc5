"""Folds of texts that are alike, and members that an interrupt leaves."""

import pytest

from nbner.errors import DataError
from nbner.reranking import out_of_fold
from nbner.reranking.cross_validation import split_texts_into_folds
from nbner.reranking.out_of_fold import out_of_fold_probabilities
from nbner.types import Example

EXAMPLES = [Example(f"text {'abcdef'[i]}") for i in range(6)]


def test_texts_that_differ_in_case_and_digits_alone_share_a_fold():
    texts = [f"{team} {n}" for n in range(3) for team in ("Rome", "ROME", "Oslo", "Bonn", "Lyon")]
    for seed in range(3):
        folds = split_texts_into_folds(texts, 2, seed)
        assert sorted(i for part in folds for i in part) == list(range(len(texts)))
        for part in folds:
            assert {texts[i].lower()[:4] for i in part}.isdisjoint(
                texts[i].lower()[:4] for i in range(len(texts)) if i not in part
            )
    assert split_texts_into_folds(texts, 2, 0) == split_texts_into_folds(texts, 2, 0)
    with pytest.raises(DataError, match="cannot be dealt into 5 folds"):
        split_texts_into_folds(texts, 5, 0)


class StubModel:
    """Stands for a trained model; it says its learner, its seed and the text."""

    def __init__(self, name, positions):
        self.name = name
        self.positions = tuple(positions)
        self.f = 0.5

    def span_probabilities(self, examples):
        return (f"{self.name}: {examples[i].text}" for i in self.positions)


@pytest.fixture
def ask(monkeypatch):
    def train(base, examples, dev, *, learner, seed, parts, **_options):
        for positions in parts:
            if (learner, seed) == interrupted:
                raise KeyboardInterrupt
            yield StubModel(f"{learner} {seed}", positions)

    interrupted = None

    def run(members, stop=None):
        nonlocal interrupted
        interrupted = stop
        return out_of_fold_probabilities(
            "nlp", "nlp", EXAMPLES, [], labels=("A",), folds=3, members=members, keep=str.upper
        )

    monkeypatch.setattr(out_of_fold, "train_fold_models", train)
    monkeypatch.setattr(out_of_fold, "fold_base", lambda nlp, base: base)
    return run


MEMBERS = [("crf", 0), ("ner", 0), ("crf", 1), ("ner", 1)]


def test_every_member_is_asked_about_every_text_in_order(ask):
    found = ask(MEMBERS)
    assert found.is_complete
    assert found.fold_f == (0.5,) * 12
    assert {name: len(members) for name, members in found.by_learner.items()} == {
        "crf": 2,
        "ner": 2,
    }
    assert found.by_learner["ner"][1] == [f"NER 1: {one.text.upper()}" for one in EXAMPLES]


def test_an_interrupt_keeps_the_members_that_have_seen_all_folds(ask):
    found = ask(MEMBERS, stop=("crf", 1))
    assert not found.is_complete
    assert list(found.by_learner) == ["crf", "ner"]
    assert len(found.fold_f) == 6
    with pytest.raises(KeyboardInterrupt):
        ask(MEMBERS, stop=("crf", 0))
