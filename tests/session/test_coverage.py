"""Sets with a guarantee through a session."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

import nbner
from nbner import Answer, DataError, Session
from nbner.active_learning.ranked_dataset import HOLDOUT_KEY
from nbner.reranking.coverage.conformal import AnalysisThreshold
from nbner.types import Parse

mpl.use("Agg")
CORPUS = nbner.sample()


@pytest.fixture(scope="module")
def found(cooking):
    return cooking[0].experiments.coverage(0.2, width=32, progress=False)


def test_the_frame_has_a_row_a_method_and_group(found):
    frame = found.frame
    assert set(frame["method"]) == {
        *("cumulative", "regularized", "probability"),
        *("missed spans", "wrong spans"),
    }
    assert set(frame["group"]) == {"all", "length", "entities", "label", "set size"}
    assert (frame["nominal"] == 0.8).all()
    assert set(found.per_label["value"]) <= set(CORPUS.labels)
    assert found.n == 64
    assert "Sets of analyses at 80 %, calibrated on 64 texts of dev" in found.summary
    assert found.plot().get_title(loc="left").startswith("Sets of ")


def test_the_sets_of_new_texts_are_prefixes_of_their_lists(cooking, found):
    session = cooking[0]
    for text in [one.text for one in CORPUS.dev[:5]]:
        listed = session.parses(text, found.width)
        for method in ("regularized", "cumulative", "probability"):
            one = found.analysis_set(listed, method)
            assert list(one.parses) == listed[: len(one.parses)]
            assert one.parses
        known = session.model.span_probabilities(text)
        accepted = found.accepted_spans(known)
        assert all(p > found.thresholds.wrong >= 0.5 for p in accepted.values())
        assert found.candidate_spans(known).keys() >= {
            span for span, p in known.probabilities.spans.items() if p >= found.thresholds.missed
        }


def test_sets_are_by_cumulative_probability_unless_the_regularized_ones_are_asked_for(found):
    first = Parse(0.5, 0.0, ())
    listed = [first, Parse(0.2, -1.0, ())]
    # Thresholds under which the two sets of this list differ.
    parted = replace(
        found,
        thresholds=replace(
            found.thresholds, cumulative=AnalysisThreshold(0.1), regularized=AnalysisThreshold(0.6)
        ),
    )
    assert parted.analysis_set(listed).parses == (first,)
    assert len(parted.analysis_set(listed, "regularized").parses) == 2
    means = found.frame.query("group == 'all'").set_index("method")["size"]
    assert f"Sets of {means['cumulative']:.1f} " in found.plot().get_title(loc="left")
    title = found.plot(method="regularized").get_title(loc="left")
    assert f"Sets of {means['regularized']:.1f} " in title


@pytest.mark.parametrize(
    "ask", [lambda one: one.analysis_set([], "raps"), lambda one: one.plot(method="Cumulative")]
)
def test_an_unknown_method_names_the_others(found, ask):
    with pytest.raises(DataError, match="Use 'cumulative', 'regularized' or 'probability'"):
        ask(found)


def test_a_list_that_is_too_short_says_that_its_sets_are_not_complete(cooking):
    found = cooking[0].experiments.coverage(0.05, width=1, progress=False)
    whole = found.frame.query("method == 'cumulative' and group == 'all'")
    assert whole["incomplete"].item() == 1.0
    assert "No list of 1 reaches the level" in found.summary
    lowest = found.lowest_alpha
    assert f"lowest alpha that these lists reach is {lowest:.3f}" in found.summary
    reached = cooking[0].experiments.coverage(lowest, width=1, progress=False).thresholds
    assert reached.cumulative.value == 0.0
    missed = cooking[0].experiments.coverage(lowest - 0.011, width=1, progress=False).thresholds
    assert missed.cumulative.value == float("inf")
    listed = cooking[0].parses(CORPUS.dev[0].text, 1)
    assert not found.analysis_set(listed).is_complete
    # Sets by probability reach the level behind the list.
    by_probability = found.frame.query("method == 'probability' and group == 'all'").iloc[0]
    assert by_probability["coverage_low"] <= 0.95 <= by_probability["coverage_high"]
    assert by_probability["listed"] == whole["coverage"].item() < by_probability["coverage"]
    least = found.thresholds.probability.least_probability
    assert 0 < least < 1
    assert f"all analyses of probability {least:.2g} or more" in found.summary
    assert "the set goes on behind the list, and gold is among the listed of " in found.summary
    title = found.plot(method="probability").get_title(loc="left")
    assert title.startswith(f"All analyses of probability {least:.2g} or more hold gold in ")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"alpha": 0.0}, "alpha=0.0 is not between 0 and 1"),
        ({"alpha": 1}, "alpha=1 is not between 0 and 1"),
        ({"alpha": 1.5}, "alpha=1.5 is not between 0 and 1"),
        ({"alpha": float("nan")}, "takes a number, not nan"),
        ({"decoder": "beam"}, "probabilities of 'beam' are not those of all analyses"),
        ({"alpha": 5e-324}, "more than 1,000,000,000 held-out texts with gold"),
        ({"alpha": True}, "takes a number, not True"),
        ({"alpha": 10**400}, "is not between 0 and 1"),
        ({"alpha": "0.1"}, "takes a number, not '0.1'"),
        ({"alpha": np.array(0.1)}, "takes a number, not array"),
        ({"alpha": 0.001}, r"99\.9 % of the texts need at least \d,?\d+ held-out texts"),
    ],
)
def test_what_cannot_be_calibrated_names_the_way_out(cooking, asked, said):
    with pytest.raises(DataError, match=said) as caught:
        cooking[0].experiments.coverage(**asked, progress=False)
    assert caught.value.remedy


def test_gold_of_other_labels_is_counted_and_alone_an_error(cooking):
    model = min(cooking[1].with_suffix(".models").glob("*/*/model-best"))
    spell = [
        {"text": f"Whisk {i} eggs .", "spans": [{"start": 0, "end": 5, "label": "Spell"}]}
        for i in range(12)
    ]
    with Session("strange", store=":memory:", model=model) as session:
        session.add([{**one, "answer": "accept"} for one in spell], split="dev")
        with pytest.raises(DataError, match="none of the 12 held-out texts has gold"):
            session.experiments.coverage(0.3, progress=False)
        session.add(CORPUS.dev[:20], split="dev")
        found = session.experiments.coverage(0.3, width=4, progress=False)
        assert (found.n, found.unreachable) == (32, 12)
        assert "The gold of 12 texts cannot be in any list" in found.summary


def test_texts_that_a_strategy_chose_calibrate_nothing_and_those_kept_aside_do(cooking):
    model = min(cooking[1].with_suffix(".models").glob("*/*/model-best"))
    with Session("own", labels=CORPUS.labels, store=":memory:", model=model) as session:
        session.add(CORPUS.dev[:30], split="dev")
        orders = [("least sure", {}), ("least sure", {HOLDOUT_KEY: True}), ("random", {})]
        dataset = session._context.dataset
        chosen = list(dataset.examples("dev"))
        for i, (order, task) in enumerate(orders):
            one = chosen[i]
            answer = Answer(
                id=f"answer {i}",
                input_hash=one.input_hash,
                split="dev",
                annotator="ann",
                answer="accept",
                spans=one.spans,
                labels=CORPUS.labels,
                created=1.0 + i,
                extra={"order": order, "task": task},
            )
            assert dataset.record(answer)
        found = session.experiments.coverage(0.3, width=4, progress=False)
    assert (found.n, found.left_out) == (29, 1)
    assert "1 accepted text calibrated nothing" in found.summary
    assert np.isfinite(found.frame["coverage"]).all()
