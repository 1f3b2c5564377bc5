"""Properties of spans that do not depend on a model: frequency, length, shape and position."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter

from nbner.types import Example, Span, Token

#: Tokens that end a sentence; so does a line break, and the end of the text.
SENTENCE_ENDS = frozenset(".!?\u2026\u3002\uff01\uff1f\u061f\u0964")

_START, _END = attrgetter("start"), attrgetter("end")


class TrainingVocabulary:
    """Counts of the spans of the training data by words and label.

    Parameters
    ----------
    gold : iterable of Example
        The training data.
    """

    def __init__(self, gold: Iterable[Example] = ()) -> None:
        self._counts: Counter[tuple[str, str]] = Counter(
            (normalize(example.text[span.start : span.end]), span.label)
            for example in gold
            for span in example.spans
        )

    def frequency(self, words: str, label: str) -> int:
        """Return the number of training spans with the same words, regardless of case, and label.

        Parameters
        ----------
        words : str
            Text of a span.
        label : str
            Its label.
        """
        return self._counts[normalize(words), label]


def normalize(words: str) -> str:
    """Normalize words for comparison: case folded, whitespace collapsed.

    Parameters
    ----------
    words : str
        Text of a span.
    """
    return " ".join(words.casefold().split())


def count_tokens(tokens: Sequence[Token], span: Span) -> int:
    """Count the tokens that a span overlaps.

    Parameters
    ----------
    tokens : sequence of Token
        Tokens of the text.
    span : Span
        The span.
    """
    first = bisect_right(tokens, span.start, key=_END)
    return bisect_left(tokens, span.end, key=_START) - first


def tokens_to_sentence_end(text: str, tokens: Sequence[Token], span: Span) -> int:
    """Count the tokens between a span and the end of its sentence.

    A sentence ends with a token such as ``.`` or ``?``, which is not counted,
    at a line break, or with the text.

    Parameters
    ----------
    text : str
        The text.
    tokens : sequence of Token
        Its tokens.
    span : Span
        The span.
    """
    first = bisect_left(tokens, span.end, key=_START)
    before = span.end
    for count, token in enumerate(tokens[first:]):
        if token.text in SENTENCE_ENDS or "\n" in text[before : token.start]:
            return count
        before = token.end
    return max(0, len(tokens) - first)


def word_shape(words: str) -> str:
    """Classify words by their letters.

    Parameters
    ----------
    words : str
        Text of a span.

    Returns
    -------
    str
        "no letters", "with digits", "lower", "Title", "UPPER" or "mixed".
        Scripts without case are "mixed".
    """
    has_letter = any(one.isalpha() for one in words)
    if not has_letter:
        return "no letters"
    if any(one.isdigit() for one in words):
        return "with digits"
    for name, holds in (("lower", words.islower()), ("UPPER", words.isupper())):
        # One capital letter alone begins a word.
        if holds and not (name == "UPPER" and len(words) == 1):
            return name
    return "Title" if words.istitle() else "mixed"
