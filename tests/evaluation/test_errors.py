"""Gold and predicted spans in pairs: nothing twice, nothing lost, and what follows from it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from span_strategies import LABELS, corpora, spans

from nbner._common.alignment import tokens_from_words
from nbner.evaluation.errors.attribution import ERROR_FACTORS, error_rates
from nbner.evaluation.errors.filters import (
    ConfusionCell,
    MatchFilter,
    confusion_matrix,
    group_by_cell,
)
from nbner.evaluation.errors.matches import match_example, pair_spans
from nbner.evaluation.errors.report import Errors
from nbner.evaluation.errors.span_features import (
    TrainingVocabulary,
    count_tokens,
    tokens_to_sentence_end,
    word_shape,
)
from nbner.evaluation.scores import score
from nbner.types import Example, Span


def example(text="", gold=(), **rest):
    words = text.split()
    return Example(text, tokens_from_words(text, words), tuple(gold), **rest)


def found_in(corpus):
    # Long enough that every span lies in the text.
    text = " ".join("x" for _ in range(60))
    return [
        one
        for number, (gold, predicted) in enumerate(corpus)
        for one in match_example(number, example(text, gold), gold, predicted, TrainingVocabulary())
    ]


@given(spans(), spans())
def test_every_span_is_in_one_pair(gold, predicted):
    found = pair_spans(gold, predicted)
    assert Counter(a for a, _, _ in found if a) == Counter(gold)
    assert Counter(b for _, b, _ in found if b) == Counter(predicted)
    for a, b, kind in found:
        assert (a is None) == (kind == "spurious")
        assert (b is None) == (kind == "missed")
        if a and b:
            assert min(a.end, b.end) > max(a.start, b.start)
            alike = (a.start, a.end) == (b.start, b.end), a.label == b.label
            kinds = {
                (True, True): "correct",
                (True, False): "label",
                (False, True): "borders",
                (False, False): "label_and_borders",
            }
            assert kind == kinds[alike]


@given(spans(), spans())
def test_nothing_that_could_be_paired_is_left_over(gold, predicted):
    found = pair_spans(gold, predicted)
    missed = [a for a, _, kind in found if kind == "missed"]
    spurious = [b for _, b, kind in found if kind == "spurious"]
    assert not [
        (a, b) for a in missed for b in spurious if min(a.end, b.end) > max(a.start, b.start)
    ]


@given(corpora())
def test_the_matrix_adds_up_to_what_is_scored(corpus):
    gold, predicted = zip(*corpus, strict=True)
    counted = confusion_matrix(group_by_cell(found_in(corpus)), LABELS)
    measured = score(gold, predicted)
    for label in counted.labels:
        row = sum(n for cell, n in counted.counts.items() if cell.gold == label)
        column = sum(n for cell, n in counted.counts.items() if cell.predicted == label)
        counts = measured.per_label[label]
        assert (row, column) == (counts.support, counts.predicted)
        assert counted.counts.get(ConfusionCell(label, label), 0) == counts.tp
    assert counted.total - counted.errors == measured.exact.tp


@given(corpora())
def test_the_shares_of_all_buckets_are_all_errors(corpus):
    found = found_in(corpus)
    for factor in ERROR_FACTORS.values():
        buckets = error_rates(found, factor)
        assert sum(one.n for one in buckets) == len(found)
        errors = sum(one.errors for one in buckets)
        assert errors == sum(one.is_error for one in found)
        if errors:
            assert sum(one.share.value for one in buckets) == pytest.approx(1)
        for one in buckets:
            assert one.rate.value == one.errors / one.n
            assert one.rate.low <= one.rate.value <= one.rate.high or one.rate.low != one.rate.low


def test_what_a_span_is_like():
    text = "Add 5 ml of LB broth . Then wait"
    tokens = example(text).tokens
    broth = Span(text.index("LB"), text.index(" ."), "Reagent")
    assert count_tokens(tokens, broth) == 2
    assert tokens_to_sentence_end(text, tokens, broth) == 0
    assert tokens_to_sentence_end(text, tokens, Span(0, 3, "Action")) == 5
    assert (
        tokens_to_sentence_end(text, tokens, Span(text.index("Then"), text.index("Then") + 4, "A"))
        == 1
    )
    said = ("broth", "Broth", "LB", "LB broth", "5 ml", "°", "37", "培养基", "A")
    kinds = ("lower", "Title", "UPPER", "mixed", "with digits", "no letters", "no letters")
    assert tuple(map(word_shape, said)) == (*kinds, "mixed", "Title")
    training = TrainingVocabulary([example("Use lb  Broth", [Span(4, 13, "Reagent")])])
    assert training.frequency("LB broth", "Reagent") == 1
    assert training.frequency("LB broth", "Device") == 0


def small():
    """Give findings over two texts: one right, one of each kind of error."""
    first = example("Add 5 ml water", [Span(0, 3, "A"), Span(4, 8, "B"), Span(9, 14, "C")])
    second = example("Heat it now", [Span(0, 4, "A"), Span(5, 7, "B")], meta={"source": "web"})
    said = [
        [Span(0, 3, "A"), Span(4, 5, "B"), Span(9, 14, "A")],
        [Span(0, 7, "C"), Span(8, 11, "A")],
    ]
    known = [dict.fromkeys(one, 0.5) for one in said]
    training = TrainingVocabulary([first])
    return Errors(
        [first, second], said, training_vocabulary=training, probabilities=known, labels="ABC"
    )


def test_conditions_choose():
    errors = small()
    kinds = Counter(one.kind for one in errors.matches)
    assert kinds == dict.fromkeys(
        ("correct", "borders", "label", "label_and_borders", "missed", "spurious"), 1
    )

    def words(**given):
        return [one.words for one in MatchFilter(**given).select(errors.matches)]

    assert words(labels=("C",)) == ["water", "Heat"]
    assert words(min_length=2) == ["5 ml"]
    assert words(seen=False) == ["Heat", "it", "now"]
    assert words(max_probability=0.4) == []
    assert words(min_probability=0.5) == ["Add", "5 ml", "water", "Heat", "now"]
    assert words(text="HEAT", meta={"source": "web"}) == ["Heat", "it", "now"]
    assert words(meta={"source": "book"}) == []
    assert words(predicates={"own": lambda one: one.kind == "label"}) == ["water"]


def test_a_label_that_could_not_be_given_counts_neither_way():
    narrow = example("Add it", [], labels=("A",))
    assert match_example(0, narrow, (), [Span(0, 3, "B")], TrainingVocabulary()) == []


def test_the_frame_can_be_grouped_and_holds_the_metadata():
    frame = small().frame
    assert list(frame.groupby("kind").size()) == [1] * 6
    assert frame.loc[frame["words"] == "Heat", "source"].item() == "web"
    assert frame["gold_start"].isna().sum() == 1
    assert frame["seen"].dtype == bool
    sliced = small().where(lambda one: one.is_error, labels=("A",))
    assert set(sliced.frame["words"]) == {"water", "Heat", "now"}
    assert sliced.error_count == 3


def test_the_confusion_frame_and_the_pictures_say_the_same():
    errors = small()
    table = errors.confusion
    assert table.loc["C", "A"] == table.loc["A", "C"] == table.loc["B", "borders"] == 1
    assert table.loc["nothing", "A"] == table.loc["B", "nothing"] == 1
    assert table.to_numpy().sum() == len(errors.matches)
    drawn = errors.plot()
    assert "1" in {text.get_text() for text in drawn.texts}
    assert len(errors.plot("length").patches) == len(errors.buckets("length"))
    attributed = errors.attribution()
    assert set(attributed["factor"]) == {"frequency", "length", "shape", "sentence_end"}
    assert (attributed["rate_low"] <= attributed["rate"]).all()


def test_a_report_is_one_file_in_which_data_is_no_markup(tmp_path):
    evil = "<script>alert(1)</script>"
    text = f"Add {evil}"
    errors = Errors(
        [example(text, [Span(4, len(text), evil)])], [[Span(0, 3, '"><b>')]], title=evil
    )
    page = errors.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    assert "<script" not in page
    assert "<b>" not in page.replace("<b style", "")
    assert "&lt;script&gt;" in page
    assert "http" not in page
    assert "src=" not in page
    # Every number that is an error leads to its examples.
    assert page.count('href="#errors-') == page.count('<section id="errors-') == 2


def test_nothing_wrong_and_nothing_at_all_can_be_shown():
    right = Errors([example("Add it", [Span(0, 3, "A")])], [[Span(0, 3, "A")]])
    assert right.error_count == 0
    assert right.plot().get_title(loc="left") == "Nothing is wrong"
    assert right.plot("length").get_title(loc="left") == "Nothing is wrong"
    nothing = Errors([], [])
    assert nothing.frame.empty
    assert "0 errors" in str(nothing)
    assert "<section>" in nothing.to_html()
