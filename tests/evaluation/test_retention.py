"""What a model found before a run and finds after it."""

from __future__ import annotations

from nbner.evaluation.retention import Retention, span_retention
from nbner.types import Example, Span

TEXT = "Ada met Bo in Rome"
ADA, BO, ROME = Span(0, 3, "P"), Span(8, 10, "P"), Span(14, 18, "L")


def retention(pairs, examples=None, gold_labels=()):
    before, after = zip(*pairs, strict=True)
    some = examples or [Example(TEXT)] * len(pairs)
    return span_retention(some, before, after, gold_labels=gold_labels)


def test_spans_are_counted_by_label():
    found = retention([((ADA, BO, ROME), (ADA, ROME))] * 2)
    frame = found.frame.set_index("label")
    assert list(frame.loc["P"]) == [4, 2, 2, False]
    assert list(frame.loc["L"]) == [2, 2, 2, False]
    assert (found.before, found.kept, found.n) == (6, 4, 2)
    assert "4 of 6 spans" in str(found)


def test_gold_decides_where_it_could():
    def answered(labels, *spans, **more):
        return Example(TEXT, spans=spans, answer="accept", labels=labels, **more)

    pair = [((ADA, BO, ROME), ())]
    everything = Example(TEXT, spans=(), answer="accept")
    assert retention(pair, [everything]).before == 0
    assert retention(pair, [answered(("P",))]).before == 1
    assert retention(pair, [answered(("X",), Span(0, 10, "X"))]).before == 1
    assert retention(pair, [answered(("P",), ADA, binary=True)]).before == 2
    assert retention(pair, [Example(TEXT, spans=(ADA,), answer="reject")]).before == 3


def test_a_label_may_lose_a_tenth_of_its_spans():
    kept = [((ADA,), (ADA,))]
    lost = [((ADA,), ())]
    assert retention(kept * 18 + lost * 2).losses() == []
    (loss,) = retention(kept * 17 + lost * 3).losses()
    assert (loss.label, loss.support, loss.after) == ("P", 20, 0.85)
    assert str(loss) == "P lost: 17 of 20 spans that were found before are found now"
    assert retention(kept * 17 + lost * 3).losses(max_loss=0.1) == []
    assert retention(kept * 17 + lost * 3).losses(judged={"P"}) == []


def test_a_label_that_the_gold_holds_is_lost_with_most_of_its_spans():
    kept, lost = [((ADA,), (ADA,))], [((ADA,), ())]
    assert retention(kept * 6 + lost * 6, gold_labels={"P"}).losses() == []
    (loss,) = retention(kept * 5 + lost * 6, gold_labels={"P"}).losses()
    assert loss.label == "P"


def test_labels_with_few_spans_count_together():
    def spans(label, n, kept):
        span = Span(0, 3, label)
        return [((span,), (span,) if i < kept else ()) for i in range(n)]

    few = retention(spans("A", 6, 5) + spans("B", 6, 4))
    (loss,) = few.losses()
    assert loss.label == "labels with few spans (A, B)"
    assert (loss.support, loss.after) == (12, 0.75)
    assert retention(spans("A", 4, 1)).losses() == []
    (loss,) = retention(spans("A", 3, 0)).losses()
    assert loss.label == "A"
    assert retention(spans("A", 3, 0), gold_labels={"A"}).losses() == []


def test_labels_that_no_text_shows_are_named():
    found = span_retention(
        [Example(TEXT)],
        [(ADA,)],
        [(ADA,)],
        gold_labels={"G"},
        known_labels=("P", "L", "G", "ORG"),
    )
    assert found.unmeasured == ("L", "ORG")
    assert "not measured, since it found none there outside of gold: L, ORG" in str(found)
    assert "not measured" not in str(retention([((ADA,), (ADA,))]))


def test_a_decided_span_shows_its_label():
    gold = Example(TEXT, spans=(ADA,), answer="accept")
    found = span_retention([gold], [(ADA,)], [()], gold_labels=(), known_labels=("P",))
    assert (found.labels, found.unmeasured) == ((), ())


def test_a_span_that_gold_replaces_does_not_show_its_label():
    gold = Example(TEXT, spans=(Span(0, 3, "X"),), answer="accept", labels=("X",))
    found = span_retention([gold], [(ADA,)], [()], gold_labels={"X"}, known_labels=("P", "X"))
    assert (found.labels, found.unmeasured) == ((), ("P",))


def test_a_sample_is_said():
    assert "in 1,000 of 25,000 texts" in str(Retention((), 1000, 25_000))
