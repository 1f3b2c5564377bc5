"""Each call reads one state of the store, whatever others write between its statements."""

import time
from contextlib import closing

import pytest
from sqlalchemy import event

import nbner
from nbner import Answer
from nbner.io.importer import prepare_rows
from nbner.io.rows import Row
from nbner.store import row_buffer
from nbner.store.store import Store


@pytest.fixture
def session(where):
    """A session beside which somebody adds pairs of answers, after every statement of it.

    Each pair is one transaction: one answer in train and one in dev, to new texts.
    """
    with (
        closing(nbner.Session("demo", labels=["A"], store=where, annotator="ann")) as session,
        closing(Store(where)) as other,
    ):
        dataset = other.dataset("demo")
        pairs = []

        def write(number):
            for split in ("train", "dev"):
                row = Row(f"text {number}", spans=())
                dataset.add(prepare_rows([row], split=split, tokenize=lambda text: ()))
            examples = [dataset.find(one.input_hash, one.split) for one in fresh(number)]
            dataset.record_many(
                Answer(f"{one.split} {number}", one.input_hash, one.split, "bob", "accept")
                for one in examples
            )

        def fresh(number):
            return [one for one in dataset.examples() if one.text == f"text {number}"]

        for number in range(2):
            write(number)
        busy = []

        @event.listens_for(session.context.store._database._engine, "after_cursor_execute")
        def _(*_given):
            if not busy and len(pairs) < 12:
                busy.append(1)
                pairs.append(1)
                write(100 + len(pairs))
                busy.clear()

        yield session


@pytest.mark.parametrize(
    "count",
    [
        lambda session: len(session.answers()),
        lambda session: len(session.store.at(time.time() + 60).answers()),
        lambda session: len(session.examples(answer="accept")),
        lambda session: len(list(session.context.dataset.answers())),
        lambda session: len(session.quality.progress().times),
        lambda session: session.counts().accept,
    ],
    ids=["answers", "past answers", "examples", "iterator", "progress", "counts"],
)
def test_a_pair_of_answers_is_seen_whole(session, count):
    for _ in range(2):
        assert count(session) % 2 == 0


def test_many_rows_are_put_aside_and_come_back_in_their_order(dataset, add, monkeypatch):
    monkeypatch.setattr(row_buffer, "_IN_MEMORY", 10)
    monkeypatch.setattr(row_buffer, "_BATCH", 7)
    add([f"text {n}" for n in range(40)])
    add([f"dev {n}" for n in range(5)], split="dev")
    found = [one.text for one in dataset.examples()]
    assert found == [*(f"text {n}" for n in range(40)), *(f"dev {n}" for n in range(5))]
    assert [one.split for one in dataset.examples("dev")] == ["dev"] * 5


def test_a_block_of_one_state_sees_nothing_new(dataset, add, where):
    add(["Add"])
    with closing(Store(where)) as store:
        other = store.dataset("demo")
        with dataset.one_state():
            before = dataset.counts()
            other.add(prepare_rows([Row("Stir", spans=())], split="train", tokenize=None))
            assert dataset.counts() == before
            assert len(list(dataset.examples())) == 1
        assert dataset.counts().total == 2
