"""Frozen value types: tokens, spans, examples, answers, counts and parses.

All character offsets are Unicode code points (Python string indices), half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

AnswerKind: TypeAlias = Literal["accept", "reject", "ignore"]
ANSWER_KINDS: tuple[AnswerKind, ...] = ("accept", "reject", "ignore")

#: Annotator name under which gold annotations of an imported file are stored.
IMPORT_ANNOTATOR = "import"

#: Key of an example's ``extra``: its answer was accepted in bulk, by the model's probability.
ACCEPTED_UNSEEN = "accepted_unseen"

#: Key of an undecided example's ``extra``: up to which code point it is done.
DONE_TO = "done_to"

#: Keys of ``extra`` that say how an answer was given: formats with answers keep them.
ANSWER_MARKS = (ACCEPTED_UNSEEN, DONE_TO)


class Token(NamedTuple):
    """One token of a text.

    A tuple rather than a dataclass, because millions of them are created.

    Parameters
    ----------
    text : str
        The token's characters.
    start, end : int
        Code points, half-open; ``example.text[start:end] == text``.
    ws : bool
        Whether a single space follows, as in spaCy's ``Token.whitespace_``.
    """

    text: str
    start: int
    end: int
    ws: bool = False


#: A tokenizer: returns the tokens of a text.
TokenizeFn: TypeAlias = Callable[[str], tuple[Token, ...]]


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled span of a text.

    Equality and hashing use ``start``, ``end`` and ``label`` alone: a span is
    the same span whatever its source, score and extra keys are.

    Parameters
    ----------
    start, end : int
        Code points, half-open.
    label : str
        The entity type.
    source : str, optional
        The origin of a suggestion: a model's fingerprint, a pattern file, a
        tool's name.
    score : float, optional
        Confidence of the suggestion, between 0 and 1.
    extra : mapping
        Keys of an imported file that nbner does not interpret; they survive a
        round trip.
    """

    start: int
    end: int
    label: str
    source: str | None = field(default=None, compare=False)
    score: float | None = field(default=None, compare=False)
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Example:
    """One text with its tokens, its spans and its current answer.

    While ``answer is None``, ``spans`` are suggestions, if there are any. The
    ``spans`` of an answered example are exactly the spans that were shown when
    it was answered.

    Parameters
    ----------
    text : str
        The text, unchanged since it was added.
    tokens : tuple of Token
        The imported tokens, or those of the pipeline's tokenizer.
    spans : tuple of Span
        Sorted by start, not overlapping.
    answer : {"accept", "reject", "ignore"}, optional
        The current answer; None where nobody has answered.
    flagged : bool
        Whether an annotator has flagged the example.
    note : str
        An annotator's note; empty where there is none.
    meta : mapping
        The user's own columns.
    split : str
        "train", "dev", "test" or any other name.
    input_hash : int
        Hash of the text: signed 32 bits, unique in a dataset's split.
    labels : tuple of str, optional
        The labels that could be used when the example was answered. The absence
        of a label outside of these is *missing* information, not evidence. None
        where nobody has answered.
    annotator : str, optional
        The author of the current answer.
    pretokenized : bool
        Whether the tokens were imported with the text; the pipeline then keeps
        them.
    binary : bool
        Whether the answer judges the proposed spans alone and not the whole
        text, so that it is never complete gold.
    created : float, optional
        Time of the current answer; seconds since the epoch, UTC.
    extra : mapping
        Keys of an imported file that nbner does not interpret; they survive a
        round trip.
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

    @property
    def accepted_unseen(self) -> bool:
        """Whether the answer was accepted in bulk, by the model's probability.

        Nobody has looked at it: models train on it, and are not measured on it.
        """
        return bool(self.extra.get(ACCEPTED_UNSEEN)) and self.answer == "accept"

    @property
    def done_to(self) -> int | None:
        """Up to which code point an undecided text is done; None where nothing was said.

        Spans may be missing after it: there, nobody has looked yet.
        """
        found = self.extra.get(DONE_TO)
        is_offset = type(found) is int and 0 < found <= len(self.text)
        return found if self.answer is None and is_offset else None


@dataclass(frozen=True, slots=True)
class Answer:
    """One event of the answer log: an annotator's answer to an example.

    Parameters
    ----------
    id : str
        Globally unique; an answer with a known id is not stored again.
    input_hash : int
        Hash of the answered example's text.
    split : str
        The split of the answered example.
    annotator : str
        The author of the answer.
    answer : {"accept", "reject", "ignore"}, optional
        None withdraws an earlier answer and keeps the spans as a draft.
    spans : tuple of Span
        The spans that were shown.
    flagged : bool
        Whether the example is flagged.
    note : str
        The annotator's note; empty where there is none.
    labels : tuple of str
        The labels that could be used at that time.
    created : float
        Time of the answer; seconds since the epoch, UTC.
    extra : mapping
        Further details: the model that made the suggestions, the seconds spent,
        keys of an imported file.
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
    """Numbers of examples of a split by current answer; the parts add up to ``total``.

    Parameters
    ----------
    total : int
        All examples of the split.
    accept, reject, ignore : int
        Examples whose current answer is of this kind.
    """

    total: int = 0
    accept: int = 0
    reject: int = 0
    ignore: int = 0

    @property
    def answered(self) -> int:
        """Number of examples with a current answer of any kind."""
        return self.accept + self.reject + self.ignore

    @property
    def open(self) -> int:
        """Number of examples without a current answer."""
        return self.total - self.answered


@dataclass(frozen=True, slots=True)
class Parse:
    """One parse of a text: a complete set of spans with the model's probability.

    Parameters
    ----------
    probability : float
        Between 0 and 1.
    score : float
        Sum of the scores of the parser's actions.
    spans : tuple of Span
        Sorted by start, not overlapping.
    """

    probability: float
    score: float
    spans: tuple[Span, ...]
