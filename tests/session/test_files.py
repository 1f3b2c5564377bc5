"""Reading and writing of examples without a session."""

import inspect

import pytest
import spacy

import nbner
from nbner import DataError, Example, Session, Span
from nbner.io import formats
from nbner.nlp.pipeline import tokenizer_of

TEXT = "Whisk the eggs with a fork."
GOLD = Example(TEXT, spans=(Span(22, 26, "Tool"),), answer="accept")


def test_values_are_read_as_examples():
    found = nbner.read([TEXT, {"text": TEXT, "spans": [{"start": 22, "end": 26, "label": "Tool"}]}])
    bare, suggested = found
    assert (bare.text, bare.spans, bare.answer) == (TEXT, (), None)
    assert (suggested.spans, suggested.answer) == ((Span(22, 26, "Tool"),), None)


@pytest.mark.parametrize(
    "name", ["gold.jsonl", "gold.json", "gold.csv", "gold.conll", "gold.spacy"]
)
def test_gold_comes_back_from_every_format(tmp_path, name):
    report = nbner.write([GOLD], tmp_path / name)
    (found,) = nbner.read(tmp_path / name)
    assert report.written == 1
    assert (found.spans, found.answer) == ((Span(22, 26, "Tool"),), "accept")
    assert [token.start for token in found.tokens or ()] in ([], [0, 6, 10, 15, 20, 22, 26])


def test_a_format_can_be_named(tmp_path):
    nbner.write([GOLD], tmp_path / "rows.txt", format="huggingface")
    (found,) = nbner.read(tmp_path / "rows.txt", format="huggingface")
    assert [span.label for span in found.spans] == ["Tool"]
    with pytest.raises(DataError, match="no format is called 'xml'"):
        nbner.write([GOLD], tmp_path / "rows.txt", format="xml")


def test_a_tokenizer_of_ones_own_is_used():
    asked = []

    def tokenize(text):
        asked.append(text)
        return tokenizer_of(spacy.blank("de"))(text)

    rows, names = nbner.token_rows([GOLD], tokenize=tokenize)
    assert asked == [TEXT]
    assert rows == nbner.token_rows([GOLD])[0] == nbner.token_rows([GOLD], spacy.blank("en"))[0]
    assert rows[0]["tokens"] == ["Whisk", "the", "eggs", "with", "a", "fork", "."]
    assert [names[tag] for tag in rows[0]["ner_tags"]] == [*["O"] * 5, "B-Tool", "O"]


def test_tokens_that_do_not_fit_are_an_error_with_a_way_out(tmp_path):
    off = Example(TEXT, spans=(Span(23, 26, "Tool"),), answer="accept")
    with pytest.raises(DataError, match="leave_out"):
        nbner.write([off], tmp_path / "gold.conll")
    report = nbner.write([off], tmp_path / "gold.conll", misaligned="leave_out")
    assert (report.written, report.misaligned) == (0, 1)


@pytest.mark.parametrize("method", [nbner.read, Session.add])
def test_the_options_of_reading_are_those_of_the_readers(method):
    """They stand in three signatures, for completion and help; none may lack one."""
    sessions_own = {"texts_only", "labels", "row_errors", "only", "n", "storage_options"}

    def options(function):
        found = inspect.signature(function).parameters.values()
        return {
            one.name: (one.annotation, one.default)
            for one in found
            if one.kind is one.KEYWORD_ONLY
            and one.name not in {*sessions_own, "misaligned", "on_error"}
        }

    assert options(method) == options(formats.read)
