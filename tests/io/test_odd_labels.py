"""Labels with characters that some format lives by: they come back, or are refused in words."""

import pytest

from nbner import DataError, Example, Span
from nbner.io.formats import read, write
from nbner.io.rows import example_from_row
from nbner.types import Token

pytestmark = pytest.mark.slow  # a store on disk for each of many files

LABELS = [
    *("a\tb", "a\nb", "a\r\nb", '"', "it's", "B-ORG", "-", "a b", "a,b", "a;b", ";DROP TABLE x;--"),
    *("🧪", "é", "<b>", "{}", "[1]", "#", "T1", "O", "\\n", "水", "a\u2028b", "\u202eb"),
]
TEXT = "Add 5 ml of LB broth"
TOKENS = tuple(
    Token(word, TEXT.index(word), TEXT.index(word) + len(word), ws=word != "broth")
    for word in TEXT.split(" ")
)
PLACES = [("a.jsonl", None), ("a.json", None), ("a.csv", None), ("a.tsv", None), ("a.conll", None)]
PLACES += [("a.spacy", None), ("a.ann", None), ("folder", None), ("a.jsonl", "huggingface")]
#: Formats whose lines or words a label must keep to; all others carry any.
PARTIAL = {"a.conll", "a.ann", "folder"}


@pytest.mark.parametrize(("name", "format_"), PLACES)
@pytest.mark.parametrize("label", LABELS)
def test_a_label_comes_back_from_a_file_or_is_refused(tmp_path, name, format_, label):
    given = Example(
        TEXT, TOKENS, (Span(4, 8, label), Span(12, 20, "ORG")), answer="accept", pretokenized=True
    )
    path = tmp_path / name
    refusal = None
    try:
        write([given], path, format=format_)
    except DataError as error:
        refusal = str(error)
    if refusal is not None:
        assert name in PARTIAL
        assert label in refusal or repr(label) in refusal
        assert not path.exists() or not any(path.iterdir())
        return
    (again,) = [example_from_row(row) for row in read(path, format=format_)]
    assert again.spans == given.spans
    assert again.text == TEXT


def test_labels_come_back_from_the_store(dataset, add, give):
    add(
        [
            {"text": f"Add {n}", "spans": [{"start": 0, "end": 3, "label": label}]}
            for n, label in enumerate(LABELS)
        ]
    )
    for label, example in zip(LABELS, list(dataset.examples()), strict=True):
        assert example.spans == (Span(0, 3, label),)
        give(dataset, example, spans=[(0, 3, label)])
    kept = [example.spans for example in dataset.examples(answer="accept")]
    assert kept == [(Span(0, 3, label),) for label in LABELS]
    assert dataset.labels == tuple(LABELS)
