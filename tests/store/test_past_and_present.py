"""Any sequence of what people do: the store holds together, and its past stays what it was.

``NBNER_SEQUENCES`` is the number of sequences on SQLite; on PostgreSQL it is a tenth.
"""

import os
import random
import time
from contextlib import closing
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from nbner import Answer, DataError, Span
from nbner._common.batch_ids import batch_answer_id
from nbner.io.importer import prepare_rows
from nbner.io.rows import Row
from nbner.store import clock
from nbner.store.store import Store

SEQUENCES = int(os.environ.get("NBNER_SEQUENCES", "5"))
STEPS = 8
# `verify` reads the whole store: sequences of one store get dearer with each.
SEQUENCES_OF_A_STORE = 10
PEOPLE = ("ann", "bob", "eve")
KINDS = ("accept", "reject", "ignore", None)
NUMBERS = count()


def seen(source):
    """What a person sees of a dataset, now or at an earlier time."""
    examples = [
        (one.text, one.split, one.answer, one.spans, one.flagged, one.note, one.annotator)
        for one in source.examples()
    ]
    answers = [
        (one.id, one.input_hash, one.annotator, one.answer, one.spans, one.flagged, one.note)
        for one in source.answers()
    ]
    return examples, answers


class Life(RuleBasedStateMachine):
    """Several people answer, label in bulk, undo, take back and restore."""

    stores = None

    @initialize()
    def begin(self):
        self.store = self.stores.next()
        self.dataset = self.store.dataset(f"dataset {next(NUMBERS)}")
        self.batches, self.moments, self.given = [], [], []
        self.add("train", 3)
        self.add("dev", 1)

    def after(self):
        now = seen(self.dataset)
        moment = time.time()
        self.moments.append((moment, now))
        assert seen(self.dataset.at(moment)) == now
        for split in ("train", "dev"):
            kinds = [answer for _, its_split, answer, *_ in now[0] if its_split == split]
            told = self.dataset.counts(split)
            assert (told.total, told.open) == (len(kinds), kinds.count(None))
            assert [getattr(told, kind) for kind in KINDS[:3]] == [*map(kinds.count, KINDS[:3])]

    @rule(split=st.sampled_from(["train", "dev"]), number=st.integers(1, 2))
    def add(self, split, number):
        rows = [
            Row(
                f"text {next(NUMBERS)}",
                spans=(Span(0, 4, "S"),),
                flagged=n == 0,
                note="imported",
                answer="accept" if n else None,
                annotator="import" if n else None,
            )
            for n in range(number)
        ]
        self.dataset.add(prepare_rows(rows, split=split, tokenize=lambda text: ()))
        self.after()

    def answer(self, id_, example, by, kind, label):
        return Answer(
            *(id_, example.input_hash, example.split, by, kind),
            spans=(Span(0, 2, label),) if label else (),
            flagged=label == "A",
            note=label or "",
            created=random.random() * 1e9,
        )

    @rule(data=st.data(), by=st.sampled_from(PEOPLE), kind=st.sampled_from(KINDS))
    def decide(self, data, by, kind):
        example = data.draw(st.sampled_from(list(self.dataset.examples())))
        answer = self.answer(f"one {next(NUMBERS)}", example, by, kind, data.draw(LABELS))
        assert self.dataset.record(answer)
        self.given.append(answer)
        self.after()

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def send_again(self, data):
        answer = data.draw(st.sampled_from(self.given))
        before = seen(self.dataset)
        assert not self.dataset.record(answer)
        assert seen(self.dataset) == before

    @rule(data=st.data(), by=st.sampled_from(PEOPLE), kind=st.sampled_from(["accept", None]))
    def label_everywhere(self, data, by, kind):
        examples = list(self.dataset.examples())
        some = data.draw(st.lists(st.sampled_from(examples), min_size=1, unique=True))
        batch, label = f"batch {next(NUMBERS)}", data.draw(LABELS)
        ids = [batch_answer_id(batch, one.input_hash) for one in some]
        answers = [self.answer(*pair, by, kind, label) for pair in zip(ids, some, strict=True)]
        assert self.dataset.record_many(answers) == len(some)
        self.batches.append(batch)
        self.after()

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def undo(self, data):
        batch = data.draw(st.sampled_from(self.batches))
        done = self.dataset.undo_batch(batch)
        assert len(set(done)) == len(done)
        self.after()
        assert self.dataset.undo_batch(batch) == ()

    @rule(data=st.data(), annotator=st.sampled_from([None, None, *PEOPLE]))
    def restore(self, data, annotator):
        moment, then = data.draw(st.sampled_from(self.moments))
        past = self.dataset.at(moment)
        past.restore(annotator=annotator)
        self.after()
        if annotator is None:
            known = {row[0] for row in then[0]}
            assert [row for row in seen(self.dataset)[0] if row[0] in known] == then[0]

    def teardown(self):
        if not hasattr(self, "moments"):
            return
        for moment, then in self.moments:
            assert seen(self.dataset.at(moment)) == then
        assert [check for check in self.store.verify() if not check.ok] == []


LABELS = st.sampled_from([None, "A", "B"])


class Stores:
    """Stores for sequences, each for some of them, one after the other.

    Parameters
    ----------
    place : callable
        Return the place of a new store.
    """

    def __init__(self, place):
        self._place, self._used, self._open = place, 0, None

    def next(self):
        if self._used % SEQUENCES_OF_A_STORE == 0:
            self.close()
            self._open = Store(self._place())
        self._used += 1
        return self._open

    def close(self):
        if self._open is not None:
            self._open.close()


@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_store_holds_together_and_its_past_stays(kind, request):
    if kind == "sqlite":
        sequences, place = SEQUENCES, lambda: ":memory:"
    else:
        sequences = max(SEQUENCES // 10, 2)
        place = request.getfixturevalue("postgres_server").place
    with closing(Stores(place)) as stores:
        machine = type("Life", (Life,), {"stores": stores})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=sequences,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


# Clocks.


@pytest.fixture
def now(monkeypatch):
    """The store's clock, set by hand."""

    class Clock:
        offset = 0.0

    real = time.time
    monkeypatch.setattr(clock, "now", lambda connection: real() + Clock.offset)
    monkeypatch.setattr(clock.time, "time", lambda: real() + Clock.offset)
    return Clock


@pytest.mark.parametrize("offset", [3600.0, 365 * 86400.0, -3600.0])
def test_a_clock_that_was_wrong_takes_back_nothing(dataset, add, give, now, offset):
    add(["Add", "Stir"])
    first, second = dataset.examples()
    give(dataset, first, "accept", [(0, 3, "A")])
    now.offset = offset
    give(dataset, first, "reject")
    now.offset = 0.0
    present = seen(dataset)
    assert dataset.at(time.time()).restore() == 0
    assert seen(dataset) == present == seen(dataset.at(time.time()))
    give(dataset, second, "ignore")
    assert dataset.at(time.time()).restore() == 0
    assert seen(dataset.at(time.time())) == seen(dataset)


def test_claims_of_a_clock_that_was_ahead_do_not_hold(dataset, add, now):
    add([f"text {n}" for n in range(10)])
    now.offset = 365 * 86400.0
    assert len(dataset.assignments.next_for("train", "ann", 10)) == 10
    now.offset = 2 * 3600.0
    assert len(dataset.assignments.next_for("train", "bob", 10)) == 10
    assert dataset.assignments.next_for("train", "ann", 10) == []


def test_claims_hold_by_the_servers_clock(postgres_server, add, monkeypatch):
    """Two people whose machines' clocks differ do not get the same example."""
    place = postgres_server.place()
    with closing(Store(place)) as store, closing(Store(place)) as other:
        add([f"text {n}" for n in range(4)], to=store.dataset("demo"))
        ann = store.dataset("demo").assignments.next_for("train", "ann", 2)
        monkeypatch.setattr(clock.time, "time", lambda: 4e9)
        bob = other.dataset("demo").assignments.next_for("train", "bob", 4)
    assert len(ann) == 2
    assert {one.text for one in bob}.isdisjoint(one.text for one in ann)


def test_a_machine_whose_clock_differs_from_the_servers_sees_the_present(
    postgres_server, add, give, monkeypatch
):
    real = time.time
    with closing(Store(postgres_server.place())) as store:
        dataset = store.dataset("demo")
        add(["Add"], to=dataset)
        give(dataset, next(dataset.examples()))
        monkeypatch.setattr(clock.time, "time", lambda: real() - 3600.0)
        assert dataset.at(clock.time.time()).restore() == 0
        assert seen(dataset.at(clock.time.time())) == seen(dataset)


@pytest.mark.parametrize(
    "moment", [float("nan"), float("inf"), True, None, "2024", 1.7e12, -1e18, [1.0]]
)
def test_what_is_no_time_is_refused(dataset, add, give, moment):
    add(["Add"])
    (example,) = dataset.examples()
    with pytest.raises(DataError, match=r"time|not in the years"):
        dataset.at(moment)
    with pytest.raises(DataError, match=r"time|not in the years"):
        give(dataset, example, created=moment)
    assert dataset.counts().open == 1


def test_an_answer_taken_away_is_gone_now_and_then(dataset, add, give, store):
    add([{"text": "salt and water", "spans": [{"start": 9, "end": 14, "label": "B"}]}])
    (example,) = dataset.examples()
    give(dataset, example, None, [(0, 4, "A")], id=batch_answer_id("batch", 1))
    time.sleep(0.002)
    labelled = time.time()
    time.sleep(0.002)
    assert dataset.undo_batch("batch") == (example.input_hash,)
    now, then = next(dataset.examples()), dataset.at(time.time()).examples()[0]
    assert now == then == example
    assert (now.spans, now.annotator) == (example.spans, None)
    assert list(dataset.answers()) == dataset.at(time.time()).answers() == []
    # What was undone can be brought back, and taken back again.
    assert dataset.at(labelled).restore() == 1
    assert next(dataset.examples()).spans == (Span(0, 4, "A"),)
    assert all(check.ok for check in store.verify())
