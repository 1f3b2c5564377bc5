"""Marks of how a text was chosen, and that nobody has read it: what later answers leave of them."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest

import nbner
from nbner.active_learning.ranked_dataset import (
    HOLDOUT_KEY,
    held_out_examples,
    strategy_examples,
)
from nbner.nlp.gold_docs import split_corpus
from nbner.session.training import training_split
from nbner.types import ACCEPTED_UNSEEN, Answer, Span

LABELS = ("Person", "Place")
TEXTS = ["Anna slept", "Anna ran", "Anna ate", "Anna sang", "Anna sat", "Anna left"]
ANNA = (Span(0, 4, "Person"),)

# By text: chosen for its uncertainty, kept aside meanwhile, at random, accepted unseen, by hand.
EXTRAS = [
    {"order": "least sure"},
    {"order": "least sure", "task": {HOLDOUT_KEY: True}},
    {"order": "random"},
    {"task": {ACCEPTED_UNSEEN: {"by": "probability"}}},
    {},
    {},
]


@pytest.fixture
def session():
    """Return a session with six accepted texts, the last of them without its person."""
    with nbner.Session("marks", labels=LABELS, store=":memory:", annotator="ann") as made:
        made.add(TEXTS)
        for example, extra in zip(made.examples(), EXTRAS, strict=True):
            answer(made, example, ANNA if example.text != TEXTS[-1] else (), **extra)
        yield made


def answer(session, example, spans, annotator="ann", **extra):
    session.context.dataset.record(
        Answer(
            id=uuid.uuid4().hex,
            input_hash=example.input_hash,
            split=example.split,
            annotator=annotator,
            answer="accept",
            spans=spans,
            labels=session.labels,
            created=1.0,
            extra=extra,
        )
    )


def rename(session):
    session.labels.rename("Person", "Human")


def merge(session):
    session.labels.merge("Person", "Place")


def relabel(session):
    session.quality.consistency().relabel("Anna", "Place")


def correct_everywhere(session):
    """Change all occurrences at once, in the widget of the places that are not marked."""
    widget = session.quality.consistency().open()
    example = next(one for one in session.examples() if one.text == TEXTS[3])
    changed = Answer(
        id=f"{uuid.uuid4().hex}:{example.input_hash}",
        input_hash=example.input_hash,
        split="train",
        annotator="ann",
        answer=None,
        spans=(Span(0, 4, "Place"),),
        labels=LABELS,
        extra={"everywhere": "label"},
    )
    widget._example_queue.record_many([changed])


def answer_by_hand(session):
    for example in session.examples():
        if not example.accepted_unseen:
            answer(session, example, example.spans, annotator="bob")


CHANGES = (rename, merge, relabel, correct_everywhere, answer_by_hand)


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
def test_later_answers_leave_how_a_text_was_chosen(session, change):
    hashes = [one.input_hash for one in session.examples()]
    dataset = session.context.dataset
    before = {one.input_hash: one.spans for one in session.examples()}
    change(session)
    assert before != {one.input_hash: one.spans for one in session.examples()} or (
        change is answer_by_hand
    )
    assert strategy_examples(dataset, "train") == {hashes[0]}
    assert held_out_examples(dataset, "train") == {hashes[1]}
    learnt, measured = training_split(session.context, "train", "dev")
    assert [one.text for one in measured] == [TEXTS[1]]
    assert len(learnt) == 5


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
def test_what_was_accepted_unseen_is_no_gold_after_a_change_of_many_texts(session, change):
    change(session)
    unseen = [one.text for one in session.examples() if one.accepted_unseen]
    assert unseen == [TEXTS[3]]


def test_a_text_that_somebody_decides_is_seen(session):
    example = next(one for one in session.examples() if one.accepted_unseen)
    answer(session, example, example.spans, annotator="bob")
    assert not any(one.accepted_unseen for one in session.examples())


def test_a_key_with_a_wildcard_is_found_as_it_is_written(session):
    answer(session, session.examples()[4], ANNA, task={"xaside": True})
    found = list(session.context.dataset.extras_with(HOLDOUT_KEY, "train"))
    assert [extra["task"] for _, extra in found] == [{HOLDOUT_KEY: True}]
    assert list(session.context.dataset.extras_with(HOLDOUT_KEY, "none")) == []


# What was suggested before a label got another name.

OFFER = [{"source": "m", "group": "m", "shown": True, "spans": [[0, 4, "Person"]]}]
AUDIT = {"withheld": [], "corrupted": [[[0, 4, "Place"], [0, 4, "Person"]]], "untouched": []}


@pytest.fixture
def suggested():
    """Return a session with one answer that followed a corrupted suggestion, in four seconds."""
    with nbner.Session("names", labels=LABELS, store=":memory:", annotator="ann") as made:
        made.add(TEXTS[:2])
        extra = {"suggestions": OFFER, "audit": AUDIT, "seconds": 4.0}
        ranks = {"gold_rank": 1, "list_size": 2, "list_steps": [[1, 1, 0, 0]]}
        answer(made, made.examples()[0], ANNA, **extra, **ranks)
        yield made


def moment():
    """Return a time that is before all that follows, when the clock has gone on from it."""
    then = time.time()
    while time.time() < then + 0.002:
        pass
    return then


def figures(session):
    progress = session.quality.progress()
    (source,) = progress.suggestions.sources
    return source.precision.value, source.recall.value, progress.effort.seconds


def test_figures_stay_through_renaming_merging_undo_and_restoration(suggested):
    assert figures(suggested) == (1, 1, 4)
    suggested.labels.rename("Person", "Human")
    assert figures(suggested) == (1, 1, 4)
    assert suggested.oracle_curve((1, 2), source="answers").frame["n"].tolist() == [1, 1]
    assert suggested.quality.anchoring().uncorrected == 1
    then = moment()
    merged = suggested.labels.merge("Human", "Place")
    assert figures(suggested) == (1, 1, 4)
    assert suggested.quality.anchoring().uncorrected == 0
    assert merged.undo() == 1
    assert figures(suggested) == (1, 1, 4)
    assert suggested.quality.anchoring().uncorrected == 1
    suggested.labels.merge("Human", "Place")
    assert suggested.store.restore(then) == 1
    assert figures(suggested) == (1, 1, 4)


def test_what_a_page_offered_before_a_renaming_is_stored_under_the_present_name(suggested):
    suggested.labels.rename("Person", "Human")
    answer(suggested, suggested.examples()[1], ANNA, suggestions=OFFER, audit=AUDIT)
    (stored,) = suggested.context.dataset.history(TEXTS[1])
    assert stored[1].spans == (Span(0, 4, "Human"),)
    assert stored[1].extra["suggestions"][0]["spans"] == [[0, 4, "Human"]]
    assert stored[1].extra["audit"]["corrupted"] == [[[0, 4, "Place"], [0, 4, "Human"]]]
    assert figures(suggested) == (1, 1, 4)
    assert suggested.quality.anchoring().uncorrected == 2


def test_a_verdict_of_the_error_explorer_takes_no_time_and_is_no_second_test(suggested):
    from nbner.evaluation.errors.report import Errors
    from nbner.session.evaluation import open_explorer

    gold = suggested.examples(answer="accept")
    for annotator in ("ann", "bob"):
        suggested.context.annotator = annotator
        explorer = open_explorer(suggested.context, Errors(gold, [()], labels=LABELS))
        queue = explorer._error_queue
        (key,) = queue._numbers
        assert queue.record_verdict(key, "model")
        assert figures(suggested) == (1, 1, 4)
        ranked = [one for one in suggested.context.dataset.answers() if "gold_rank" in one.extra]
        assert len(ranked) == 1
        assert queue.undo() is not None
        assert figures(suggested) == (1, 1, 4)


# Two answers to one text, in files.

ROW = {"text": "Anna ran", "answer": "accept"}
PERSON, PLACE = ([{"start": 0, "end": 4, "label": one}] for one in LABELS)


@pytest.fixture
def empty():
    with nbner.Session("twice", labels=LABELS, store=":memory:", annotator="ann") as made:
        yield made


def test_a_text_that_comes_twice_says_which_answer_no_longer_counts(empty):
    rows = [{**ROW, "spans": PERSON}, {**ROW, "spans": PLACE}, {**ROW, "spans": PLACE}]
    report = empty.add(rows)
    assert (report.added, report.answered, report.duplicate, report.replaced) == (1, 2, 2, 1)
    assert "1 answer no longer counts, since a newer one differs" in str(report)
    assert "in place of another one of 'import'" in report.frame["reason"][0]
    assert empty.add(rows[1:]).replaced == 0


@pytest.mark.parametrize(
    ("row", "replaced"),
    [
        ({"spans": PERSON, "_annotator_id": "bob"}, 0),
        ({"spans": PLACE, "_annotator_id": "bob"}, 1),
        ({"spans": PERSON, "_annotator_id": "bob", "answer": "reject"}, 1),
        ({"spans": PERSON, "_annotator_id": "bob", "_view_id": "ner"}, 1),
    ],
    ids=["the same", "other spans", "rejected", "binary"],
)
def test_a_file_that_takes_the_place_of_what_somebody_labelled_is_counted(empty, row, replaced):
    empty.add([ROW["text"]])
    answer(empty, empty.examples()[0], ANNA)
    report = empty.add([{**ROW, **row}])
    assert report.replaced == replaced
    assert ("'ann'" in report.frame["reason"][0]) == bool(replaced)


def test_an_export_counts_the_answers_of_others_that_it_does_not_hold(empty, tmp_path):
    empty.add([ROW["text"], "Bob ate", "open"])
    for annotator in ("ann", "bob", "cleo"):
        answer(empty, empty.examples()[0], ANNA, annotator=annotator)
    answer(empty, empty.examples()[1], ())
    report = empty.export(tmp_path / "one.jsonl")
    assert (report.written, report.other_answers) == (3, 2)
    assert "2 answers of other annotators not in it" in str(report)
    empty.add(["else"], split="dev")
    assert empty.export(tmp_path / "two.jsonl", split="dev").other_answers == 0


@pytest.mark.parametrize("labels", [LABELS, None], ids=["named", "from the data"])
def test_a_cell_that_adds_is_run_again_after_a_renaming(labels):
    rows = [{**ROW, "spans": PERSON}, {"text": "Rome", "spans": PLACE, "answer": "accept"}]
    with nbner.Session("again", labels=labels, store=":memory:", annotator="ann") as session:
        session.add(rows)
        session.labels.rename("Person", "Human")
        before = session.examples()
        report = session.add(rows)
        assert (report.answered, report.duplicate, report.replaced, report.renamed) == (0, 2, 0, 1)
        assert report.frame["reason"][0] == "the label is 'Human' now"
        assert "1 span under a former name of a label" in str(report)
        assert session.examples() == before
        assert sorted(session.labels) == ["Human", "Place"]
        session.labels.merge("Place", "Human")
        assert session.add(rows).replaced == 0
        assert session.labels == ("Human",)
        # A label that is added again is one of its own.
        session.add_labels(["Person"])
        assert session.add([{"text": "Ann", "spans": [{**PERSON[0], "end": 3}]}]).renamed == 0


@pytest.mark.parametrize("change", [rename, merge], ids=lambda one: one.__name__)
def test_answers_from_before_a_renaming_are_restored_with_their_labels(session, change):
    then, before = moment(), session.examples()
    change(session)
    widget = session.manual()
    assert session.store.restore(then) == 6
    assert [one.spans for one in session.examples()] == [one.spans for one in before]
    assert session.labels[-1] == "Person"
    assert "Person" in widget._example_queue.info.labels
    corpus = split_corpus(session.examples(answer="accept"), [], session.labels, 0)
    assert corpus.labels == ("Person",)
    assert "not one of" not in str(session.quality.data_warnings())
    assert session.store.verify().ok
    # What arrives under that name is one of its own again, as in the restored answers.
    answer(session, session.examples()[0], ANNA)
    assert session.examples()[0].spans == ANNA


def test_texts_that_the_model_has_learnt_from_are_said_where_it_is_measured(dev):
    rows = [replace(one, split="train") for one in dev]
    with nbner.Session("leak", labels=dev[0].labels, store=":memory:") as session:
        session.add(rows[:12])
        session.add(rows[12:18], split="dev")
        session.add([rows[0], *rows[18:22]], split="test")
        session.train(learner="crf", progress=False)
        said = "among those that the model was trained on, or selected by (split 'train')"
        n_dev = len({one.text for one in rows[12:18]} & {one.text for one in rows[:12]})
        assert (said in str(session.evaluate("dev"))) == bool(n_dev)
        test = [one.text for one in session.examples("test")]
        known = {one.text for one in session.examples("train")}
        n = sum(one in known for one in test)
        found = session.evaluate("test")
        assert n
        assert f"{n} of {len(test)} texts" in found.warnings[-1]
        assert said in found.warnings[-1]
        session.model.decide("greedy")
        session.labels.rename(dev[0].labels[0], "Act")
        assert said in str(session.evaluate("test"))
        assert any(said in one for one in session.errors(split="test").errors.warnings)
        # What was added after the training was not learnt.
        session.add([{"text": "Stir salt .", "spans": [], "answer": "accept", "_timestamp": 1}])
        (late,) = [one for one in session.examples("train") if one.text == "Stir salt ."]
        session.add([late], split="late")
        assert said not in str(session.evaluate("late"))
