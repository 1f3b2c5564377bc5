"""Streams of texts: order, company, lengths, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_strategies import Kind, pipeline, texts

import nbner
from nbner.decoding import batching, lattice
from nbner.decoding.api import lattices, parses, span_probabilities, span_probabilities_at
from nbner.decoding.state_scorer import StateScorer
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.pipeline import load_base
from nbner.training.crf import train_crf
from nbner.types import Example, Span, Token

TEXT = "Add 5 ml of LB"
LABELS = ("Action", "Amount", "Reagent")
MANY = [TEXT, "Add", "", "ml of", "🧪 LB  of 5 Add", TEXT + " of LB"]


def same(ours, theirs):
    return [parse.spans for parse in ours] == [parse.spans for parse in theirs] and np.allclose(
        [parse.score for parse in ours], [parse.score for parse in theirs], atol=1e-5
    )


@settings(max_examples=40)
@given(st.lists(texts(7), min_size=1, max_size=6), st.integers(1, 20))
def test_a_text_has_the_same_list_alone_and_in_company(some, k):
    nlp = pipeline(Kind(seed=7))
    together = list(parses(nlp, some, k))
    assert len(together) == len(some)
    for text, listed in zip(some, together, strict=True):
        (alone,) = parses(nlp, [text], k)
        assert same(alone, listed)
        (kept,) = lattices(nlp, [text])
        assert same(kept.k_best(k), listed)


def test_groups_and_batches_change_nothing(nlp, monkeypatch):
    before = list(parses(nlp, MANY, 5)), list(span_probabilities(nlp, MANY))
    monkeypatch.setattr(batching, "DOCS_PER_GROUP", 2)
    monkeypatch.setattr(batching, "MAX_WEIGHTS", 1)
    after = list(parses(nlp, MANY, 5)), list(span_probabilities(nlp, MANY))
    assert all(same(a, b) for a, b in zip(before[0], after[0], strict=True))
    for a, b in zip(before[1], after[1], strict=True):
        np.testing.assert_allclose(a.token_probabilities, b.token_probabilities, atol=1e-5)
        assert a.text == b.text
        assert a.token_axis == b.token_axis


@pytest.mark.parametrize("kind", ["transitions", "random field"])
def test_several_temperatures_are_as_one_after_the_other_and_score_once(
    nlp, kind, corpus, monkeypatch
):
    if kind == "random field":
        nlp = train_crf(load_base("blank:en"), corpus[:10], labels=LABELS, max_iterations=5)
    scored = []
    for owner, name in ((StateScorer, "__init__"), (CrfRecognizer, "token_scores")):
        whole = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *args, whole=whole, **more: scored.append(1) or whole(*args, **more)
        )
    expected = [list(span_probabilities(nlp, MANY, temperature=one)) for one in (0.5, 1.0, 1.7)]
    once = len(scored) / 3
    found = list(span_probabilities_at(nlp, MANY, (0.5, 1.0, 1.7)))
    assert len(scored) == 4 * once, "as often as at one temperature"
    assert [[dict(one.spans) for one in every] for every in found] == [
        [dict(one.spans) for one in every] for every in zip(*expected, strict=True)
    ]
    assert len({tuple(one.spans.values()) for one in found[0]}) == 3
    for every, others in zip(found, zip(*expected, strict=True), strict=True):
        for one, other in zip(every, others, strict=True):
            assert np.array_equal(one.token_probabilities, other.token_probabilities)
            assert one.total_probability == other.total_probability


@pytest.mark.parametrize("decoder", ["exact", "beam"])
def test_the_same_twice_and_in_order(nlp, decoder):
    first, second = (list(parses(nlp, MANY, 6, decoder=decoder)) for _ in range(2))
    assert first == second
    assert [len(one) for one in first] == [6, 3, 1, 6, 6, 6]
    for listed in first:
        scores = [parse.score for parse in listed]
        assert scores == sorted(scores, reverse=True)


def test_spans_are_code_points_behind_an_emoji(nlp):
    (listed,) = parses(nlp, ["🧪 LB"], 50)
    found = {span for parse in listed for span in parse.spans}
    assert {(span.start, span.end) for span in found} == {(0, 1), (2, 4), (0, 4)}


def test_a_text_without_tokens_has_the_empty_analysis(nlp):
    for decoder in ("exact", "beam"):
        assert list(parses(nlp, [""], 4, decoder=decoder)) == [(nbner.Parse(1.0, 0.0, ()),)]
    (known,) = span_probabilities(nlp, [""])
    assert known.token_probabilities.shape == (0, 3)
    (kept,) = lattices(nlp, [""])
    assert kept.k_best(3) == (nbner.Parse(1.0, 0.0, ()),)
    assert (kept.entropy(), kept.probability_of(()), kept.rank_of((), 3)) == (0.0, 1.0, 1)


def test_given_tokens_are_kept(nlp):
    tokens = (Token("Add5", 0, 4, ws=True), Token("ml", 5, 7))
    (known,) = span_probabilities(nlp, [Example("Add5 ml", tokens, pretokenized=True)])
    assert known.token_axis == tokens
    assert known.label_axis == ("A", "B-x", "O")


def test_the_longest_entity_limits_what_is_found_and_not_its_score(nlp):
    (free,), (limited,) = lattices(nlp, [TEXT]), lattices(nlp, [TEXT], max_span_length=2)
    everything = {parse.spans: parse for parse in free.k_best(10_000)}
    short = {parse.spans: parse for parse in limited.k_best(10_000)}
    wanted = {
        spans for spans in everything if all(TEXT[s.start : s.end].count(" ") < 2 for s in spans)
    }
    assert set(short) == wanted
    for spans, parse in short.items():
        assert parse.score == pytest.approx(everything[spans].score)
    mass = sum(parse.probability for parse in short.values())
    assert np.exp(limited.log_total) == pytest.approx(mass)
    (known,) = span_probabilities(nlp, [TEXT], max_span_length=2)
    assert known.total_probability == pytest.approx(mass)
    np.testing.assert_allclose(known.token_probabilities.sum(axis=1), 1.0)


def test_an_entity_that_is_set_before_may_be_longer(nlp, set_before):
    whole = Span(0, len(TEXT), "A")
    set_before(TEXT, lambda doc: doc.set_ents([spacy.tokens.Span(doc, 0, 5, "A")]))
    for longest in (None, 1):
        (listed,) = parses(nlp, [TEXT], 3, max_span_length=longest)
        assert [parse.spans for parse in listed] == [(whole,)]
        assert listed[0].probability == pytest.approx(1.0)


def test_a_temperature_flattens(nlp):
    entropies = [
        next(iter(lattices(nlp, [TEXT], temperature=heat))).entropy() for heat in (0.5, 1.0, 4.0)
    ]
    assert entropies == sorted(entropies)
    assert entropies[0] < entropies[2]


def test_a_gold_analysis_is_found_ranked_and_said_to_be_out_of_reach(nlp):
    (kept,) = lattices(nlp, [TEXT])
    listed = kept.k_best(40)
    for rank in (1, 7, 40):
        spans = listed[rank - 1].spans
        assert kept.rank_of(reversed(spans), 40) == rank
        assert kept.rank_of(spans, rank - 1) is None if rank > 1 else True
        assert kept.probability_of(spans) == pytest.approx(listed[rank - 1].probability)
        log_probability = kept.log_probability_of(spans)
        assert log_probability == pytest.approx(np.log(listed[rank - 1].probability))
    off = Span(1, 3, "A"), Span(0, 3, "Unknown")
    overlapping = (Span(0, 5, "A"), Span(4, 8, "A"))
    for spans in ((off[0],), (off[1],), overlapping):
        assert not kept.is_reachable(spans)
        assert kept.probability_of(spans) == 0
        assert kept.rank_of(spans, 40) is None


def test_what_cannot_be_searched_is_refused_at_once(nlp):
    with pytest.raises(nbner.DataError, match="k=0"):
        parses(nlp, [TEXT], 0)
    with pytest.raises(nbner.DataError, match="no decoder 'greedy'"):
        parses(nlp, [TEXT], 1, decoder="greedy")
    with pytest.raises(nbner.DataError, match="max_span_length=0"):
        lattices(nlp, [TEXT], max_span_length=0)
    for heat in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(nbner.DataError, match="temperature"):
            span_probabilities(nlp, [TEXT], temperature=heat)
    with pytest.raises(nbner.ModelError, match="no entity recognizer"):
        parses(spacy.blank("en"), [TEXT], 1)
    blank = spacy.blank("en")
    blank.add_pipe("ner")
    with pytest.raises(nbner.ModelError, match="not been trained"):
        parses(blank, [TEXT], 1)


def test_a_text_too_long_for_any_length_names_the_way_out(nlp, monkeypatch):
    monkeypatch.setattr(lattice, "MAX_BYTES", 1000)
    with pytest.raises(nbner.DataError, match=r"a text of 12 tokens.*max_span_length=20"):
        list(parses(nlp, [" ".join(["LB"] * 12)], 1))


def test_what_stands_behind_the_recognizer_does_not_run(nlp):
    assert nlp.pipe_names[-1] == "ner"
    later = spacy.blank("en")
    later.add_pipe("ner", source=nlp)
    later.add_pipe("entity_ruler", config={"overwrite_ents": True})
    (plain,), (followed,) = parses(nlp, [TEXT], 5), parses(later, [TEXT], 5)
    assert same(plain, followed)
