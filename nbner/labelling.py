"""The desk that a session puts behind its widgets: what comes next, and where answers go.

Joins a dataset with a way to tokenize and a way to suggest. It holds no
algorithm and no model of its own, so that suggestions change over at the
moment when the session's model does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner.types import Answer, Counts, Example, Span, Token
from nbner.widgets.desk import DeskInfo, Listener, Mode

if TYPE_CHECKING:
    from nbner.data.store import Dataset

Tokenize: TypeAlias = Callable[[str], tuple[Token, ...]]
Suggest: TypeAlias = Callable[[Sequence[Example]], list[tuple[Span, ...]]]
Remark: TypeAlias = Callable[[Answer], Mapping[str, Any]]


class Switchboard:
    """Tells every widget of a session what any of them has stored."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the returned function takes it away again."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def tell(self, answer: Answer) -> None:
        """Pass an answer on."""
        for listener in tuple(self._listeners):
            listener(answer)


class LabellingDesk:
    """A ``nbner.widgets.desk.Desk`` over one split of a dataset.

    Parameters
    ----------
    dataset : Dataset
    split, annotator : str
    key : str
        Identity of the store.
    tokenize : callable
        Text to tokens, for examples that came without.
    suggest : callable, optional
        Examples to spans; without it, examples are shown empty.
    switchboard : Switchboard
        Shared by the desks of one session.
    remark : callable, optional
        From an answer to what else is worth keeping beside it. It must be
        quick; where it fails, the answer is stored without.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        split: str,
        annotator: str,
        key: str,
        tokenize: Tokenize,
        suggest: Suggest | None,
        switchboard: Switchboard,
        remark: Remark | None = None,
    ) -> None:
        mode: Mode = "manual" if suggest is None else "make-gold"
        self._dataset = dataset
        self._tokenize = tokenize
        self._suggest = suggest
        self._switchboard = switchboard
        self._remark = remark
        self._info = DeskInfo(key, dataset.name, split, mode, annotator, dataset.labels)
        self._suggested_by: dict[int, str] = {}

    @property
    def info(self) -> DeskInfo:
        """What the page needs to know once."""
        return self._info

    def counts(self) -> Counts:
        """How far the split has come."""
        return self._dataset.team.counts(self._info.split, self._info.annotator)

    def upcoming(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Give the next open examples with the spans to start from.

        A draft, left by taking a decision back, is shown as it was left. All
        others start with suggestions, or empty where none were asked for. What
        is given out is kept from other annotators for a while.
        """
        found = self._dataset.team.hand_out(self._info.split, self._info.annotator, limit, exclude)
        examples = [tokenized(example, self._tokenize) for example in found]
        fresh = [example for example in examples if not is_draft(example)]
        suggestions = self._suggest(fresh) if self._suggest and fresh else [()] * len(fresh)
        started = {
            example.input_hash: replace(example, spans=spans)
            for example, spans in zip(fresh, suggestions, strict=True)
        }
        self._suggested_by |= {
            key: span.source
            for key, example in started.items()
            for span in example.spans
            if span.source
        }
        return [started.get(example.input_hash, example) for example in examples]

    def past(self, limit: int, before: int | None = None) -> list[Example]:
        """Give this annotator's last answered examples, newest first."""
        found = self._dataset.recent(self._info.split, self._info.annotator, limit, before=before)
        return [tokenized(example, self._tokenize) for example in found]

    def find(self, input_hash: int) -> Example | None:
        """Look one example up as it stands now."""
        split, annotator = self._info.split, self._info.annotator
        example = self._dataset.team.find(input_hash, split, annotator)
        return None if example is None else tokenized(example, self._tokenize)

    def record(self, answer: Answer) -> bool:
        """Store an answer durably, with who suggested its spans; tell every widget."""
        kept = dict(answer.extra)
        source = self._suggested_by.get(answer.input_hash)
        if source:
            kept["suggested_by"] = source
        if self._remark is not None:
            # An answer is a person's work: no figure beside it is worth losing it.
            with suppress(Exception):
                kept |= self._remark(answer)
        answer = replace(answer, extra=kept)
        applied = self._dataset.record(answer)
        if applied:
            self._switchboard.tell(answer)
        return applied

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every answer in this split, from whichever widget."""

        def in_this_split(answer: Answer) -> None:
            if answer.split == self._info.split:
                listener(answer)

        return self._switchboard.subscribe(in_this_split)


def tokenized(example: Example, tokenize: Tokenize) -> Example:
    """Give an example its tokens, where it came without."""
    return example if example.tokens else replace(example, tokens=tokenize(example.text))


def is_draft(example: Example) -> bool:
    """Whether a decision was taken back, so that the spans are somebody's work in progress."""
    return example.answer is None and example.annotator is not None
