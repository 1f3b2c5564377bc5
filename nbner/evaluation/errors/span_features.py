"""What can be said of a span without asking the model: the things that errors may depend on."""

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
    """What the training gold holds: how often the same words have been labelled alike.

    Parameters
    ----------
    gold : iterable of Example
        What the model has learnt from.
    """

    def __init__(self, gold: Iterable[Example] = ()) -> None:
        self._counts: Counter[tuple[str, str]] = Counter(
            (normalize(example.text[span.start : span.end]), span.label)
            for example in gold
            for span in example.spans
        )

    def frequency(self, words: str, label: str) -> int:
        """Give the number of training spans with the same words and label; case does not count."""
        return self._counts[normalize(words), label]


def normalize(words: str) -> str:
    """Give words in the form in which they are compared: without case, spaces as one."""
    return " ".join(words.casefold().split())


def count_tokens(tokens: Sequence[Token], span: Span) -> int:
    """Give the number of tokens that a span touches."""
    first = bisect_right(tokens, span.start, key=_END)
    return bisect_left(tokens, span.end, key=_START) - first


def tokens_to_sentence_end(text: str, tokens: Sequence[Token], span: Span) -> int:
    """Give the number of tokens between a span and the end of its sentence.

    A sentence ends with a token such as ``.`` or ``?``, which is not counted,
    at a line break, or with the text.
    """
    first = bisect_left(tokens, span.end, key=_START)
    before = span.end
    for count, token in enumerate(tokens[first:]):
        if token.text in SENTENCE_ENDS or "\n" in text[before : token.start]:
            return count
        before = token.end
    return max(0, len(tokens) - first)


def word_shape(words: str) -> str:
    """Give the kind of a span's letters.

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
