"""A label renamed over all answers, on every kind of database."""

from __future__ import annotations

from nbner.types import Span


def test_a_rename_is_new_events_and_is_undone(store, dataset, add, give):
    dataset.set_labels(["A", "B"])
    add(["One two.", "Three.", "Four."])
    first, second, _ = dataset.examples("train")
    give(dataset, first, spans=[(0, 3, "A"), (4, 7, "B")])
    give(dataset, first, spans=[(0, 3, "A")], by="ben")
    give(dataset, second, kind="reject")
    before = [(one.annotator, one.answer, one.spans, one.labels) for one in dataset.answers()]
    would = dataset.count_relabelled({"A": "C"})
    done = dataset.relabel("A", "C", "batch", merges=False)
    assert done == would
    assert (done.spans, done.examples, done.answers) == (2, 1, 3)
    assert dataset.labels == ("C", "B")
    after = [(one.annotator, one.answer, one.spans, one.labels) for one in dataset.answers()]
    assert [spans for _, _, spans, _ in after] == [
        (Span(0, 3, "C"), Span(4, 7, "B")),
        (Span(0, 3, "C"),),
        (),
    ]
    assert [labels for *_, labels in after] == [("C", "B")] * 3
    assert dataset.counts().accept == 1
    assert dataset.counts().reject == 1
    # What another process stores under the old name has the new one.
    give(dataset, second, spans=[(0, 5, "A")], by="eve")
    (late,) = dataset.answers(annotator="eve")
    assert (late.spans, late.labels) == ((Span(0, 5, "C"),), ("C", "B"))
    assert dataset.undo_batch("batch")
    restored = [
        (one.annotator, one.answer, one.spans, one.labels)
        for one in dataset.answers()
        if one.annotator != "eve"
    ]
    assert restored == before
