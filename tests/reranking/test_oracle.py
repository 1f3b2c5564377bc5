"""The oracle study: against a count by hand, and by the rules of its docstring."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from span_strategies import LABELS, spans

from nbner.errors import DataError
from nbner.evaluation.k_best_scores import (
    CandidateListScore,
    answer_extra_from_score,
    score_candidates,
    score_from_answer_extra,
)
from nbner.evaluation.scores import score
from nbner.reranking.oracle.differences import decoder_differences
from nbner.reranking.oracle.study import (
    DecoderPass,
    check_decoders,
    check_widths,
    oracle_points,
    plan_passes,
    points_per_label,
    run_study,
)
from nbner.types import Span

A, B, C = Span(0, 2, "A"), Span(3, 4, "B"), Span(5, 9, "C")
WIDTHS = (1, 2, 3, 5)


def lists():
    """Draw the k best analyses of a text, each different, with its gold."""
    analyses = st.lists(spans(longest=2).map(tuple), min_size=1, max_size=6, unique_by=frozenset)
    return st.tuples(analyses, spans(longest=2)) | analyses.flatmap(
        # Random spans are rarely gold: here one of the analyses is.
        lambda one: st.tuples(st.just(one), st.sampled_from(one))
    )


def corpora():
    return st.lists(lists(), min_size=1, max_size=5)


def merit(analysis, gold):
    """F of one text, then fewer errors; nothing found where nothing is to be found is perfect."""
    found, right = set(analysis), set(gold)
    errors = len(found ^ right)
    whole = len(found) + len(right)
    return (2 * len(found & right) / whole if whole else 1.0, -errors)


def by_hand(analyses, gold, width):
    """Choose the best analysis of a list by trying all of them."""
    return max(analyses[:width], key=lambda one: merit(one, gold))


def exact_f(gold, chosen):
    found = score(gold, chosen).exact.f
    return np.nan if found is None else found


@settings(max_examples=40)
@given(corpora())
def test_every_figure_equals_the_count_by_hand(corpus):
    found, gold = zip(*corpus, strict=True)
    done = run_study(found, gold, widths=WIDTHS, decoder="exact")
    for point in done.points:
        chosen = [by_hand(one, right, point.width) for one, right in corpus]
        ranks = [
            [set(analysis) == set(right) for analysis in one[: point.width]].index(True) + 1
            for one, right in corpus
            if any(set(analysis) == set(right) for analysis in one[: point.width])
        ]
        first_is_best = [
            merit(one[0], g) >= merit(c, g) for (one, g), c in zip(corpus, chosen, strict=True)
        ]
        expected = [
            exact_f(gold, chosen),
            exact_f(gold, [one[0] for one in found]),
            np.mean(first_is_best),
            len(ranks) / len(corpus),
            np.mean(ranks) if ranks else np.nan,
        ]
        figures = [
            *(point.oracle_f, point.top1_f, point.first_is_best),
            *(point.gold_in_list, point.mean_gold_rank),
        ]
        np.testing.assert_allclose([one.value for one in figures], expected)
        assert done.best[point.width] == tuple(chosen)


@settings(max_examples=40)
@given(corpora())
def test_labels_add_up_to_the_whole(corpus):
    found, gold = zip(*corpus, strict=True)
    done = run_study(found, gold, widths=WIDTHS, decoder="exact")
    for width in WIDTHS:
        expected = score(gold, done.best[width], labels=LABELS).per_label
        for row in points_per_label(done, gold, labels=LABELS, width=width):
            f = expected[row.label].f
            assert row.support == expected[row.label].support
            np.testing.assert_allclose(row.oracle_f.value, np.nan if f is None else f)


@given(lists())
def test_a_longer_list_is_never_worse_for_its_text(one):
    analyses, gold = one
    merits = [merit(by_hand(analyses, gold, width), gold) for width in WIDTHS]
    assert merits == sorted(merits)
    judged = score_candidates(analyses, gold)
    ranks = [judged.improvements[judged.best_within(width)][0] for width in WIDTHS]
    assert ranks == sorted(ranks)


@given(lists())
def test_what_an_answer_keeps_comes_back_through_json(one):
    judged = score_candidates(*one)
    assert (
        score_from_answer_extra(
            json.loads(json.dumps({"seconds": 2.0, **answer_extra_from_score(judged)}))
        )
        == judged
    )


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"gold_rank": 1},
        {**answer_extra_from_score(score_candidates([()], ())), "list_steps": [[1]]},
    ],
)
def test_what_was_not_kept_is_none(extra):
    assert score_from_answer_extra(extra) is None


def test_ties_go_to_the_first():
    assert score_candidates([[A], [B]], [A, B]).improvements == ((1, 1, 0, 1),)


def test_of_equal_f_the_one_with_fewer_errors_is_best():
    # Nothing is right in either, but the second invents nothing.
    assert score_candidates([[B, C], []], [A]).improvements == ((1, 0, 2, 1), (2, 0, 0, 1))


def test_where_gold_has_no_span_the_empty_analysis_is_perfect():
    assert score_candidates([[A], []], []) == CandidateListScore(((1, 0, 1, 0), (2, 0, 0, 0)), 2, 2)
    assert score_candidates([[A, B], [C]], []).improvements[-1] == (2, 0, 1, 0)


def test_a_label_that_could_not_be_given_counts_neither_way():
    assert score_candidates([[A, B]], [A], allowed_labels=("A",)) == CandidateListScore(
        ((1, 1, 0, 0),), 1, 1
    )


def test_a_list_without_analyses_holds_the_empty_one():
    assert score_candidates([], [A]).improvements == ((1, 0, 0, 1),)


def test_texts_without_entities_count_only_what_is_invented():
    done = run_study([[[A], []], [[B]]], [[], [B]], widths=(1, 2), decoder="exact")
    first, second = done.points
    assert first.oracle_f.value == pytest.approx(2 / 3)
    assert second.oracle_f.value == 1
    assert second.gold_in_list.value == 1
    assert second.mean_gold_rank.value == 1.5


def test_nothing_to_count_is_nan_and_no_error():
    (point,) = run_study([[()]] * 3, [()] * 3, widths=(4,), decoder="exact").points
    assert np.isnan(point.oracle_f.value)
    assert point.first_is_best.value == point.gold_in_list.value == 1
    assert oracle_points([], (1,), "exact")[0].n == 0


def test_intervals_hold_the_figure_and_the_gain_is_paired():
    corpus = [([[A], [A, B]], [A, B])] * 30 + [([[C], []], [])] * 30
    found, gold = zip(*corpus, strict=True)
    point = run_study(found, gold, widths=(2,), decoder="exact").points[0]
    for figure in (point.oracle_f, point.top1_f, point.first_is_best, point.gain):
        assert figure.low <= figure.value <= figure.high
    assert point.oracle_f.low == 1
    assert point.gain.value == pytest.approx(1 - point.top1_f.value)


def test_lists_and_gold_of_unequal_number_are_an_error():
    for found in ([[(A,)]], [[(A,)]] * 3):
        with pytest.raises(ValueError, match=r"shorter|longer"):
            run_study(iter(found), [(A,)] * 2, widths=(1,), decoder="exact")


@pytest.mark.parametrize(
    ("widths", "said"),
    [
        ((), "there is no width"),
        ((0, 1), "0 is not a width"),
        ((1, 1), "do not rise"),
        ((4, 2), "do not rise"),
        ((1, 2.5), "2.5 is not a width"),
        ((1, 1_025), "lists of 1,025 analyses take hours: widths are at most 1,024"),
        ((True, 2), "True is not a width"),
        (("1",), "'1' is not a width"),
    ],
)
def test_widths_that_are_none_name_the_way_out(widths, said):
    with pytest.raises(DataError, match=said) as caught:
        check_widths(widths)
    assert "rise" in caught.value.remedy


def test_widths_of_numpy_are_widths():
    assert check_widths(np.array([1, 2, 4])) == (1, 2, 4)


@pytest.mark.parametrize("decoders", [("exakt",), (), ("beam", "beam")])
def test_decoders_that_are_none_name_the_way_out(decoders):
    with pytest.raises(DataError, match="decoder"):
        check_decoders(decoders)


def test_an_exact_list_serves_all_widths_and_a_beam_only_its_own():
    assert check_decoders("exact") == ("exact",)
    planned = plan_passes((1, 4), ("exact", "exact_raw", "beam"))
    assert planned == [
        DecoderPass("exact", (1, 4)),
        DecoderPass("exact_raw", (1, 4)),
        DecoderPass("beam", (1,)),
        DecoderPass("beam", (4,)),
    ]


def test_differences_are_those_of_the_best_analyses_of_the_same_texts():
    lists = {
        "exact": [[(A,), (B,)], [(B,), ()]],
        "exact_raw": [[(B,), (A,)], [(B,), ()]],
        "beam": [[(B,), ()], [(B,), ()]],
    }
    gold = [(A,), (B,)]
    studies = {}
    for decoder, found in lists.items():
        done = run_study(iter(found), gold, widths=(1, 2), decoder=decoder)
        studies |= {(decoder, width): done for width in (1, 2)}
    found = {(one.name, one.width): one for one in decoder_differences(studies)}
    assert {key: one.gain.value for key, one in found.items()} == {
        ("objective", 1): 0.5,
        ("objective", 2): 0.0,
        ("search", 1): 0.0,
        # The beam's empty analysis has fewer errors than its wrong one: F 2/3.
        ("search", 2): pytest.approx(1 - 2 / 3),
    }
    assert found["search", 1].gain.low == found["search", 1].gain.high == 0.0
    del studies["exact_raw", 2]
    assert ("search", 2) not in {(one.name, one.width) for one in decoder_differences(studies)}
