"""What the components that set entities leave as it is: entities of others, blocked tokens."""

from __future__ import annotations

import pytest
from pipeline_strategies import Kind, pipeline
from spacy.tokens import Span as DocSpan

from nbner.decoding.decision.component import add_decision
from nbner.nlp.pipeline import clone_pipeline, load_base
from nbner.reranking.component import Reranker, add_reranker
from nbner.training.crf import train_crf
from nbner.types import Example, Span

TEXT = "Add 5 ml of LB"
LABELS = ("A", "B-x")


def random_field():
    """Return a pipeline whose random field takes every word for an entity."""
    examples = [
        Example(TEXT, spans=tuple(Span(*place, "A") for place in PLACES), answer="accept")
        for _ in range(5)
    ]
    return train_crf(load_base("blank:en"), examples, labels=LABELS)


PLACES = ((0, 3), (4, 5), (6, 8), (9, 11), (12, 14))


def decision():
    nlp = clone_pipeline(pipeline(Kind(seed=7)))
    add_decision(nlp, threshold=0.0, temperature=1.0)
    return nlp


def reranker():
    nlp = clone_pipeline(pipeline(Kind()))
    add_reranker(nlp, Reranker(nlp, width=8, weights={"log rank": 1.0}))
    return nlp


@pytest.fixture(scope="module", params=[random_field, decision, reranker], ids=lambda f: f.__name__)
def component(request):
    """The last component of a pipeline, and a doc on which it sets entities of its own."""
    nlp = request.param()
    return nlp, nlp.pipeline[-1][1]


def entities(doc):
    return [(one.start, one.end, one.label_) for one in doc.ents]


def test_blocked_tokens_stay_blocked_and_free(component):
    nlp, sets = component
    (place, *_) = entities(sets(nlp.make_doc(TEXT)))
    doc = nlp.make_doc(TEXT)
    doc.set_ents([], blocked=[doc[place[0] : place[0] + 1]], default="outside")
    for found in (sets(doc), next(sets.pipe([doc]))):
        token = found[place[0]]
        assert (token.ent_iob_, token.ent_type_) == ("B", "")


def test_entities_of_labels_that_are_not_its_own_stay(component):
    nlp, sets = component
    (place, *_) = entities(sets(nlp.make_doc(TEXT)))
    doc = nlp.make_doc(TEXT)
    rule = DocSpan(doc, place[0], place[0] + 2, label="Tool", kb_id="Q1", span_id="saw")
    doc.set_ents([rule], default="outside")
    for found in (sets(doc), next(sets.pipe([doc]))):
        kept = [one for one in found.ents if one.label_ == "Tool"]
        assert [(one.start, one.end, one.kb_id_, one.id_) for one in kept] == [
            (place[0], place[0] + 2, "Q1", "saw")
        ]


def test_a_rule_with_an_identifier_stays_whatever_its_label(component):
    nlp, sets = component
    (place, *_) = entities(sets(nlp.make_doc(TEXT)))
    other = next(one for one in LABELS if one != place[2])
    doc = nlp.make_doc(TEXT)
    doc.set_ents(
        [DocSpan(doc, place[0], place[0] + 1, label=other, span_id="rule 1")], default="outside"
    )
    assert (place[0], place[0] + 1, other) in entities(sets(doc))


def test_an_entity_that_is_found_again_keeps_its_identifiers(component):
    nlp, sets = component
    (place, *_) = entities(sets(nlp.make_doc(TEXT)))
    doc = nlp.make_doc(TEXT)
    doc.set_ents([DocSpan(doc, *place[:2], label=place[2], kb_id="Q1")], default="outside")
    (found,) = (one for one in sets(doc).ents if one.start == place[0])
    assert (found.label_, found.kb_id_) == (place[2], "Q1")


@pytest.mark.parametrize("make", [decision, reranker], ids=lambda make: make.__name__)
def test_without_the_recognizer_docs_pass_as_they_are(make):
    nlp = make()
    with nlp.select_pipes(disable=["ner"]):
        assert not nlp(TEXT).has_annotation("ENT_IOB")
