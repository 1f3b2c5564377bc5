"""Rejected spans and single judged spans are learnt from, as spaCy can."""

from nbner.nlp import gold_docs
from nbner.nlp.pipeline import load_base
from nbner.nlp.prediction import predict
from nbner.types import Example, Span

LABELS = ("Action", "Amount", "Reagent")


def wrong(text, *spans, **more):
    return Example(text, spans=spans, **{"answer": "reject", "labels": LABELS, **more})


def test_a_rejected_span_is_wrong_and_all_else_is_missing():
    nlp = load_base("blank:en")
    doc = gold_docs.reference_doc(nlp, wrong("Add water now", Span(4, 9, "Action")), LABELS)
    assert [token.ent_iob for token in doc] == [0, 0, 0]
    assert [(span.text, span.label_) for span in doc.spans[gold_docs.INCORRECT_SPANS_KEY]] == [
        ("water", "Action")
    ]


def test_an_accepted_single_span_is_right_and_all_else_is_missing():
    nlp = load_base("blank:en")
    one = wrong("Add water now", Span(4, 9, "Reagent"), answer="accept", binary=True)
    doc = gold_docs.reference_doc(nlp, one, LABELS)
    assert [token.ent_iob_ for token in doc] == ["", "B", ""]


def test_hints_are_counted_apart_and_tell_data_apart(corpus, dev):
    hint = wrong("Add water", Span(0, 3, "Amount"))
    strange = wrong("Add water", Span(0, 3, "Robot"))
    without = gold_docs.split_corpus(corpus, dev, LABELS, 0)
    found = gold_docs.split_corpus([*corpus, hint, strange, wrong("Add")], dev, LABELS, 0)
    assert found.train == without.train
    assert found.partial_examples == (hint,)
    assert found.fingerprint != without.fingerprint


def test_a_rejected_span_is_unlearnt(run, trained, corpus, tmp_path):
    text = "Add 5 ml of water and wait ."
    (before,) = predict(trained, [text])
    amount = next(span for span in before if span.label == "Amount")
    other = Example("Mix 3 g of salt and wait .", spans=(Span(4, 7, "Amount"),), answer="accept")
    measured = [Example(text, spans=tuple(s for s in before if s != amount), answer="accept")]
    for name, base in (("on", trained), ("new", "blank:en")):
        result = run(
            base,
            [*corpus[:10], other, *[wrong(text, amount)] * 30],
            measured,
            output=tmp_path / name,
            max_steps=60,
        )
        assert result.record["data"]["hints"] == 30
        assert result.nlp.get_pipe("ner").incorrect_spans_key == gold_docs.INCORRECT_SPANS_KEY
        (after,) = predict(result.nlp, [text])
        assert amount not in after
