"""Names of annotated files in formats that are not read, and the way to one that is."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from nbner.io.files import read_head

_ROWS = '{"text": "...", "spans": [{"start": 0, "end": 4, "label": "PER"}]}'
_INLINE = (
    f"Take the marks out and give the offsets of what they enclose: one row for each text, {_ROWS}"
)
_TAGS = "Write one word and its tag, such as B-PER, I-PER or O, on each line, with a tab between"
_RASA = (
    "Convert it: rasa data convert nlu -f json --data nlu.yml --out nlu.json; then "
    "session.add(json.load(open('nlu.json'))['rasa_nlu_data']['common_examples'])"
)
_FORMATS: tuple[tuple[str, str, str], ...] = (
    ("a file of WebAnno (TSV 3)", r"\A#FORMAT=WebAnno", 'Export it as "CoNLL 2002"'),
    (
        "CoNLL-2012, with names in brackets",
        r"^#begin document",
        f"{_TAGS}: (PERSON* is B-PERSON, the * behind it I-PERSON, and a * outside O",
    ),
    (
        "CoNLL-U whose entities stand in the column MISC",
        r"^\d+\t.*\b(?:NE|NER|Entity)=",
        f"{_TAGS}; the MISC column has them as NE=B-PER or Entity=(PER",
    ),
    ("CoNLL-U Plus", r"^# global\.columns", _TAGS),
    (
        "UIMA's XMI",
        r"<xmi:XMI|xmlns:cas=",
        (
            "Read it with dkpro-cassis: {'text': cas.sofa_string, 'spans': [{'start': one.begin, "
            "'end': one.end, 'label': one.value} for one in cas.select('NamedEntity')]}"
        ),
    ),
    ("GATE's XML", r"<GateDocument|<TextWithNodes", "Save it from GATE as JSON (bdocjs)"),
    (
        "BioC's XML",
        r"BioC\.dtd|<passage\b|<collection\b",
        f"Give one row for each passage, offsets less those of the passage: {_ROWS}",
    ),
    ("TEI", r"<TEI\b|tei-c\.org", _INLINE),
    ("text with SGML marks (MUC)", r"<(?:ENAMEX|NUMEX|TIMEX)\b", _INLINE),
    ("OpenNLP's training data", r"<START(?::\S+)?>", _INLINE),
    (
        "HTML",
        r"<!DOCTYPE html|<html\b|<body\b",
        "Take the text out of it, with its spans: " + _ROWS,
    ),
    ("XML", r"\A\s*<\?xml", _INLINE),
    ("Rasa's training data", r"^nlu:\s*$|^\s*##\s*(?:intent|synonym|lookup):", _RASA),
    (
        "PubTator",
        r"^\d+\|[at]\|",
        f"Give one row for each document, its title and abstract joined: {_ROWS}",
    ),
    (
        "YAML",
        r"^\s*-?\s*(?:text|entities|spans|annotations):",
        "Add what it holds: session.add(yaml.safe_load(open(path)))",
    ),
    (
        "words and tags with another mark between them than a tab or a space",
        r"^\S+[|/;,_](?:O|[BIESLU]-\w+)(?:\s|$)",
        _TAGS,
    ),
    (
        "a list of spans, of which the texts are in another file",
        r"\A(?:T?\d+\s+[A-Za-z]\w*\s+\d+\s+\d+\b.*\n?)+",
        f"Give one row for each text: {_ROWS}",
    ),
)


def name_format(path: Path, encoding: str | None) -> tuple[str, str] | None:
    """Return the name of a format that is not read, and the way to one that is.

    Parameters
    ----------
    path : Path
        A text file.
    encoding : str, optional
        Its encoding; UTF-8 by default.
    """
    head = codecs.decode(read_head(path), encoding or "utf-8", "replace").removeprefix("\ufeff")
    for name, pattern, remedy in _FORMATS:
        if re.search(pattern, head, re.MULTILINE | re.IGNORECASE):
            return name, remedy
    return None
