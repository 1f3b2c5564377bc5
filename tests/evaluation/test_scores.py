"""Counting spans: by hand, and as spaCy's Scorer counts."""

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from span_strategies import corpora, spans

from nbner.evaluation.scores import PRF, SCHEMES, SchemeCounts, count_schemes, score
from nbner.types import Span

NLP = spacy.blank("en")
NLP.add_pipe("ner")  # its scorer is the one for entities
SCORER = Scorer(NLP)


def test_an_overlap_of_less_than_a_hundredth_is_none():
    predicted = [Span(0, 10, "A")]
    assert count_schemes([Span(9, 109, "A")], predicted)["partial"].partial == 1
    assert count_schemes([Span(9, 110, "A")], predicted)["partial"].partial == 0


def pair_of_docs(gold, predicted):
    words = ["x"] * max([1, *(span.end for span in (*gold, *predicted))])
    docs = []
    for side in (predicted, gold):
        doc = Doc(NLP.vocab, words=words)
        doc.set_ents([spacy.tokens.Span(doc, s.start, s.end, label=s.label) for s in side])
        docs.append(doc)
    return Example(*docs)


@given(corpora())
def test_exact_scores_equal_those_of_spacy(corpus):
    gold, predicted = zip(*corpus, strict=True)
    theirs = SCORER.score([pair_of_docs(g, p) for g, p in corpus])
    ours = score(gold, predicted)
    if ours.exact.f is None:
        assert theirs["ents_f"] is None
        return
    assert ours.exact.f == pytest.approx(theirs["ents_f"])
    assert (ours.exact.precision or 0.0) == pytest.approx(theirs["ents_p"])
    assert (ours.exact.recall or 0.0) == pytest.approx(theirs["ents_r"])
    per_label = theirs["ents_per_type"]
    assert ours.per_label.keys() == per_label.keys()
    for label, counts in ours.per_label.items():
        assert counts.f == pytest.approx(per_label[label]["f"])


@given(corpora())
def test_strict_and_exact_spans_agree(corpus):
    gold, predicted = zip(*corpus, strict=True)
    measured = score(gold, predicted)
    assert measured.schemes["strict"].correct == measured.exact.tp
    assert measured.schemes["strict"].f == measured.exact.f


@given(corpora())
def test_every_span_is_counted_once(corpus):
    gold, predicted = zip(*corpus, strict=True)
    measured = score(gold, predicted)
    for matches in measured.schemes.values():
        assert matches.possible == measured.exact.support == sum(map(len, gold))
        assert matches.actual == measured.exact.predicted == sum(map(len, predicted))


@given(corpora())
def test_counts_add_up_over_examples(corpus):
    gold, predicted = zip(*corpus, strict=True)
    whole = score(gold, predicted)
    parts = [score([g], [p]) for g, p in corpus]
    assert whole.exact == sum((part.exact for part in parts), PRF())
    for scheme in SCHEMES:
        assert whole.schemes[scheme] == sum((p.schemes[scheme] for p in parts), SchemeCounts())


@given(spans(), st.randoms(use_true_random=False))
def test_the_order_of_spans_does_not_matter(side, random):
    shuffled = random.sample(side, len(side))
    assert count_schemes(shuffled, side[::-1]) == count_schemes(side, side)


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([Span(0, 2, "A")], [Span(0, 2, "A")], ("correct",) * 4),
        ([Span(0, 2, "A")], [Span(0, 2, "B")], ("incorrect", "correct", "correct", "incorrect")),
        ([Span(0, 2, "A")], [Span(0, 3, "A")], ("incorrect", "incorrect", "partial", "correct")),
        ([Span(0, 2, "A")], [Span(1, 3, "B")], ("incorrect", "incorrect", "partial", "incorrect")),
        ([Span(0, 2, "A")], [], ("missed",) * 4),
        ([], [Span(0, 2, "A")], ("spurious",) * 4),
    ],
)
def test_one_pair_under_each_scheme(gold, predicted, expected):
    found = count_schemes(gold, predicted)
    for scheme, kind in zip(SCHEMES, expected, strict=True):
        assert found[scheme] == SchemeCounts(**{kind: 1}), scheme


def test_neighbours_do_not_overlap():
    assert count_schemes([Span(0, 2, "A")], [Span(2, 4, "A")])["partial"] == SchemeCounts(
        missed=1, spurious=1
    )


def test_what_cannot_be_counted_is_none():
    nothing = score([[]], [[]]).exact
    assert (nothing.precision, nothing.recall, nothing.f) == (None, None, None)
    missed = score([[Span(0, 1, "A")]], [[]]).exact
    assert (missed.precision, missed.recall, missed.f) == (None, 0.0, 0.0)
    invented = score([[]], [[Span(0, 1, "A")]]).exact
    assert (invented.precision, invented.recall, invented.f) == (0.0, None, 0.0)


def test_labels_stand_in_the_order_asked_for():
    measured = score([[Span(0, 1, "Z"), Span(1, 2, "B")]], [[]], labels=("C", "B"))
    assert list(measured.per_label) == ["C", "B", "Z"]
    assert measured.per_label["C"].f is None


def test_a_label_that_could_not_be_given_counts_neither_way():
    gold = [[Span(0, 1, "A")], [Span(0, 1, "A")]]
    predicted = [[Span(0, 1, "A"), Span(2, 3, "New")]] * 2
    measured = score(gold, predicted, allowed_labels=[("A",), None])
    assert measured.left_out == 1
    assert measured.exact == PRF(tp=2, fp=1)
    assert measured.schemes["partial"].spurious == 1


def test_sides_of_unequal_length_are_an_error():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        score([[]], [[], []])
