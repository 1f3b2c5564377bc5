"""What counts as gold: complete, missing, left out."""

import pytest
from spacy.tokens import DocBin

from nbner.nlp import gold_docs
from nbner.nlp.pipeline import load_base
from nbner.types import Example, Span, Token

BLANK = load_base("blank:en")
AB = ("A", "B")


def tags(example, labels=AB):
    """Read a gold doc as one letter a token: B and I inside, O outside, - missing."""
    return "".join(
        "-IOB"[token.ent_iob] for token in gold_docs.reference_doc(BLANK, example, labels)
    )


def accepted(text, *spans, **more):
    return Example(text, spans=tuple(spans), answer="accept", **{"labels": AB, **more})


def test_outside_of_its_spans_an_accepted_example_is_certain():
    assert tags(accepted("one two three four", Span(4, 13, "A"))) == "OBIO"


def test_accepting_no_span_says_that_there_is_none():
    assert tags(accepted("one two three")) == "OOO"


def test_neighbours_of_one_label_stay_two():
    doc = gold_docs.reference_doc(BLANK, accepted("one two", Span(0, 3, "A"), Span(4, 7, "A")), AB)
    assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == [(0, 3, "A"), (4, 7, "A")]


def test_offsets_behind_an_emoji_are_code_points():
    doc = gold_docs.reference_doc(BLANK, accepted("👩‍🔬 mixes salt", Span(10, 14, "A")), AB)
    assert [entity.text for entity in doc.ents] == ["salt"]


def test_a_span_off_the_tokens_makes_them_missing():
    assert tags(accepted("one twothree four five", Span(4, 7, "A"), Span(18, 22, "B"))) == "O-OB"


@pytest.mark.parametrize("start", [3, 4])
def test_a_span_that_begins_with_whitespace_makes_its_tokens_missing(start):
    assert tags(accepted("one  two three", Span(start, 8, "A"))) == "O--O"


def test_what_could_not_be_labelled_is_missing():
    example = accepted("one two three", Span(4, 7, "A"))
    assert tags(example, labels=("A", "B", "C")) == "-B-"


def test_an_answer_that_does_not_tell_its_labels_knew_them_all():
    example = Example("one two", spans=(Span(0, 3, "A"),), answer="accept", labels=None)
    assert tags(example, labels=("A", "B", "C")) == "BO"


def test_only_labels_that_can_be_learnt_make_something_missing():
    old = accepted("one two", Span(0, 3, "A"))
    corpus = gold_docs.split_corpus([old], [old], ("A", "B", "C"), seed=0)
    assert corpus.labels == ("A",)
    assert corpus.missing_label_count == 0
    new = Example("one two", spans=(Span(0, 3, "C"),), answer="accept", labels=("A", "B", "C"))
    corpus = gold_docs.split_corpus([old, new], [old], ("A", "B", "C"), seed=0)
    assert corpus.labels == ("A", "C")
    assert corpus.missing_label_count == 1


@pytest.mark.parametrize(
    "more", [{"answer": "reject"}, {"answer": "ignore"}, {"answer": None}, {"binary": True}]
)
def test_only_complete_answers_are_gold(more):
    good = accepted("one two", Span(0, 3, "A"))
    other = Example("three", **{"spans": (Span(0, 5, "A"),), "answer": "accept", **more})
    corpus = gold_docs.split_corpus([good, other], [good, other], AB, seed=0)
    assert corpus.train == corpus.dev == (good,)


@pytest.mark.parametrize("seed", range(20))
def test_both_parts_of_a_held_out_corpus_hold_entities(seed):
    rare = [accepted(f"{i} two", *([Span(0, 1, "A")] * (i < 2))) for i in range(10)]
    corpus = gold_docs.split_corpus(rare, [], AB, seed)
    assert sorted(one.text for one in (*corpus.train, *corpus.dev)) == sorted(
        one.text for one in rare
    )
    assert any(one.spans for one in corpus.train)
    assert any(one.spans for one in corpus.dev)


def test_dev_examples_without_an_entity_are_not_measured_on():
    full = [accepted(f"{i} two", Span(0, 1, "A")) for i in range(5)]
    corpus = gold_docs.split_corpus(full, [accepted("nothing")], AB, seed=0)
    assert corpus.dev_source == "held out, 1 of 5, since the dev examples hold no entity"


def test_the_fingerprint_tells_data_apart():
    one, other = accepted("one two", Span(0, 3, "A")), accepted("one two", Span(4, 7, "A"))
    prints = {
        gold_docs.split_corpus([x], [y], AB, 0).fingerprint
        for x in (one, other)
        for y in (one, other)
    }
    assert len(prints) == 4


def test_written_gold_is_read_back_as_it_was(tmp_path):
    words = (("E.", 0), ("coli", 3), ("1-5", 8), ("ml", 12))
    given = Example(
        "E. coli 1-5 ml",
        tuple(Token(word, start, start + len(word), ws=True) for word, start in words),
        (Span(0, 7, "A"), Span(8, 14, "B")),
        "accept",
        pretokenized=True,
    )
    loose = accepted("one twothree", Span(4, 7, "A"))
    pairs = gold_docs.training_examples(BLANK, [given, loose], AB)
    gold_docs.write_docbin(pairs, tmp_path / "train.spacy")
    docs = list(DocBin().from_disk(tmp_path / "train.spacy").get_docs(BLANK.vocab))
    assert [[token.text for token in doc] for doc in docs] == [
        ["E.", "coli", "1-5", "ml"],
        ["one", "twothree"],
    ]
    for doc, pair in zip(docs, pairs, strict=True):
        assert [(t.ent_iob, t.ent_type_) for t in doc] == [
            (t.ent_iob, t.ent_type_) for t in pair.reference
        ]


# Labels that only the pipeline has.


def pipeline(*spans, labels=("B", "C")):
    return gold_docs.PipelineAnnotations(labels, {"one two three": spans})


def test_labels_of_the_pipeline_that_no_answer_could_give_are_missing():
    example = accepted("one two three", Span(0, 3, "A"), labels=("A",))
    doc = gold_docs.reference_doc(BLANK, example, ["A"], pipeline=pipeline())
    assert ["-IOB"[token.ent_iob] for token in doc] == ["B", "-", "-"]
    known = pipeline(labels=("A",))
    doc = gold_docs.reference_doc(BLANK, example, ["A"], pipeline=known)
    assert ["-IOB"[token.ent_iob] for token in doc] == ["B", "O", "O"]


def test_a_label_that_was_not_given_is_listed_as_incorrect_outside_of_the_gold():
    example = accepted("one two three", Span(0, 3, "A"), labels=("A", "D"))
    found = pipeline(Span(4, 13, "D"), Span(4, 7, "B"))
    doc = gold_docs.reference_doc(BLANK, example, ["A"], pipeline=found)
    wrong = {(one.text, one.label_) for one in doc.spans[gold_docs.INCORRECT_SPANS_KEY]}
    texts = {"two", "three", "one two", "two three", "one two three"}
    assert wrong == {(text, "A") for text in texts}
    # What the pipeline finds is ruled out too, whatever its length, if the label was allowed.
    doc = gold_docs.reference_doc(BLANK, example, ["A", "D"], pipeline=found)
    wrong = {(one.text, one.label_) for one in doc.spans[gold_docs.INCORRECT_SPANS_KEY]}
    assert wrong == {(text, label) for text in texts for label in "AD"} | {("one", "D")}


def test_incorrect_spans_are_few_and_depend_on_the_text_alone():
    text = " ".join(f"word{i}" for i in range(300))
    example = accepted(text, Span(0, 5, "A"), labels=("A",))
    docs = [gold_docs.reference_doc(BLANK, example, ["A"], pipeline=pipeline()) for _ in range(2)]
    wrong = [[(one.start, one.end) for one in doc.spans["nbner_wrong"]] for doc in docs]
    assert 190 <= len(wrong[0]) <= 200
    assert wrong[0] == wrong[1]


def test_a_span_off_the_tokens_rules_nothing_out():
    example = accepted("one two three", Span(0, 6, "A"), labels=("A",))
    doc = gold_docs.reference_doc(BLANK, example, ["A"], pipeline=pipeline())
    assert [one.text for one in doc.spans[gold_docs.INCORRECT_SPANS_KEY]] == ["three"]


def test_in_evaluation_only_the_pipelines_own_spans_are_missing():
    example = accepted("one two three", Span(0, 3, "A"), labels=("A",))
    (pair,) = gold_docs.training_examples(
        BLANK, [example], ["A"], pipeline=pipeline(Span(4, 7, "B")), for_evaluation=True
    )
    assert ["-IOB"[token.ent_iob] for token in pair.reference] == ["B", "-", "O"]
    assert gold_docs.INCORRECT_SPANS_KEY not in pair.reference.spans
