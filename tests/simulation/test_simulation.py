"""The simulated annotator and the audit of anchoring, on plain values."""

from random import Random

import pytest

from nbner._common.alignment import join_words
from nbner.errors import DataError
from nbner.quality.anchoring import audit
from nbner.simulation.annotator import SimulatedAnnotator, count_actions
from nbner.simulation.cost_curve import CostPoint, common_best_f, seconds_to_reach
from nbner.types import Span

TEXT, TOKENS = join_words(["word"] * 1200)
GOLD = tuple(Span(one.start, one.end, "A") for one in TOKENS[::3])
LABELS = ["A", "B"]


def test_actions_are_what_the_widget_takes():
    a, b = Span(0, 4, "A"), Span(5, 9, "A")
    assert count_actions((), ()) == 1
    assert count_actions((), (a, b)) == 5
    assert count_actions((a, b), (a, b)) == 1
    assert count_actions((a,), (Span(0, 4, "B"),)) == 3
    assert count_actions((Span(0, 9, "A"),), (a, b)) == 5, "the first label replaces what lay there"
    assert count_actions((a, b), (a,)) == 3
    # A digit takes an analysis on offer, which is accepted or changed; what is shown may be nearer.
    choices = [(a,), (a, b)]
    assert count_actions((a,), (a, b), choices) == 2
    assert count_actions((a,), (a,), choices) == 1
    c = Span(10, 14, "A")
    assert count_actions((), (a, b, c), choices) == 4
    assert count_actions((), (c,), choices) == 3
    # One click puts a span on offer in place, also of what it overlaps.
    assert count_actions((a,), (a, b), offered=[b]) == 2
    assert count_actions((Span(0, 9, "A"),), (a, c), offered=[a, b]) == 4
    assert count_actions((), (a, b, c), choices, offered=[c]) == 3


def test_an_annotator_that_does_not_err_gives_the_gold_whatever_is_suggested():
    wrong = (Span(0, 4, "B"), Span(5, 9, "A"))
    done = SimulatedAnnotator().annotate(TEXT, TOKENS, GOLD[:1], LABELS, wrong)
    assert (done.spans, done.n_wrong, done.actions) == (GOLD[:1], 0, 5)
    assert done.seconds == pytest.approx(5 * 1.5 + 1200 * 0.25)


def test_its_error_rate_is_kept_and_its_errors_are_the_same_each_time():
    annotator = SimulatedAnnotator(error_rate=0.1)
    by_hand = annotator.annotate(TEXT, TOKENS, GOLD, LABELS, None)
    assert 20 <= len(set(GOLD) - set(by_hand.spans)) <= 50
    assert annotator.annotate(TEXT, TOKENS, GOLD, LABELS, GOLD).spans == by_hand.spans


def test_it_follows_what_is_suggested_as_far_as_it_is_told_to():
    spoilt = audit.perturb_suggestions(
        GOLD, TOKENS, LABELS, withhold=0.3, corrupt=0.3, random=Random(0)
    )
    assert (len(spoilt.withheld), len(spoilt.corrupted)) == pytest.approx((120, 120), abs=30)
    done = SimulatedAnnotator(anchoring_rate=0.4).annotate(TEXT, TOKENS, GOLD, LABELS, spoilt.shown)
    counted = audit.count_followed([(spoilt, done.spans)])
    for share in (counted.corrupted, counted.withheld):
        assert share.interval[0] < 0.4 < share.interval[1]
    assert counted.untouched.value == 1
    difference, low, high = counted.omission_effect
    assert low < 0.4 < high
    assert difference == counted.withheld.value


def test_an_audit_survives_being_written():
    spoilt = audit.perturb_suggestions(
        GOLD[:9], TOKENS, LABELS, withhold=0.3, corrupt=0.4, random=Random(3)
    )
    assert audit.audit_from_answer_extra({audit.AUDIT_KEY: audit.audit_to_json(spoilt)}) == spoilt
    assert audit.audit_from_answer_extra({}) is None
    assert {was for was, _ in spoilt.corrupted} | {*spoilt.withheld, *spoilt.untouched} == set(
        GOLD[:9]
    )


def test_of_what_was_wrong_before_nothing_is_counted():
    spoilt = audit.PerturbedSuggestions((GOLD[0],), ((GOLD[1], GOLD[2]),), (GOLD[3],))
    assert audit.only_correct(spoilt, GOLD[1:2]) == audit.PerturbedSuggestions(
        (), ((GOLD[1], GOLD[2]),), ()
    )


def test_wilson_s_interval_is_the_one_of_the_books():
    assert audit.Proportion(3, 10).interval == pytest.approx((0.1078, 0.6032), abs=1e-4)
    assert audit.Proportion(0, 0).interval == (0.0, 1.0)


@pytest.mark.parametrize(
    "given", [{"error_rate": 1.2}, {"anchoring_rate": -1}, {"seconds_per_action": -1}]
)
def test_an_impossible_annotator_is_refused(given):
    with pytest.raises(DataError, match="Give"):
        SimulatedAnnotator(**given)


def test_shares_of_more_than_all_are_refused():
    with pytest.raises(DataError, match="more than all suggestions"):
        audit.check_fractions(0.6, 0.6)


def test_times_are_read_between_the_points():
    def point(way, seconds, f):
        return CostPoint(way, 1, 1, 1, 1, seconds, 0, f)

    points = [point("a", 10, 0.2), point("a", 20, 0.4), point("b", 10, 0.2), point("b", 30, 0.3)]
    assert common_best_f(points) == 0.3
    assert seconds_to_reach(points[:2], 0.3) == pytest.approx(15)
    assert seconds_to_reach(points[:2], 0.1) == 10
    assert seconds_to_reach(points[:2], 0.5) is None
