"""A dataset: what is open, what was answered, and that nothing is lost."""

import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nbner import Answer, DataError, Span
from nbner.io.formats import read
from nbner.io.importer import prepare_rows
from nbner.store.store import Store


@pytest.fixture
def texts(add, dataset):
    """Five open examples."""
    add([f"text {n}" for n in range(5)])
    return list(dataset.examples())


def hashes(examples):
    return [example.input_hash for example in examples]


# Answers.


def test_an_answer_stands_with_exactly_its_spans(dataset, texts, give):
    assert give(dataset, texts[0], "accept", [(0, 4, "A")], flagged=True, note="sure")
    found = dataset.find(texts[0].input_hash, "train")
    assert (found.answer, found.spans, found.annotator) == ("accept", (Span(0, 4, "A"),), "ann")
    assert (found.flagged, found.note, found.labels) == (True, "sure", ("A", "B"))
    assert found.created == 1_700_000_000.5


def test_an_answer_comes_back_whole(dataset, texts):
    answer = Answer(
        "one",
        texts[0].input_hash,
        "train",
        "ann",
        "reject",
        (Span(0, 4, "A", source="v3", score=0.5, extra={"x": 1}),),
        flagged=True,
        note="no <b>",
        labels=("A", "B"),
        created=12.25,
        extra={"seconds": 1.5},
    )
    dataset.record(answer)
    (found,) = dataset.answers()
    assert found == answer
    assert found.extra == answer.extra
    assert (found.spans[0].source, found.spans[0].score, found.spans[0].extra) == (
        "v3",
        0.5,
        {"x": 1},
    )


def test_an_id_is_applied_once(dataset, texts, give):
    assert give(dataset, texts[0], "accept", id="x") is True
    assert give(dataset, texts[0], "accept", id="x") is False
    assert give(dataset, texts[0], "reject", id="x") is False
    assert dataset.counts().accept == 1
    assert len(list(dataset.answers(current=False))) == 1


def test_every_answer_is_kept_and_the_newest_is_current(dataset, texts, give):
    for kind in ("accept", "reject", None, "ignore"):
        give(dataset, texts[0], kind)
    assert [one.answer for one in dataset.answers(current=False)] == [
        "accept",
        "reject",
        None,
        "ignore",
    ]
    assert [one.answer for one in dataset.answers()] == ["ignore"]
    assert dataset.find(texts[0].input_hash, "train").answer == "ignore"


def test_newest_is_what_came_last_whatever_the_clock_said(dataset, texts, give):
    give(dataset, texts[0], "accept", created=2e9)
    give(dataset, texts[0], "reject", created=1e9)
    assert dataset.find(texts[0].input_hash, "train").answer == "reject"


def test_a_decision_taken_back_leaves_a_draft_and_an_open_example(dataset, texts, give):
    give(dataset, texts[0], "accept", [(0, 4, "A")])
    give(dataset, texts[0], None, [(0, 4, "B")])
    found = dataset.next_unanswered("train", 1)[0]
    assert (found.answer, found.annotator, found.spans) == (None, "ann", (Span(0, 4, "B"),))
    assert found.labels is None
    assert dataset.counts().open == 5
    assert [one.answer for one in dataset.answers()] == [None]


def test_the_newest_decision_of_all_annotators_stands(dataset, texts, give):
    give(dataset, texts[0], "accept", by="ann")
    give(dataset, texts[0], "reject", by="bob")
    found = dataset.find(texts[0].input_hash, "train")
    assert (found.answer, found.annotator) == ("reject", "bob")
    assert [(one.annotator, one.answer) for one in dataset.answers()] == [
        ("ann", "accept"),
        ("bob", "reject"),
    ]


def test_a_decision_taken_back_lets_somebody_elses_stand(dataset, texts, give):
    give(dataset, texts[0], "accept", [(0, 4, "A")], by="ann")
    give(dataset, texts[0], "reject", by="bob")
    give(dataset, texts[0], None, by="bob")
    found = dataset.find(texts[0].input_hash, "train")
    assert (found.answer, found.annotator, found.spans) == ("accept", "ann", (Span(0, 4, "A"),))
    assert (dataset.counts().accept, dataset.counts().reject) == (1, 0)


def test_suggestions_are_shown_until_somebody_decides(add, dataset, give):
    add([{"text": "Add 5", "spans": [{"start": 0, "end": 3, "label": "A"}]}])
    (example,) = dataset.examples()
    assert (example.spans, example.annotator) == ((Span(0, 3, "A"),), None)
    give(dataset, example, "accept")
    assert dataset.find(example.input_hash, "train").spans == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"spans": ((0, 99, "A"),)},
        {"spans": ((-1, 2, "A"),)},
        {"spans": ((2, 2, "A"),)},
        {"spans": ((0, 3, "A"), (2, 4, "B"))},
        {"spans": ((0, 3, " "),)},
        {"kind": "yes"},
        {"by": ""},
        {"note": "\ud83d"},
        {"extra": {("a",): 1}},
    ],
)
def test_an_answer_that_cannot_be_is_refused(dataset, texts, give, wrong):
    with pytest.raises(DataError):
        give(dataset, texts[0], **wrong)
    assert list(dataset.answers(current=False)) == []
    assert dataset.counts().open == 5


def test_an_answer_to_an_unknown_example_is_refused(dataset, texts, give):
    from dataclasses import replace

    with pytest.raises(DataError, match="no example 1"):
        give(dataset, replace(texts[0], input_hash=1))
    with pytest.raises(DataError, match="split 'dev'"):
        give(dataset, replace(texts[0], split="dev"))


def test_an_example_of_another_dataset_is_unknown(store, dataset, texts, give):
    with pytest.raises(DataError):
        give(store.dataset("other"), texts[0])


def test_many_answers_are_all_stored_or_none(dataset, texts):
    def answer(n, input_hash):
        return Answer(f"id {n}", input_hash, "train", "ann", "accept")

    with pytest.raises(DataError):
        dataset.record_many([answer(0, texts[0].input_hash), answer(1, 1)])
    assert dataset.counts().open == 5
    given = [answer(n, one.input_hash) for n, one in enumerate(texts)]
    assert dataset.record_many([*given, given[0]]) == 5
    assert dataset.record_many(given) == 0
    assert dataset.counts().accept == 5


# Streams.


def test_upcoming_is_what_nobody_decided_in_the_order_of_addition(dataset, texts, give):
    give(dataset, texts[1], "ignore", by="bob")
    assert hashes(dataset.next_unanswered("train", 9)) == hashes([texts[0], *texts[2:]])
    assert hashes(dataset.next_unanswered("train", 2)) == hashes([texts[0], texts[2]])
    excluded = dataset.next_unanswered("train", 2, exclude=hashes([texts[0], texts[3]]))
    assert hashes(excluded) == hashes([texts[2], texts[4]])
    assert hashes(dataset.next_unanswered("train", 9, after=texts[2].input_hash)) == hashes(
        texts[3:]
    )
    assert dataset.next_unanswered("train", 0) == []
    assert dataset.next_unanswered("dev", 9) == []
    assert dataset.next_unanswered("train", 9, exclude=hashes(texts)) == []


def test_recent_is_this_annotators_newest_first(dataset, texts, give):
    for n in (3, 0, 2):
        give(dataset, texts[n], "accept")
    give(dataset, texts[1], "reject", by="bob")
    assert hashes(dataset.recent("train", "ann", 9)) == hashes([texts[2], texts[0], texts[3]])
    assert hashes(dataset.recent("train", "ann", 1)) == hashes([texts[2]])
    assert hashes(dataset.recent("train", "bob", 9)) == hashes([texts[1]])
    assert dataset.recent("train", "eve", 9) == []
    assert dataset.recent("train", "ann", 0) == []


def test_recent_goes_further_back(dataset, texts, give):
    for example in texts:
        give(dataset, example, "accept")
    older = dataset.recent("train", "ann", 2, before=texts[2].input_hash)
    assert hashes(older) == hashes([texts[1], texts[0]])


def test_an_answer_changed_is_answered_last(dataset, texts, give):
    for n in (0, 1, 0):
        give(dataset, texts[n], "accept")
    assert hashes(dataset.recent("train", "ann", 9)) == hashes([texts[0], texts[1]])


def test_what_was_taken_back_is_not_recent_but_still_a_place_to_go_back_from(dataset, texts, give):
    for n in (0, 1):
        give(dataset, texts[n], "accept")
    give(dataset, texts[1], None)
    assert hashes(dataset.recent("train", "ann", 9)) == hashes([texts[0]])
    assert hashes(dataset.recent("train", "ann", 9, before=texts[1].input_hash)) == hashes(
        [texts[0]]
    )


def test_before_an_example_without_an_answer_comes_everything(dataset, texts, give):
    give(dataset, texts[0], "accept")
    assert hashes(dataset.recent("train", "ann", 9, before=texts[4].input_hash)) == hashes(
        [texts[0]]
    )


def test_recent_shows_ones_own_answer(dataset, texts, give):
    give(dataset, texts[0], "accept", [(0, 4, "A")], by="ann")
    give(dataset, texts[0], "reject", by="bob")
    (mine,) = dataset.recent("train", "ann", 9)
    assert (mine.answer, mine.spans) == ("accept", (Span(0, 4, "A"),))


def test_examples_by_split_and_answer(add, dataset, texts, give):
    add(["in dev"], split="dev")
    add(["late"])
    give(dataset, texts[0], "accept")
    give(dataset, texts[1], "ignore")
    everything = list(dataset.examples())
    assert [one.split for one in everything] == ["train"] * 5 + ["dev", "train"]
    assert hashes(dataset.examples(answer="accept")) == hashes([texts[0]])
    assert hashes(dataset.examples("train", answered=True)) == hashes(texts[:2])
    assert len(list(dataset.examples("train", answered=False))) == 4
    assert list(dataset.examples("test")) == []


def test_answers_by_split_and_annotator(add, dataset, texts, give):
    add(["in dev"], split="dev")
    (in_dev,) = dataset.examples("dev")
    give(dataset, texts[0], by="ann")
    give(dataset, in_dev, by="bob")
    give(dataset, texts[1], by="bob")
    assert [one.annotator for one in dataset.answers()] == ["ann", "bob", "bob"]
    assert [one.split for one in dataset.answers(annotator="bob")] == ["dev", "train"]
    assert [one.annotator for one in dataset.answers("train", "bob")] == ["bob"]


def test_streams_are_longer_than_a_page_and_may_be_written_to_on_the_way(add, dataset, give):
    add([f"text {n}" for n in range(2345)])
    seen = 0
    for seen, example in enumerate(dataset.examples(answered=False), 1):
        if seen % 500 == 0:
            give(dataset, example)
    assert seen == 2345
    assert sum(1 for _ in dataset.examples()) == 2345
    assert dataset.counts().accept == 4


def test_what_is_added_on_the_way_does_not_make_a_stream_endless(add, dataset, give):
    add(["a", "b"])
    for example in dataset.examples():
        add([f"{example.text} again"])
        give(dataset, example)
    for answer in dataset.answers(current=False):
        give(dataset, dataset.find(answer.input_hash, "train"), "reject")
    assert dataset.counts().total == 4
    assert len(list(dataset.answers(current=False))) == 4


def test_an_example_that_is_not_there_is_none(dataset, texts):
    assert dataset.find(1, "train") is None
    assert dataset.find(texts[0].input_hash, "dev") is None


# Labels, counts, runs.


def test_labels_are_what_was_set_last(dataset, store):
    assert dataset.labels == ()
    dataset.set_labels(["B", "A"])
    assert store.dataset("demo").labels == ("B", "A")


def test_counts_of_splits_and_of_all(add, dataset, texts, give):
    add(["in dev"], split="dev")
    give(dataset, texts[0], "accept")
    give(dataset, texts[1], "reject")
    counts = dataset.counts("train")
    assert (counts.total, counts.accept, counts.reject, counts.ignore, counts.open) == (
        5,
        1,
        1,
        0,
        3,
    )
    assert dataset.counts().total == 6
    assert dataset.counts("test").total == 0
    assert dataset.splits() == {"train": 5, "dev": 1}


@pytest.mark.parametrize("source", [[], iter(()), [{"note": "no text"}]])
def test_a_source_without_a_row_makes_no_split(add, dataset, source):
    report = add(source, split="x", on_error="skip")
    assert str(report).startswith("Added 0 examples to 'x'")
    assert dataset.splits() == {}
    add(["Stir"], split="x")
    add([], split="x")
    assert dataset.splits() == {"x": 1}


def test_runs_are_kept_in_their_order(dataset, store, tmp_path):
    run = {
        "created": time.time(),
        "path": tmp_path,
        "fingerprint": "f",
        "record": {"f": 0.5, "seed": 0},
    }
    dataset.add_run({"id": "b", **run})
    dataset.add_run({"id": "a", **run})
    found = dataset.runs()
    assert [one["id"] for one in found] == ["b", "a"]
    assert found[0]["record"] == {"f": 0.5, "seed": 0}
    assert found[0]["path"] == str(tmp_path)
    assert store.dataset("other").runs() == []
    assert [one["id"] for one in dataset.runs(without={"b", "elsewhere"})] == ["a"]
    assert dataset.runs(without=["a", "b"]) == []


@pytest.mark.parametrize("missing", ["id", "created", "path", "fingerprint", "record"])
def test_a_run_without_all_it_needs_is_refused(dataset, missing):
    run = {"id": "a", "created": 1.0, "path": "p", "fingerprint": "f", "record": {}}
    del run[missing]
    with pytest.raises(DataError) as caught:
        dataset.add_run(run)
    assert caught.value.field == missing


class Work(RuleBasedStateMachine):
    """Anything that people do, in any order, beside a model of it in plain lists."""

    def __init__(self):
        super().__init__()
        self.store = Store(":memory:")
        self.dataset = self.store.dataset("demo")
        self.order = []
        self.events = []

    @rule(names=st.lists(st.sampled_from("abcdef"), max_size=4))
    def add(self, names):
        report = self.dataset.add(prepare_rows(read(names), tokenize=lambda text: ()))
        new = [name for name in dict.fromkeys(names) if name not in self.order]
        assert (report.added, report.duplicate) == (len(new), len(names) - len(new))
        self.order += new

    @rule(
        data=st.data(),
        kind=st.sampled_from(["accept", "reject", "ignore", None]),
        by=st.sampled_from(["ann", "bob"]),
        again=st.booleans(),
    )
    def answer(self, data, kind, by, again):
        if not self.order:
            return
        text = data.draw(st.sampled_from(self.order))
        (example,) = [one for one in self.dataset.examples() if one.text == text]
        given = Answer(str(len(self.events)), example.input_hash, "train", by, kind)
        assert self.dataset.record(given)
        if again:
            assert not self.dataset.record(given)
        self.events.append((text, by, kind))

    def standing(self, text):
        newest = {by: (n, kind) for n, (one, by, kind) in enumerate(self.events) if one == text}
        decisions = [pair for pair in newest.values() if pair[1]]
        return max(decisions)[1] if decisions else None

    @invariant()
    def nothing_is_lost(self):
        found = list(self.dataset.examples())
        assert [one.text for one in found] == self.order
        assert [one.answer for one in found] == [self.standing(text) for text in self.order]
        assert [one.answer for one in self.dataset.answers(current=False)] == [
            kind for _, _, kind in self.events
        ]

    @invariant()
    def the_counts_add_up(self):
        kinds = [self.standing(text) for text in self.order]
        counts = self.dataset.counts()
        told = (counts.total, counts.accept, counts.reject, counts.ignore, counts.open)
        assert told == (len(kinds), *(kinds.count(k) for k in ("accept", "reject", "ignore", None)))
        still_open = [text for text in self.order if self.standing(text) is None]
        assert [one.text for one in self.dataset.next_unanswered("train", 99)] == still_open

    @invariant()
    def recent_is_in_the_order_of_answers(self):
        newest = {text: (n, kind) for n, (text, by, kind) in enumerate(self.events) if by == "ann"}
        answered = sorted((n, text) for text, (n, kind) in newest.items() if kind)
        recent = [one.text for one in self.dataset.recent("train", "ann", 99)]
        assert recent == [text for _, text in reversed(answered)]

    def teardown(self):
        self.store.close()


Work.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestWork = Work.TestCase
