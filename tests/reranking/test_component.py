"""The reranker as a component: what it chooses, and that it comes back from disk."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
from functools import partial
from math import exp, log
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from pipeline_strategies import SET_BEFORE, Kind, pipeline
from spacy.tokens import Span as DocSpan
from spacy.util import registry

from nbner.decoding.api import lattices, parses
from nbner.decoding.decision.span_sets import best_span_set
from nbner.errors import DataError, ModelError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import clone_pipeline
from nbner.reranking.component import Reranker, add_reranker, best_index
from nbner.reranking.ensemble import EnsembleReranker, mean_probabilities, pool_texts
from nbner.reranking.feature_names import name_functions
from nbner.reranking.features import expected_errors, extract_features
from nbner.reranking.fitting import cross_validated_choices, fit_weights, targets_from_errors
from nbner.types import Example, Parse, Span

ROOT = Path(__file__).parents[2]
NLP = spacy.blank("en")
TEXTS = ["Add 5 ml of LB", "LB of Add", "5 ml", "Add", "", "ml of of LB 5 Add ml"]


def reranked(weights, width=8, **more):
    nlp = clone_pipeline(pipeline(Kind()))
    return nlp, add_reranker(nlp, Reranker(nlp, width=width, weights=weights, **more))


def found(doc):
    return tuple(Span(one.start_char, one.end_char, one.label_) for one in doc.ents)


def parse(probability, *spans):
    return Parse(probability, log(probability), tuple(Span(*one) for one in spans))


# What it chooses.


def test_weights_decide_which_analysis_of_the_list_is_set():
    nlp, _ = reranked({"log rank": 1.0}, width=4)
    lists = list(parses(nlp, TEXTS, 4, max_span_length=64))
    for doc, analyses in zip(nlp.pipe(TEXTS), lists, strict=True):
        assert found(doc) == analyses[-1].spans  # the last one has the highest rank
    nlp, _ = reranked({"score": 1.0}, width=4)
    for doc, analyses in zip(nlp.pipe(TEXTS), lists, strict=True):
        assert found(doc) == analyses[0].spans


def test_one_doc_is_decided_as_many_are():
    nlp, _ = reranked({"log rank": 1.0, "A": -2.0})
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS, batch_size=2), strict=True):
        assert found(nlp(text)) == found(doc)


def test_without_weights_the_exact_best_stays():
    nlp, _ = reranked({})
    (analyses,) = parses(nlp, TEXTS[:1], 8)
    assert found(nlp(TEXTS[0])) == analyses[0].spans


def test_entities_set_before_the_recognizer_stay():
    text = "Add LB"
    SET_BEFORE[text] = lambda doc: doc.set_ents(
        [DocSpan(doc, 1, 2, label="New")], default="missing"
    )
    try:
        nlp, _ = reranked({"log rank": 1.0}, width=64)
        assert Span(4, 6, "New") in found(nlp(text))
    finally:
        del SET_BEFORE[text]


def test_features_of_ones_own_count():
    def is_long(doc, one):
        return {"tokens": float(sum(s.end - s.start for s in one.spans)), "size": len(doc)}

    nlp, component = reranked({}, functions=name_functions([is_long]))
    (name,) = component.functions
    component.weights = {f"{name}:tokens": -1.0}
    lists = list(parses(nlp, TEXTS, 8, max_span_length=64))
    for doc, analyses in zip(nlp.pipe(TEXTS), lists, strict=True):
        covered = [sum(s.end - s.start for s in one.spans) for one in analyses]
        assert sum(s.end - s.start for s in found(doc)) == min(covered)
    # What is the same for all analyses of a list tells nothing.
    described = component.features(nlp.make_doc(TEXTS[0]), lists[0])
    assert not any(f"{name}:size" in features for features in described)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "'mine' returned int"),
        ({"n": float("nan")}, "nan for 'n'"),
        ({"n": "many"}, "'many' for 'n'"),
    ],
)
def test_features_that_are_no_numbers_are_refused(value, said):
    doc = NLP.make_doc("add salt")
    one = parse(0.5, (4, 8, "In"))
    with pytest.raises(DataError, match=said):
        extract_features(doc, [one], {"mine": lambda _doc, _parse: value})


# On disk and back.


def test_it_comes_back_with_its_pipeline(tmp_path):
    nlp, _ = reranked({"log rank": 1.0, "is “odd” 成分": -0.5}, width=5)
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert loaded.pipe_names[-2:] == ["ner", "nbner_reranker"]
    component = loaded.get_pipe("nbner_reranker")
    assert (component.width, component.weights) == (
        5,
        {"log rank": 1.0, "is “odd” 成分": -0.5},
    )
    assert [found(doc) for doc in loaded.pipe(TEXTS)] == [found(doc) for doc in nlp.pipe(TEXTS)]
    assert fingerprint(loaded) == fingerprint(nlp) != fingerprint(pipeline(Kind()))


def test_a_pickled_pipeline_reranks_by_its_own_recognizer():
    nlp, _ = reranked({"log rank": 1.0}, width=5)
    expected = [found(doc) for doc in nlp.pipe(TEXTS)]
    copy = pickle.loads(pickle.dumps(nlp))
    del nlp
    gc.collect()
    assert [found(doc) for doc in copy.pipe(TEXTS)] == expected


def test_spacy_alone_finds_it_by_its_entry_point(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("A")
    nlp.initialize()
    add_reranker(nlp, Reranker(nlp, weights={"score": 1.0}))
    nlp.to_disk(tmp_path / "model")
    # As an installation has it, whatever is installed where the tests run.
    point = 'nbner_reranker = "nbner.reranking.component:make_reranker"'
    assert (
        f"[project.entry-points.spacy_factories]\n{point}\n"
        in (ROOT / "pyproject.toml").read_text()
    )
    info = tmp_path / "site" / "nbner_points-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nbner-points\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[spacy_factories]\n" + point.replace('"', "") + "\n")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path / 'site')!r}, {str(ROOT)!r}]; import spacy;"
        f"print(spacy.load({str(tmp_path / 'model')!r}).pipe_names)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['ner', 'nbner_reranker']"


def test_functions_come_back_by_their_registered_names(tmp_path):
    @registry.misc("test_reranker_words.v1")
    def words(doc, one):
        return {"n": len(one.spans)}

    nlp, component = reranked({"test_reranker_words.v1:n": 1.0}, functions=name_functions([words]))
    assert list(component.functions) == ["test_reranker_words.v1"]
    nlp.to_disk(tmp_path / "model")
    assert spacy.load(tmp_path / "model").get_pipe("nbner_reranker").functions == {
        "test_reranker_words.v1": words
    }
    state = component.to_bytes().replace(b"words.v1", b"words.v2")
    with pytest.raises(ModelError, match=r"test_reranker_words\.v2', which is not registered"):
        component.from_bytes(state)


def weigher(factor, seen=None):
    """Return a function that has one qualified name for every factor."""
    return lambda doc, one: {"n": factor * len(one.spans), "seen": float(seen is not None)}


def of_cell(code):
    """Define ``f`` as a notebook's cell does."""
    scope = {"__name__": "test_cells"}
    exec(code, scope)
    return scope["f"]


class Counting:
    def __call__(self, doc, one):
        return {"n": len(one.spans)}


@pytest.mark.parametrize(
    "two",
    [
        lambda: [lambda doc, one: {"n": 1.0}, lambda doc, one: {"n": 2.0}],
        lambda: [weigher(1.0), weigher(2.0)],
        lambda: [weigher(1.0, seen=object()), weigher(1.0, seen=object())],
        lambda: [of_cell(f"def f(doc, one): return {{'n': {n}}}") for n in (1.0, 2.0)],
        lambda: [partial(max, key=len), partial(max, key=id)],
        lambda: [Counting(), Counting()],
    ],
)
def test_functions_of_one_qualified_name_are_told_apart(two):
    first, second = two()
    name, other = name_functions([first, second])
    assert other.rpartition("#")[0] == name.partition("#")[0]
    assert (registry.misc.get(name), registry.misc.get(other)) == (first, second)
    # In calls of their own too: a reranker of the first keeps it.
    assert list(name_functions([second])) == [other]
    assert registry.misc.get(name) is first


def test_a_function_that_is_defined_anew_keeps_its_name():
    (name,) = name_functions([of_cell("def f(doc, one): return {'n': 3.5}")])
    again = of_cell("#\ndef f(doc, one):\n    'A docstring.'\n    return {'n': 3.5}")
    assert name_functions([again]) == {name: again}
    assert registry.misc.get(name) is again
    (one,) = name_functions([weigher(7.0)])
    assert list(name_functions([weigher(7.0)])) == [one]


def test_a_saved_reranker_does_not_take_another_function_of_its_name(tmp_path):
    """As in another process, where a cell defines another function of the name."""
    name, function = "test_reranker_other.v1", weigher(3.0)
    registry.misc(name, func=function)
    nlp, _ = reranked({f"{name}:n": 1.0}, functions=name_functions([function]))
    nlp.to_disk(tmp_path / "model")
    registry.misc(name, func=weigher(3.0))
    assert spacy.load(tmp_path / "model").get_pipe("nbner_reranker").weights
    registry.misc(name, func=weigher(4.0))
    with pytest.raises(ModelError, match=f"was fitted with another feature function '{name}'"):
        spacy.load(tmp_path / "model")
    # What has no code of its own is not compared.
    registry.misc(name, func=Counting())
    assert spacy.load(tmp_path / "model").get_pipe("nbner_reranker").weights


def test_what_cannot_be_a_reranker_names_the_way_out():
    with pytest.raises(DataError, match="holds none"):
        Reranker(NLP, width=0)
    with pytest.raises(DataError, match="is not a function"):
        name_functions(["A"])
    with pytest.raises(DataError, match="given twice"):
        name_functions([expected_errors, expected_errors])
    with pytest.raises(ModelError, match="no entity recognizer"):
        add_reranker(spacy.blank("en"), Reranker(NLP))


def test_a_second_reranker_takes_the_place_of_the_first():
    nlp, _ = reranked({"score": 1.0})
    add_reranker(nlp, Reranker(nlp, width=3, weights={"A": 1.0}))
    assert nlp.pipe_names.count("nbner_reranker") == 1
    assert nlp.get_pipe("nbner_reranker").width == 3


# Features.


def test_features_are_differences_from_the_first():
    doc = NLP.make_doc("add salt and salt to water")
    one = parse(0.5, (4, 8, "In"), (13, 17, "In"))
    other = parse(0.25, (4, 8, "In"), (13, 17, "Out"), (21, 26, "In"))
    first, second = extract_features(doc, [one, other])
    assert first == {}
    assert second["score"] == pytest.approx(log(0.5))
    assert second["log rank"] == pytest.approx(log(2))
    assert second["equal words, different labels"] == 1
    assert second["Out is salt"] == second["In is water"] == second["In after to"] == 1
    assert second["In is salt"] == second["outside water"] == -1
    assert second["In and In"] == -1
    assert "In" not in second  # both have two of them


def test_a_word_labelled_here_and_not_there_is_inconsistent():
    doc = NLP.make_doc("LB broth and LB broth")
    some, every = parse(0.6, (0, 8, "A")), parse(0.4, (0, 8, "A"), (13, 21, "A"))
    _, second = extract_features(doc, [some, every])
    assert second["equal words, not all labelled"] == -1


def test_expected_errors_are_those_by_hand():
    lists = [parse(0.6, (0, 1, "A")), parse(0.2, (0, 1, "A"), (2, 3, "B")), parse(0.2)]
    # P(A) = 0.8 and P(B) = 0.2
    assert expected_errors(lists) == pytest.approx([0.2 + 0.2, 0.2 + 0.8, 0.8 + 0.2])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_ties_go_to_the_first(values):
    described = [{"a": float(value)} for value in values]
    assert best_index(described, {"a": 1.0}) == values.index(max(values))
    assert best_index(described, {}) == 0


# Learning.


def lists_with_a_clue(size):
    """The best candidate is the one with the clue, never the first."""
    lists = [
        [{}, {"score": -1.0, "noise": i % 3 - 1.0}, {"score": -2.0, "clue": 1.0}]
        for i in range(size)
    ]
    return lists, [[1, 2, 0]] * size


def test_a_clue_is_learnt_and_helps_on_lists_that_were_not_learnt_from():
    lists, errors = lists_with_a_clue(60)
    folds = [list(range(number, 60, 3)) for number in range(3)]
    assert cross_validated_choices(lists, errors, folds) == [2] * 60
    assert fit_weights(lists, errors, folds[0]).weights["clue"] > 1
    assert fit_weights(lists, errors, folds[0], l2=7.0).l2 == 7.0


def test_what_a_fold_alone_knows_does_not_decide_it():
    # Each fold has its own clue, so that nothing can be learnt from the others.
    lists = [[{}, {"score": -1.0, f"clue {i % 3}": 1.0}] for i in range(60)]
    folds = [list(range(number, 60, 3)) for number in range(3)]
    chosen = cross_validated_choices(lists, [[1, 0]] * 60, folds)
    only_score = cross_validated_choices([[{}, {"score": -1.0}]] * 60, [[1, 0]] * 60, folds)
    assert chosen == only_score


def test_targets_fall_with_errors():
    found = targets_from_errors([2, 0, 1, 0])
    assert sum(found) == pytest.approx(1)
    assert (
        found[1] == found[3] == pytest.approx(found[2] * exp(1)) == pytest.approx(found[0] * exp(2))
    )


# Several models.

MODELS = [pipeline(Kind(seed=seed)) for seed in (1, 2, 3)]
EXAMPLES = [Example(text) for text in TEXTS]


def test_a_pool_holds_every_list_with_the_mean_of_the_models():
    width = 4
    every = [list(lattices(nlp, EXAMPLES)) for nlp in MODELS]
    for number, pooled in enumerate(pool_texts(MODELS, EXAMPLES, width)):
        views = [one[number] for one in every]
        lists = [{p.spans for p in view.k_best(width)} for view in views]
        assert {one.spans for one in pooled.analyses} == set().union(*lists)
        means = [
            sum(view.probability_of(one.spans) for view in views) / 3 for one in pooled.analyses
        ]
        assert [one.probability for one in pooled.analyses] == pytest.approx(means)
        assert means == sorted(means, reverse=True)
        assert pooled.first_spans == tuple(view.k_best(1)[0].spans for view in views)


def test_a_committee_without_weights_takes_the_likeliest_of_its_pool():
    committee = EnsembleReranker(MODELS, 4)
    pooled = list(pool_texts(MODELS, EXAMPLES, 4))
    assert list(committee.predict(TEXTS)) == [one.analyses[0].spans for one in pooled]
    committee.weights = {"model 2": 1.0}
    for spans, one in zip(committee.predict(TEXTS), pooled, strict=True):
        best = max(range(len(one.log_probabilities)), key=lambda i: one.log_probabilities[i][1])
        assert spans == one.analyses[best].spans


def test_mean_probabilities_count_what_a_model_does_not_know_as_nothing():
    one, other = Span(0, 1, "A"), Span(0, 1, "B")
    assert mean_probabilities([{one: 0.8}, {one: 0.4, other: 0.5}]) == pytest.approx(
        {one: 0.6, other: 0.25}
    )


def test_at_one_half_the_average_takes_what_is_likelier_than_not():
    for one in pool_texts(MODELS, EXAMPLES, 2):
        assert set(best_span_set(one.span_probabilities)) == {
            span for span, p in one.span_probabilities.items() if p > 0.5
        }
