"""Tags beside words: rows, columns of CoNLL and tables with one word in each row."""

import types

import pandas as pd
import pytest

import nbner
from nbner import DataError, Session

WORDS = ["Mina", "Kovac", "flew", "to", "Oslo"]
TAGS = ["B-PER", "I-PER", "O", "O", "B-LOC"]
WANT = [("Mina Kovac", "PER"), ("Oslo", "LOC")]
CHUNKS = ["B-NP", "I-NP", "B-VP", "B-PP", "B-NP"]
PAIRS = list(zip(WORDS, TAGS, strict=True))


def read(source, **options):
    return [
        [(one.text[span.start : span.end], span.label) for span in one.spans]
        for one in nbner.read(source, **options)
    ]


ROWS = {
    "words and labels": {"words": WORDS, "labels": TAGS},
    "ner_tags": {
        "id": "0",
        "tokens": WORDS,
        "ner_tags": TAGS,
        "pos_tags": ["N", "N", "V", "P", "N"],
    },
    "any keys": {"sentence": WORDS, "target": TAGS},
    "with chunks": {
        "tokens": WORDS,
        "ner": TAGS,
        "chunk": ["B-NP", "I-NP", "B-VP", "B-PP", "B-NP"],
    },
    "text and tags": {"text": "Mina Kovac flew to Oslo", "tags": TAGS},
    "tags in a string": {"text": "Mina Kovac flew to Oslo", "tags": " ".join(TAGS)},
    "tags with commas": {"text": "Mina Kovac flew to Oslo", "tags": ",".join(TAGS)},
    "pairs": {"tokens": [list(one) for one in PAIRS]},
    "token objects": {"tokens": [{"text": word, "ner": tag} for word, tag in PAIRS]},
    "lists as repr": {"tokens": repr(WORDS), "ner_tags": repr(TAGS)},
    "inside": {"id": 3, "data": {"tokens": WORDS, "ner_tags": TAGS}},
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_tags_are_read_whatever_the_keys_are_called(row):
    assert read([row]) == [WANT]


def test_words_with_their_tags_are_a_sentence():
    assert read([PAIRS, [("Ada", "NNP", "B-PER")]]) == [WANT, [("Ada", "PER")]]
    assert read([(WORDS, TAGS)]) == [WANT]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"text": "Ada flew", "tags": ["B-PER"]}, "1 tag"),
        ({"tokens": WORDS, "ner_tags": TAGS[:3]}, "5 tokens and 3 tags"),
        ({"tokens": WORDS, "ner_tags": ["PER", "PER", "O", "O", "LOC"]}, "without B- or I-"),
        ({"tokens": WORDS, "ner_tags": ["PER-B", "PER-I", "O", "O", "LOC-B"]}, "another notation"),
        ({"tokens": WORDS, "ner_tags": [1, 2, 0, 0, 3]}, "which tag the number 1 stands for"),
        ({"tokens": WORDS, "labels": [1, 2, 0, 0, 3]}, "which tag the number 1 stands for"),
        ({"tokens": WORDS, "ner_tags": ["B-PER|B-X", *TAGS[1:]]}, "several layers"),
        ({"text": "Mina", "ner": "B-PER"}, "is a word .'Mina'. with its tag"),
        ({"word": "Mina", "ner": "B-PER"}, "is a word .'Mina'. with its tag"),
    ],
)
def test_tags_that_cannot_be_read_are_named(row, says):
    with pytest.raises(DataError, match=says):
        read([row])


def test_two_lists_of_tags_are_refused_and_one_can_be_chosen():
    row = {"tokens": WORDS, "coarse": TAGS, "fine": ["B-FIRST", "B-LAST", "O", "O", "B-CITY"]}
    with pytest.raises(DataError, match=r"'coarse' and 'fine'.*tag_column='coarse'"):
        read([row])
    assert read([row], tag_column="fine") == [
        [("Mina", "FIRST"), ("Kovac", "LAST"), ("Oslo", "CITY")]
    ]


def dataset(rows, **columns):
    feature = types.SimpleNamespace
    features = {key: feature(feature=feature(names=names)) for key, names in columns.items()}
    return type("Dataset", (list,), {"features": features})(rows)


def test_a_dataset_names_its_numbers_in_any_column():
    names = ["O", "B-PER", "I-PER", "B-LOC"]
    row = {"words": WORDS, "labels": [1, 2, 0, 0, 3], "chunks": [1, 2, 0, 0, 1]}
    assert read(dataset([row], labels=names, chunks=["O", "B-NP", "I-NP"])) == [WANT]
    assert read([row], tag_names=names) == [WANT]
    with pytest.raises(DataError, match="'labels' and 'chunks'"):
        read(dataset([row], labels=names, chunks=names))


def conll(folder, text, name="a.conll"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


GERMEVAL = "1\tTroia\tB-OTH\tB-LOC\n2\tTraum\tI-OTH\tO\n3\tBonn\tB-LOC\tO\n"


def test_two_columns_of_entity_tags_are_refused_and_one_can_be_chosen(tmp_path):
    path = conll(tmp_path, GERMEVAL, "a.tsv")
    with pytest.raises(DataError, match=r"columns 3 and 4 hold entity tags.*tag_column=3"):
        read(path)
    assert read(path, tag_column=3) == [[("Troia Traum", "OTH"), ("Bonn", "LOC")]]
    assert read(path, tag_column=4) == read(path, tag_column=-1) == [[("Troia", "LOC")]]
    session = Session(store=":memory:")
    session.add(path, tag_column=3)
    assert session.examples()[0].answer == "accept"
    with pytest.raises(DataError, match="have no names"):
        read(path, tag_column="outer")


@pytest.mark.parametrize("order", ["{0} {1} {2}", "{0} {2} {1}"])
def test_phrases_are_not_taken_for_entities(tmp_path, order):
    rows = [("Mina", "B-PER", "B-NP"), ("Kovac", "I-PER", "I-NP"), ("flew", "O", "B-VP")]
    path = conll(tmp_path, "\n".join(order.format(*row) for row in rows))
    assert read(path) == [[("Mina Kovac", "PER")]]
    report = Session(store=":memory:").add(path)
    assert report.unread == 1
    assert "holds tags too" in report.frame["reason"][0]


def test_label_studios_conll_is_read(tmp_path):
    path = conll(
        tmp_path, "-DOCSTART- -X- O\nMina -X- _ B-PER\nKovac -X- _ I-PER\nflew -X- _ O\n\n"
    )
    assert read(path) == [[("Mina Kovac", "PER")]]


TABLE = "Sentence #,Word,POS,Tag\nSentence: 1,Mina,N,B-PER\n,Kovac,N,I-PER\n,flew,V,O\n{}"
SECOND = "Sentence: 2,Oslo,N,B-LOC\n,is,V,O\n"


def test_a_table_of_words_is_read_by_sentence(tmp_path):
    path = conll(tmp_path, TABLE.format(SECOND), "a.csv")
    assert read(path) == [[("Mina Kovac", "PER")], [("Oslo", "LOC")]]
    frame = pd.read_csv(path)
    assert read(frame) == read(path)
    first, second = nbner.read(path)
    assert (first.text, second.answer) == ("Mina Kovac flew", "accept")
    assert second.meta == {"Sentence #": "Sentence: 2"}


def test_a_table_of_words_needs_sentences(tmp_path):
    frame = pd.DataFrame({"token": ["Mina", "Kovac"], "label": ["B-PER", "I-PER"]})
    with pytest.raises(DataError, match="no column says which sentence"):
        read(frame)
    frame["sentence_id"] = [1, 2]
    assert read(frame) == [[("Mina", "PER")], [("Kovac", "PER")]]
    path = conll(tmp_path, "word,tag\nMina,B-PER\n\nOslo,B-LOC\n", "a.csv")
    assert read(path) == [[("Mina", "PER")], [("Oslo", "LOC")]]


def test_a_table_with_two_columns_of_tags_is_refused_and_one_can_be_chosen():
    frame = pd.DataFrame(
        {"doc": [1, 1], "word": ["Mina", "flew"], "gold": ["B-PER", "O"], "model": ["B-LOC", "O"]}
    )
    with pytest.raises(DataError, match="'gold' and 'model' hold entity tags"):
        read(frame)
    assert read(frame, tag_column="gold") == [[("Mina", "PER")]]
    assert read(frame, tag_column=4) == [[("Mina", "LOC")]]


def test_a_word_and_its_tag_in_a_tsv_with_a_header_are_no_conll(tmp_path):
    path = conll(
        tmp_path, "sentence_id\tword\ttag\n1\tMina\tB-PER\n1\tKovac\tI-PER\n2\tflew\tO\n", "a.tsv"
    )
    assert read(path) == [[("Mina Kovac", "PER")], []]


def test_tokens_of_a_model_have_their_places_by_offsets():
    tokens = [
        {"text": "[CLS]", "start": 0, "end": 0},
        {"text": "mina", "start": 0, "end": 4},
        {"text": "ko", "start": 5, "end": 7},
        {"text": "##vac", "start": 7, "end": 10},
        {"text": "[SEP]", "start": 0, "end": 0},
    ]
    spans = [{"token_start": 1, "token_end": 3, "label": "PER"}]
    (example,) = nbner.read([{"text": "Mina Kovac", "tokens": tokens, "spans": spans}])
    assert [one.text for one in example.tokens] == ["Mina", "Ko", "vac"]
    assert [(one.start, one.end) for one in example.spans] == [(0, 10)]


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("Mina Kovac", ["[CLS]", "mina", "ko", "##vac", "[SEP]"], ["Mina", "Ko", "vac"]),
        ("Mina Kovac", ["\u2581Mina", "\u2581Ko", "vac", "</s>"], ["Mina", "Ko", "vac"]),
        ("José Ávila", ["jose", "avila"], ["José", "Ávila"]),
    ],
)
def test_pieces_without_offsets_are_found_in_the_text(text, words, found):
    (example,) = nbner.read([{"text": text, "tokens": words}])
    assert [one.text for one in example.tokens] == found


def test_pieces_that_are_not_in_the_text_are_named_as_what_they_are():
    with pytest.raises(DataError, match=r"look like a model's.*offsets"):
        read([{"text": "Mina Kovac", "tokens": ["[CLS]", "mina", "[UNK]", "##x"]}])
    with pytest.raises(DataError, match=r"pieces.*no text"):
        read([{"tokens": ["mina", "ko", "##vac"], "ner_tags": ["B-PER", "I-PER", "I-PER"]}])
    with pytest.raises(DataError, match="'Ada' is written here"):
        read([{"text": "Mina", "tokens": [{"text": "Ada", "start": 0, "end": 4}]}])
