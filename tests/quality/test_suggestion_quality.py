"""Precision and recall of suggestions over the answers that followed them, on plain answers."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from nbner._common.offered import OfferedSource, offer_from_extra, offer_to_json
from nbner.errors import DataError
from nbner.quality.suggestion_quality import suggestion_quality
from nbner.types import Answer, Span

mpl.use("Agg")

RIGHT = (Span(0, 4, "ORG"), Span(10, 18, "GPE"))


def answered(number, offered, spans=RIGHT, answer="accept", **extra):
    """Return an answer with what was suggested before it; ``offered`` are (source, spans)."""
    sources = [
        OfferedSource(source, tuple(found), group=more.get("group", source), **more.get("on", {}))
        for source, found, *rest in offered
        for more in [rest[0] if rest else {}]
    ]
    suggestions = {"suggestions": offer_to_json(sources)} if sources else {}
    return Answer(
        *(f"{number} {answer}", number, "train", "ann", answer, tuple(spans)),
        extra={**suggestions, **extra},
    )


def test_counts_of_one_source():
    some = [Span(0, 4, "ORG"), Span(10, 18, "ORG"), Span(20, 25, "GPE")]
    found = suggestion_quality([answered(1, [("m", some)]), answered(2, [("m", [])])])
    (one,) = found.sources
    assert (one.answers, one.suggested, one.correct, one.missed) == (2, 3, 1, 3)
    assert one.precision.value == pytest.approx(1 / 3)
    assert one.recall.value == pytest.approx(1 / 4)
    assert one.f.value == pytest.approx(2 / 7)
    assert one.recall.low <= one.recall.value <= one.recall.high
    frame = found.per_label.set_index("label")
    assert frame.loc["ORG", ["suggested", "correct", "missed"]].tolist() == [2, 1, 1]
    assert frame.loc["GPE", ["suggested", "correct", "missed"]].tolist() == [1, 0, 2]
    assert "precision 0.33" in str(found)
    assert "over 2 answers" in str(found)


def test_the_window_holds_the_last_answers():
    wrong = [answered(i, [("m", [Span(0, 1, "ORG")])]) for i in range(10)]
    right = [answered(10 + i, [("m", RIGHT)]) for i in range(5)]
    assert suggestion_quality(wrong + right, window=5).sources[0].precision.value == 1
    assert suggestion_quality(wrong + right, window=6).sources[0].precision.value == 10 / 11
    assert suggestion_quality(wrong + right, window=None).sources[0].answers == 15
    with pytest.raises(DataError, match="Give 1 or more"):
        suggestion_quality([], window=0)


def test_only_accepted_answers_with_suggestions_of_before_count():
    answers = [
        answered(1, [("m", RIGHT)], answer="reject"),
        answered(2, [("m", RIGHT)], answer="ignore"),
        answered(3, []),
        answered(4, [("m", RIGHT)], binary=True),
        answered(5, [("m", RIGHT)], answer=None),
        answered(6, [], suggestions="not ours"),
        answered(7, [], suggestions=[{"source": "m"}]),
    ]
    assert suggestion_quality(answers).tests == ()
    assert str(suggestion_quality(answers)) == "no suggestion was answered yet"
    assert suggestion_quality([]).better is None


def test_what_was_suggested_first_is_measured_against_the_last_answer():
    first = answered(1, [("m", RIGHT[:1])], spans=[])
    # A model that has learnt from the first answer suggests for the second one.
    second = answered(1, [("m", RIGHT)], spans=RIGHT)
    (one,) = suggestion_quality([first, second]).sources
    assert (one.answers, one.suggested, one.correct, one.missed) == (1, 1, 1, 1)
    undone = answered(1, [], answer=None)
    assert suggestion_quality([first, second, undone]).tests == ()


def test_versions_of_a_learner_are_counted_together():
    group = {"group": "learned model"}
    answers = [
        answered(1, [("model of 14:30, 5 answers", [], group)]),
        answered(2, [("model of 14:31, 10 answers", RIGHT, group)]),
        answered(3, [("model of 14:31, 10 answers", RIGHT, group)]),
    ]
    found = suggestion_quality(answers)
    assert [(one.source, one.answers) for one in found.sources] == [("learned model", 3)]
    assert found.sources[0].recall.value == pytest.approx(4 / 6)
    assert found.frame.versions.tolist() == [2]
    versions = found.versions.set_index("source")
    assert versions.recall.tolist() == [0, 1]
    assert "2 versions" in str(found)


def compared(n, share=1.0):
    """Return answers on which b, which is not shown, finds all, and a the first of two spans."""
    hidden = {"on": {"shown": False}}
    return [
        answered(i, [("b", RIGHT if i < share * n else [], hidden), ("a", RIGHT[:1])])
        for i in range(n)
    ]


def test_a_source_that_does_better_on_the_same_answers():
    found = suggestion_quality(compared(20))
    assert found.shown.source == "a"
    better = found.better
    assert (better.source, better.other, better.answers) == ("b", "a", 20)
    assert (better.f, better.other_f) == (1, pytest.approx(2 / 3))
    assert better.gain.low > 0
    assert "b does better than a on the same 20 answers: F 1.00 against 0.67" in str(found)
    assert "b, not shown" in str(found)


def test_no_source_is_said_to_do_better_on_little_evidence():
    assert suggestion_quality(compared(19)).better is None, "too few answers"
    # 0.67 against 0.6: the interval of the difference reaches to both sides of 0.
    close = suggestion_quality(compared(30, share=0.6))
    assert close.compare("b", "a").gain.low < 0 < close.compare("b", "a").gain.high
    assert close.better is None


def test_sources_are_compared_on_common_answers_alone():
    answers = [answered(i, [("a", RIGHT)]) for i in range(30)] + compared(20)
    answers = [
        Answer(f"x{i}", i, "train", "ann", "accept", one.spans, extra=one.extra)
        for i, one in enumerate(answers)
    ]
    found = suggestion_quality(answers, window=None)
    assert found.compare("b", "a").answers == 20
    assert found.compare("b", "a").other_f == pytest.approx(2 / 3)
    assert found.compare("b", "nobody") is None


def test_nothing_suggested_is_undefined_precision_and_a_recall():
    found = suggestion_quality([answered(1, [("m", [])]), answered(2, [("m", [])], spans=[])])
    (one,) = found.sources
    assert np.isnan(one.precision.value)
    assert one.recall.value == 0
    assert "precision undefined" in str(found)


def test_the_plot_has_a_line_for_each_source_and_needs_no_data():
    ax = suggestion_quality(compared(25), window=5).plot()
    lines = [line for line in ax.lines if len(line.get_xdata()) > 2]
    assert [line.get_ydata()[-1] for line in lines] == [1, pytest.approx(2 / 3)]
    assert len(suggestion_quality([]).plot().lines) == 0
    plt.close("all")


def test_what_an_answer_keeps_is_read_back():
    sources = (
        OfferedSource("m", RIGHT, group="learned model", shown=False),
        OfferedSource("gazetteer", (), group="gazetteer"),
    )
    assert offer_from_extra({"suggestions": offer_to_json(sources)}) == sources


def test_what_was_suggested_under_a_former_name_counts_under_the_present_one():
    renamed = (Span(0, 4, "FIRM"), Span(10, 18, "GPE"))
    before = answered(1, [("m", RIGHT)])
    events = [before, answered(1, [], renamed, relabelled={"ORG": "FIRM"})]
    (one,) = suggestion_quality(events).sources
    assert (one.suggested, one.correct, one.missed) == (2, 2, 0)
    merged = tuple(Span(one.start, one.end, "GPE") for one in renamed)
    events.append(answered(1, [], merged, relabelled={"FIRM": "GPE"}))
    assert suggestion_quality(events).per_label["label"].tolist() == ["GPE"]
    assert suggestion_quality(events).sources[0].correct == 2


def test_an_undone_merge_and_a_restored_answer_bring_the_former_names_back():
    merged = answered(1, [], [Span(0, 4, "GPE"), Span(10, 18, "GPE")], relabelled={"ORG": "GPE"})
    before = answered(1, [("m", RIGHT)])
    events = [replace(before, id="first"), replace(merged, id="batch:1")]
    undone = replace(before, id="back from batch:1")
    restored = replace(before, id="anew", extra={**before.extra, "restored": "first"})
    for last in (undone, restored):
        (one,) = suggestion_quality([*events, last]).sources
        assert (one.suggested, one.correct, one.missed) == (2, 2, 0)
    assert suggestion_quality([*events, undone]).per_label["label"].tolist() == ["GPE", "ORG"]


def test_a_name_that_was_given_to_another_label_before_the_answer_is_its_own():
    first = answered(1, [], relabelled={"ORG": "FIRM"})
    (one,) = suggestion_quality([first, answered(1, [("m", RIGHT)])]).sources
    assert one.correct == 2
