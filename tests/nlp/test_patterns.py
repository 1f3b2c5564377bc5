"""Pattern files in Prodigy's format: what they find, and what is wrong in them."""

from __future__ import annotations

import json

import pytest
import spacy

from nbner.errors import DataError
from nbner.nlp.patterns import load_patterns, suggest_with_patterns
from nbner.nlp.pipeline import load_base
from nbner.types import Example, Span

LABELS = ("Food", "Tool")
OIL = {"label": "Food", "pattern": [{"lower": "olive"}, {"lower": "oil"}]}
OLIVE = {"label": "Tool", "pattern": "olive"}


@pytest.fixture
def nlp():
    return load_base("blank:en")


def found(nlp, source, text, *, model=False, spans=()):
    patterns = load_patterns(nlp, source, LABELS)
    [proposed] = suggest_with_patterns(nlp, patterns, [Example(text, spans=spans)], model=model)
    return [(text[s.start : s.end], s.label, s.source, s.extra.get("pattern")) for s in proposed]


def test_token_patterns_and_phrases_each_with_their_source(nlp, tmp_path):
    file = tmp_path / "food.jsonl"
    file.write_text(json.dumps(OIL) + "\n\n" + json.dumps(OLIVE) + "\n", encoding="utf-8-sig")
    assert found(nlp, file, "Olive oil, olive oil") == [
        ("Olive oil", "Food", "food.jsonl", 1),
        ("olive oil", "Food", "food.jsonl", 1),
        ("olive", "Tool", "food.jsonl", 3),
    ]


def test_lines_may_be_given_without_a_file(nlp):
    assert found(nlp, [OLIVE], "an olive") == [("olive", "Tool", "patterns", 1)]


def test_the_longest_match_of_a_repeating_pattern_is_given_alone(nlp):
    pattern = {"label": "Food", "pattern": [{"is_alpha": True, "op": "+"}]}
    assert [one[0] for one in found(nlp, [pattern], "red ripe fig")] == ["red ripe fig"]


def test_offsets_are_code_points(nlp):
    assert [one[0] for one in found(nlp, [OLIVE], "🫒🫒 olive")] == ["olive"]


def test_what_both_say_has_both_sources_and_what_overlaps_is_given_too(nlp):
    came = (Span(0, 9, "Food", source="v3", score=0.8), Span(14, 18, "Tool", source="v3"))
    spans = found(nlp, [OIL, OLIVE], "olive oil and fork", model=True, spans=came)
    assert spans == [
        ("olive oil", "Food", "v3 and patterns", 1),
        ("fork", "Tool", "v3", None),
        ("olive", "Tool", "patterns", 2),
    ]


def test_given_tokens_are_kept(nlp):
    from nbner._common.alignment import tokens_from_words

    text = "oliveoil"
    tokens = tokens_from_words(text, ["olive", "oil"])
    patterns = load_patterns(nlp, [OIL], LABELS)
    [spans] = suggest_with_patterns(
        nlp, patterns, [Example(text, tokens=tokens, pretokenized=True)], model=False
    )
    assert [(s.start, s.end) for s in spans] == [(0, 8)]


def test_patterns_serve_another_pipeline(nlp):
    patterns = load_patterns(nlp, [OIL, OLIVE], LABELS)
    other = spacy.blank("en")
    [spans] = suggest_with_patterns(
        other, patterns.for_pipeline(other), [Example("olive oil")], model=False
    )
    assert [span.label for span in spans] == ["Food", "Tool"]


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        ("{", None, "not JSON"),
        ("[1]", None, "JSON object"),
        ('{"pattern": "a"}', "label", "no label"),
        ('{"label": "Food"}', "pattern", "phrase, or a list"),
        ('{"label": "Food", "pattern": []}', "pattern", "phrase, or a list"),
        ('{"label": "Food", "pattern": " "}', "pattern", "phrase, or a list"),
        ('{"label": "Spice", "pattern": "a"}', "label", "'Spice' is not one of the session's"),
        ('{"label": "Food", "pattern": [{"lowr": "a"}]}', "pattern", "lowr"),
        ('{"label": "Food", "pattern": [{"lower": 3}]}', "pattern", "spaCy does not take"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_field(nlp, tmp_path, line, field, said):
    file = tmp_path / "bad.jsonl"
    file.write_text(json.dumps(OIL) + "\n" + line + "\n")
    with pytest.raises(DataError, match=r"bad\.jsonl, line 2") as caught:
        load_patterns(nlp, file, LABELS)
    assert caught.value.field == field
    assert said in str(caught.value)
    assert caught.value.remedy


def test_a_file_that_is_not_there_or_empty_or_not_text_says_so(nlp, tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load_patterns(nlp, tmp_path / "none.jsonl", LABELS)
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DataError, match="no pattern in it"):
        load_patterns(nlp, tmp_path / "empty.jsonl", LABELS)
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe{")
    with pytest.raises(DataError, match="UTF-8"):
        load_patterns(nlp, tmp_path / "bytes.jsonl", LABELS)
