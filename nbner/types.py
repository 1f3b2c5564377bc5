"""Plain frozen values that every room speaks.

All character offsets are Unicode code points (Python string indices), half-open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

AnswerKind: TypeAlias = Literal["accept", "reject", "ignore"]
ANSWER_KINDS: tuple[AnswerKind, ...] = ("accept", "reject", "ignore")

#: Annotator under whose name gold that came with a file is stored.
IMPORT_ANNOTATOR = "import"


class Token(NamedTuple):
    """One token of a text; a tuple, because there are so many of them.

    Parameters
    ----------
    text : str
        The token's own characters.
    start, end : int
        Code points, half-open; ``example.text[start:end] == text``.
    ws : bool
        Whether a single space follows, as in spaCy's ``Token.whitespace_``.
    """

    text: str
    start: int
    end: int
    ws: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of text.

    Equality and hashing look at ``start``, ``end`` and ``label`` alone: where a
    span came from does not make it another span.

    Parameters
    ----------
    start, end : int
        Code points, half-open.
    label : str
    source : str, optional
        Who proposed it: a model's fingerprint, a pattern file, a tool's name.
    score : float, optional
        The proposer's confidence, between 0 and 1.
    extra : mapping
        Keys of a file that nbner does not know; they survive a round trip.
    """

    start: int
    end: int
    label: str
    source: str | None = field(default=None, compare=False)
    score: float | None = field(default=None, compare=False)
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Example:
    """One text with what is known of it.

    ``answer is None`` means nobody has decided yet; ``spans`` are then
    suggestions, if there are any. An answered example's ``spans`` are exactly
    the spans that were shown when it was decided.

    Parameters
    ----------
    text : str
    tokens : tuple of Token
        Given with the text, or made by the pipeline's tokenizer.
    spans : tuple of Span
        Sorted by start, not overlapping.
    answer : {"accept", "reject", "ignore"}, optional
    flagged : bool
    note : str
    meta : mapping
        The user's own columns.
    split : str
        "train", "dev", "test" or any name of the user's.
    input_hash : int
        Signed 32 bits, unique in a dataset's split.
    labels : tuple of str, optional
        The labels that could be given when the example was answered. A label
        outside is *missing* there, not *absent*. None where nobody answered.
    annotator : str, optional
        Who gave the current answer.
    pretokenized : bool
        True where the tokens came with the text; the pipeline then keeps them.
    binary : bool
        The answer judges the proposed spans alone, not the whole text: it is
        never complete gold.
    created : float, optional
        When the current answer was given; seconds since the epoch, UTC.
    extra : mapping
        Keys of a file that nbner does not know; they survive a round trip.
    """

    text: str
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    spans: tuple[Span, ...] = ()
    answer: AnswerKind | None = None
    flagged: bool = False
    note: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)
    split: str = "train"
    input_hash: int = 0
    labels: tuple[str, ...] | None = field(default=None, repr=False)
    annotator: str | None = None
    pretokenized: bool = False
    binary: bool = False
    created: float | None = field(default=None, compare=False)
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One event: what an annotator said about an example, at one moment.

    Parameters
    ----------
    id : str
        Unique for ever; an id is applied once.
    input_hash : int
        The example it speaks of.
    split : str
        The split that example belongs to.
    annotator : str
    answer : {"accept", "reject", "ignore"}, optional
        None takes an earlier decision back and keeps the spans as a draft.
    spans : tuple of Span
        The spans that were shown.
    flagged : bool
    note : str
    labels : tuple of str
        The labels that could be given at that moment.
    created : float
        Seconds since the epoch, UTC.
    extra : mapping
        What else is worth keeping: the model that made the suggestions, the
        seconds spent, keys of an imported file.
    """

    id: str
    input_hash: int
    split: str
    annotator: str
    answer: AnswerKind | None
    spans: tuple[Span, ...] = ()
    flagged: bool = False
    note: str = ""
    labels: tuple[str, ...] = ()
    created: float = 0.0
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a split has come; the parts add up to ``total``.

    Parameters
    ----------
    total, accept, reject, ignore, open : int
        Examples in all, by current answer, and without one.
    """

    total: int = 0
    accept: int = 0
    reject: int = 0
    ignore: int = 0

    @property
    def answered(self) -> int:
        """Examples with a current answer of any kind."""
        return self.accept + self.reject + self.ignore

    @property
    def open(self) -> int:
        """Examples that nobody has decided yet."""
        return self.total - self.answered


@dataclass(frozen=True, slots=True)
class Parse:
    """One analysis of a text: a complete set of spans with what the model thinks of it.

    Parameters
    ----------
    probability : float
    score : float
        Sum of the scores of its actions.
    spans : tuple of Span
    """

    probability: float
    score: float
    spans: tuple[Span, ...]
