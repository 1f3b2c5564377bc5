"""The decision by expected F: the set of spans, its threshold, and the component."""

from __future__ import annotations

import gc
import os
import pickle
from copy import deepcopy
from functools import cache
from importlib import import_module
from itertools import combinations, product
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_strategies import KINDS, SET_BEFORE, Kind, pipeline, texts
from spacy.tokens import Span as DocSpan

from nbner.decoding.api import span_probabilities
from nbner.decoding.decision.component import (
    FACTORY,
    META_KEY,
    add_decision,
    decision_of,
    make_decision,
    remove_decision,
    without_decision,
)
from nbner.decoding.decision.fitting import fit_decision, log_likelihood
from nbner.decoding.decision.span_sets import (
    best_span_set,
    expected_f,
    filter_spans,
    fixed_point_threshold,
)
from nbner.decoding.decision.without_gold import DecisionWithoutGold, decision_without_gold
from nbner.errors import DataError, ModelError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import clone_pipeline
from nbner.nlp.prediction import predict
from nbner.types import Example, Span

TEXTS = ["Add 5 ml of LB", "LB of Add", "5 ml", "Add", "", "ml of of LB 5 Add ml"]
NEAR_ZERO = 1e-12
EXAMPLES = int(os.environ.get("NBNER_EXAMPLES", "15"))


def tables(most=7):
    place = st.tuples(st.integers(0, 5), st.integers(1, 3), st.sampled_from("AB"))
    span = place.map(lambda one: Span(one[0], one[0] + one[1], one[2]))
    return st.dictionaries(span, st.floats(0, 1), max_size=most)


def apart(spans):
    return all(a.end <= b.start or b.end <= a.start for a, b in combinations(spans, 2))


def sets_of(table):
    """List all sets of spans of a table of which no two overlap."""
    every = (s for n in range(len(table) + 1) for s in combinations(table, n))
    return [one for one in every if apart(one)]


def decided(kind=None, threshold=0.3, temperature=1.0):
    nlp = clone_pipeline(pipeline(kind or Kind(seed=7)))
    return nlp, add_decision(nlp, threshold=threshold, temperature=temperature)


def found(doc):
    return tuple(Span(one.start_char, one.end_char, one.label_) for one in doc.ents)


# The set of spans.


@given(tables(), st.sampled_from([0.2, 0.5]))
def test_the_chosen_set_is_the_best_of_all_that_do_not_overlap(table, threshold):
    def worth(spans):
        return sum(table[one] - threshold for one in spans)

    chosen = best_span_set(table, threshold)
    assert apart(chosen)
    assert chosen == tuple(sorted(chosen, key=lambda one: one.start))
    assert worth(chosen) == pytest.approx(max(worth(one) for one in sets_of(table)))


@cache
def shared(kind):
    return decided(kind)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(KINDS[:3]), texts(most=3), st.sampled_from([0.05, 0.2, 0.5]))
def test_on_a_small_lattice_no_set_of_spans_is_better(kind, text, threshold):
    nlp, component = shared(kind)
    component.threshold = threshold
    (known,) = span_probabilities(nlp, [text], min_probability=NEAR_ZERO)
    # Every set that is left out holds a span that only lowers its sum.
    likely = {span: p for span, p in known.spans.items() if p > threshold}
    best = max(sum(likely[one] - threshold for one in spans) for spans in sets_of(likely))
    chosen = found(nlp(text))
    assert apart(chosen)
    assert sum(likely[one] - component.threshold for one in chosen) == pytest.approx(best)


@settings(max_examples=40, deadline=None)
@given(st.lists(tables(3), min_size=1, max_size=3))
def test_at_the_fixed_point_no_sets_have_a_higher_expected_f(known):
    theta = fixed_point_threshold(known)
    chosen = [best_span_set(table, theta) for table in known]
    every = [expected_f(known, one) for one in product(*(sets_of(table) for table in known))]
    assert expected_f(known, chosen) == pytest.approx(max(every), abs=1e-7)
    assert theta == pytest.approx(max(every) / 2, abs=1e-7)


def test_expected_f_is_the_one_by_hand():
    known = [{Span(0, 1, "A"): 0.9, Span(2, 3, "A"): 0.3}, {}]
    # Of 0.9 + 0.3 expected spans, the one that is taken is right with 0.9.
    assert expected_f(known, [[Span(0, 1, "A")], []]) == pytest.approx(2 * 0.9 / (1 + 1.2))
    assert expected_f([{}], [()]) == 0
    assert fixed_point_threshold(known) == pytest.approx(0.9 / 2.2)
    assert fixed_point_threshold([{}, {}]) == 0


def test_the_plain_filter_keeps_what_is_likely_enough():
    kept, dropped, unknown = Span(0, 1, "A"), Span(2, 3, "A"), Span(4, 5, "A")
    table = {kept: 0.5, dropped: 0.49}
    assert filter_spans([kept, dropped, unknown], table, 0.5) == (kept,)


def test_the_likelihood_counts_every_span():
    one = Example("a b", spans=(Span(0, 1, "A"),), labels=("A",))
    table = {Span(0, 1, "A"): 0.5, Span(2, 3, "A"): 0.25, Span(2, 3, "B"): 0.5}
    # The label B did not exist when the text was answered.
    assert log_likelihood(one, table) == pytest.approx(-0.693147 - 0.287682, abs=1e-5)
    assert log_likelihood(one, {}) == pytest.approx(-9.2103, abs=1e-3)


# The component.


@pytest.mark.parametrize("kind", KINDS[4:])
def test_it_sets_the_best_set_whatever_the_batch(kind):
    nlp, component = decided(kind, threshold=0.15, temperature=1.3)
    known = list(span_probabilities(nlp, TEXTS, temperature=1.3, min_probability=NEAR_ZERO))
    wanted = [best_span_set(one.spans, component.threshold) for one in known]
    for size in (1, 2, 64):
        assert [found(doc) for doc in nlp.pipe(TEXTS, batch_size=size)] == wanted
    assert [found(nlp(text)) for text in TEXTS] == wanted


def test_it_comes_right_after_the_recognizer_and_rules_come_behind():
    nlp, _ = decided(threshold=0.99)
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Rule", "pattern": "LB"}])
    add_decision(nlp, threshold=0.98, temperature=2.0)
    assert nlp.pipe_names[-3:] == ["ner", "nbner_expected_f", "entity_ruler"]
    # The rule finds a place that is free, since no span is that likely.
    assert Span(12, 14, "Rule") in found(nlp(TEXTS[0]))


def test_entities_that_were_set_before_the_recognizer_stay_with_their_identifiers():
    text = "Add LB"

    def before(doc):
        doc.set_ents(
            [DocSpan(doc, 1, 2, label="New", kb_id="Q1", span_id="one")],
            blocked=[doc[0:1]],
            default="missing",
        )

    SET_BEFORE[text] = before
    try:
        nlp, _ = decided(threshold=0.9)
        (entity,) = nlp(text).ents
        assert (entity.text, entity.label_, entity.kb_id_, entity.id_) == ("LB", "New", "Q1", "one")
        greedy = clone_pipeline(pipeline(Kind(seed=7)))(text)
        assert [one.ent_iob_ for one in nlp(text)] == [one.ent_iob_ for one in greedy]
    finally:
        del SET_BEFORE[text]


def test_without_its_recognizer_it_changes_nothing():
    nlp, _ = decided(threshold=0.0001)
    with nlp.select_pipes(disable=["ner"]):
        assert not nlp(TEXTS[0]).ents
    with pytest.raises(ModelError, match="nothing to decide"):
        add_decision(spacy.blank("en"), threshold=0.5, temperature=1.0)


def test_it_is_saved_copied_and_removed_with_its_pipeline(tmp_path):
    nlp, _ = decided(threshold=0.15, temperature=1.5)
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    for one in (loaded, clone_pipeline(nlp)):
        assert (decision_of(one).threshold, decision_of(one).temperature) == (0.15, 1.5)
        assert fingerprint(one) == fingerprint(nlp) != fingerprint(pipeline(Kind(seed=7)))
        assert [found(doc) for doc in one.pipe(TEXTS)] == [found(doc) for doc in nlp.pipe(TEXTS)]
    assert without_decision(nlp) is not nlp
    assert fingerprint(without_decision(nlp)) == fingerprint(pipeline(Kind(seed=7)))
    assert decision_of(nlp) is not None
    remove_decision(loaded)
    assert without_decision(loaded) is loaded


def test_a_pickled_and_a_copied_pipeline_decide_by_their_own_recognizer():
    """New processes that are not forked, as on macOS, get a pipeline by `pickle`."""
    nlp, component = decided(threshold=0.15, temperature=1.5)
    expected = [found(doc) for doc in nlp.pipe(TEXTS)]
    copies = pickle.loads(pickle.dumps(nlp)), deepcopy(nlp)
    alone = pickle.loads(pickle.dumps(component))
    del nlp, component
    gc.collect()
    assert [[found(doc) for doc in one.pipe(TEXTS)] for one in copies] == [expected, expected]
    assert not any(decision_of(one)._nlp() is not one for one in copies)
    gc.collect()
    with pytest.raises(ModelError, match="is gone"):
        alone(copies[0].make_doc("Add"))
    with pytest.raises(ModelError, match="is gone"):
        deepcopy(alone)(copies[0].make_doc("Add"))


@pytest.mark.parametrize("threshold", [0.339467, 0.05, 0.491038, 1 / 3])
def test_a_saved_decision_without_gold_is_known_again(threshold, tmp_path):
    """spaCy writes ``meta.json`` with a digit less than ``config.cfg``."""
    nlp = clone_pipeline(pipeline(Kind(seed=7)))
    chosen = DecisionWithoutGold(threshold, 1.2, 36)
    chosen.add_to(nlp)
    nlp.to_disk(tmp_path / "model")
    assert decision_without_gold(spacy.load(tmp_path / "model")) == chosen
    add_decision(nlp, threshold=threshold + 1e-6, temperature=1.2)
    nlp.meta[META_KEY] = chosen.to_json()
    assert decision_without_gold(nlp) is None


def test_spacy_alone_finds_it_by_its_entry_point():
    lines = (Path(__file__).parents[2] / "pyproject.toml").read_text().splitlines()
    (line,) = (one for one in lines if one.startswith(f"{FACTORY} = "))
    module, name = line.split('"')[1].split(":")
    assert getattr(import_module(module), name) is make_decision
    assert lines.index("[project.entry-points.spacy_factories]") < lines.index(line)


@pytest.mark.parametrize(
    ("threshold", "temperature", "said"),
    [(1.0, 1.0, "from 0 and below 1"), (-0.1, 1.0, "from 0"), (0.5, 0.0, "above 0")],
)
def test_settings_out_of_range_are_named(threshold, temperature, said):
    nlp = clone_pipeline(pipeline(Kind(seed=7)))
    with pytest.raises(DataError, match=said):
        add_decision(nlp, threshold=threshold, temperature=temperature)


# Its choice on gold.


@pytest.fixture(scope="module")
def gold():
    """Texts whose gold is what the random model finds, but for a third of it."""
    nlp = pipeline(Kind(seed=7))
    made = [Example(f"{one} {other}") for one in TEXTS[:4] for other in (*TEXTS[:4], *TEXTS[5:])]
    found = predict(nlp, made * 2)
    return [
        Example(one.text, spans=spans if i % 3 else (), answer="accept")
        for i, (one, spans) in enumerate(zip(made * 2, found, strict=True))
    ]


def test_its_figures_are_those_of_texts_that_others_chose_for(gold):
    nlp = pipeline(Kind(seed=7))
    chosen, report = fit_decision(nlp, gold, seed=1)
    assert (decision_of(chosen).threshold, decision_of(chosen).temperature) == (
        report.threshold,
        report.temperature,
    )
    assert decision_of(nlp) is None
    frame = report.frame.set_index("name")
    assert list(frame.index) == ["greedy", "expected_f", "greedy, filtered"]
    assert frame.loc["greedy", "recall"] == 1
    for _, row in frame.iterrows():
        expected = 2 * row["precision"] * row["recall"] / (row["precision"] + row["recall"])
        assert row["f"] == pytest.approx(expected)
        assert row["gain"] == pytest.approx(row["f"] - frame.loc["greedy", "f"])
    assert report.fingerprint == fingerprint(chosen)
    assert fit_decision(nlp, gold, seed=1)[1] == report


def test_a_stated_precision_is_reached_or_its_limit_is_said(gold):
    nlp = pipeline(Kind(seed=7))
    _, report = fit_decision(nlp, gold, min_precision=0.5)
    curve = report.curve[report.curve["rule"] == "expected_f"]
    reached = curve[(curve["precision"] >= 0.5) & (curve["n"] >= 20)]
    assert report.threshold == reached["threshold"].min()
    assert "precision" in str(report)
    with pytest.raises(DataError, match=r"0\.999 is not reached.*the highest is"):
        fit_decision(nlp, gold, min_precision=0.999)
    with pytest.raises(DataError, match="not above 0"):
        fit_decision(nlp, gold, min_precision=90)


def test_too_little_gold_says_how_much_is_needed(gold):
    with pytest.raises(DataError, match=r"10 held-out texts .* 50 spans in 20 texts"):
        fit_decision(pipeline(Kind(seed=7)), gold[:10])
