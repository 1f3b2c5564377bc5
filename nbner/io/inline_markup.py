"""Entities that are marked inside of a text: XML, SGML, brackets, tags behind the words.

Such a text holds its annotations, and would become an example without spans.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from nbner.errors import DataError
from nbner.io.iob import is_tag
from nbner.io.label_keys import COMMON_LABELS
from nbner.io.rows import Row

_REMEDY = (
    "Take the marks out and give what they enclose as spans: "
    '{"text": "Mina flew", "spans": [{"start": 0, "end": 4, "label": "PER"}]}; texts that are '
    'meant as they stand are added with spans_key="spans"'
)
_SHOWN = 40  # characters of a mark in a message

# Elements of HTML, SVG and MathML that texts hold without being annotated.
_HTML = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "address",
        "article",
        "aside",
        "b",
        "base",
        "bdi",
        "bdo",
        "big",
        "blockquote",
        "body",
        "br",
        "button",
        "canvas",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "data",
        "dd",
        "del",
        "details",
        "dfn",
        "dir",
        "div",
        "dl",
        "dt",
        "em",
        "embed",
        "fieldset",
        "figcaption",
        "figure",
        "font",
        "footer",
        "form",
        "frame",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hr",
        "html",
        "i",
        "iframe",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
        "legend",
        "li",
        "link",
        "main",
        "map",
        "mark",
        "math",
        "menu",
        "meta",
        "nav",
        "object",
        "ol",
        "option",
        "output",
        "p",
        "param",
        "path",
        "picture",
        "pre",
        "progress",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "script",
        "section",
        "select",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "style",
        "sub",
        "summary",
        "sup",
        "svg",
        "table",
        "tbody",
        "td",
        "template",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "time",
        "title",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "video",
        "wbr",
        "xml",
        "text",
    ]
)
_NAMES = "|".join(sorted((one.upper() for one in COMMON_LABELS), key=len, reverse=True))
_TAG = rf"(?:[BIESLU]-)?(?:{_NAMES})"

_ELEMENT = re.compile(r"<([A-Za-z][\w.-]*)(\s[^<>]*)?>([^<>\n]{1,200})</\1\s*>")
_ENTITY_ATTRIBUTE = re.compile(
    r"\bdata-(?:entity|ent|label|ner|type)[\w-]*\s*=|\bclass\s*=\s*[\"']?[^\"'>]*\b(?:entity|ner|ent)\b",
    re.IGNORECASE,
)
_ATTRIBUTED = re.compile(r"<[A-Za-z][\w.-]*(\s[^<>]*)>")
_DISPLACY = re.compile(r"<mark\b[^<>]*>[^<>]*<span\b[^<>]*>[^<>]*</span>", re.IGNORECASE)
_OPEN_NLP = re.compile(r"<START(?::\S+?)?>.*?<END>", re.DOTALL)
_RASA = re.compile(
    r"(?<!\w)\[([^\[\]]*[^\W\d_][^\[\]]*)\](?:\(((?!mailto:)[A-Za-z][\w-]+(?::(?!//)[^()]*)?)\)|\{\s*\"entity\")"
)
_LABEL_FIRST = re.compile(rf"\[{_TAG}[ :|]\s*[^\[\]]+\]")
_LABEL_LAST = re.compile(rf"[\[{{][^\[\]{{}}]+[:|/]\s*{_TAG}\s*[\]}}]|\[[^\[\]]+\]\s?{_TAG}\b")
_PUBTATOR = re.compile(r"\d+\|[at]\|")
_AT_SIGNS = re.compile(r"@@[^@#\n]{1,100}##")
_TAGGED_WORD = re.compile(r"\S+[/|_,;\t]([A-Z][\w-]*)")
# Only a tab tells a word outside of all entities from a word with a comma or "&amp;" before an "O".
_TAG_LINE = re.compile(
    r"[^\s,;|]+(?:\t|,|;|\|)(?:\S+(?:\t|,|;|\|))*[BIESLU]-[A-Za-z]\S*|[^\s,;|]+\t(?:\S+\t)*O"
)
_OUTSIDE_WORD = re.compile(r"[^\s,;|]+[,;|/_]O")
_TAGGED_WORDS = "words with their tags"
# Most texts have none of these characters, and need no further look.
_ANY_MARK = re.compile(r"[<\[{@|/\t_]")
_TAG_STARTS = ("O ", "B-", "I-", "U-", "S-")


@dataclass(frozen=True, slots=True)
class _Notation:
    name: str
    marks: tuple[str, ...]  # one of them is in every text in this notation
    find: Callable[[str], str | None]


def check_inline(row: Row) -> None:
    """Raise where a row has no spans, and its text marks entities.

    Parameters
    ----------
    row : Row
        A row of any reader.

    Raises
    ------
    DataError
        It names the notation and shows the first mark.
    """
    if row.spans:
        return
    found = find_inline(row.text)
    if found is not None:
        raise _error(row, *found)


def is_outside_word(row: Row) -> bool:
    """Return whether a text is one word with the tag "O" behind it, as in ``Berlin,O``.

    One such text may be meant as it stands. Where several follow each other, they are
    the words of a sentence without entities: see `outside_word_error`.

    Parameters
    ----------
    row : Row
        A row of any reader.
    """
    return _OUTSIDE_WORD.fullmatch(row.text.strip()) is not None


def outside_word_error(row: Row) -> DataError:
    """Return the error of a word with its tag that stands beside others.

    Parameters
    ----------
    row : Row
        The row of the word.
    """
    return _error(row, _TAGGED_WORDS, row.text)


def _error(row: Row, name: str, mark: str) -> DataError:
    shown = mark if len(mark) <= _SHOWN else f"{mark[:_SHOWN]}..."
    return row.location.error(
        f"the text marks entities inside of itself, as {name}: {shown!r}",
        field="text",
        remedy=_REMEDY,
    )


def find_inline(text: str) -> tuple[str, str] | None:
    """Return the notation in which a text marks entities, and the first mark.

    Parameters
    ----------
    text : str
        Any text. Elements of HTML and links of Markdown are no entities.
    """
    if _ANY_MARK.search(text) is None and " " in text and text[:2] not in _TAG_STARTS:
        return None
    for notation in _NOTATIONS:
        if any(mark in text for mark in notation.marks):
            found = notation.find(text)
            if found is not None:
                return notation.name, found
    return None


def _element(text: str) -> str | None:
    for one in _ELEMENT.finditer(text):
        # Elements in capitals are labels unless HTML has them; others are short.
        if one[1].lower() not in _HTML and (one[1].isupper() or len(one[3]) <= 80):
            return one[0]
    for one in _ATTRIBUTED.finditer(text):
        if _ENTITY_ATTRIBUTE.search(one[1]):
            return one[0]
    return _searched(_DISPLACY)(text)


def _searched(*patterns: re.Pattern[str]) -> Callable[[str], str | None]:
    def find(text: str) -> str | None:
        found = next((one for pattern in patterns if (one := pattern.search(text))), None)
        return None if found is None else found[0]

    return find


def _tagged_words(text: str) -> str | None:
    """Find words that all have a tag behind them, some of them O or B-ORG."""
    words = text.split(None, 400)[:400]
    if len(words) < 2:
        return text if _TAG_LINE.fullmatch(text.strip()) else None
    found = [_TAGGED_WORD.fullmatch(word) for word in words]
    tags = [one[1] for one in found if one is not None]
    if len(tags) < len(words):
        return _line_of_tags(words) or (text if _TAG_LINE.fullmatch(text.strip()) else None)
    is_certain = "O" in tags or any(tag[:2] in ("B-", "I-") for tag in tags)
    return words[0] if is_certain else None


def _line_of_tags(words: list[str]) -> str | None:
    is_certain = any(word[:2] == "B-" for word in words)
    return " ".join(words[:4]) if is_certain and all(map(is_tag, words)) else None


def _pubtator(text: str) -> str | None:
    found = _PUBTATOR.match(text)
    return None if found is None else text


_NOTATIONS = (
    _Notation("PubTator lines", ("|t|", "|a|"), _pubtator),
    _Notation("OpenNLP's <START:label> words <END>", ("<START",), _searched(_OPEN_NLP)),
    _Notation("elements of XML or SGML", ("</", "data-", "class="), _element),
    _Notation("Rasa's [words](label)", ("](", "]{"), _searched(_RASA)),
    _Notation("words in brackets with a label", ("[", "{"), _searched(_LABEL_FIRST, _LABEL_LAST)),
    _Notation("@@words##", ("@@",), _searched(_AT_SIGNS)),
    _Notation(
        _TAGGED_WORDS,
        ("/O", "|O", "_O", ",O", ";O", "\tO", "B-", "I-"),
        _tagged_words,
    ),
)
