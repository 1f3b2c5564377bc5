"""An annotator who knows the gold, with a stated error rate and speed. Plain values, no widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nbner.errors import DataError
from nbner.quality.anchoring.noise import check_fraction, corrupt_spans
from nbner.types import Span, Token

DECISION_ACTIONS = 1  # actions: the key that accepts
CHANGE_ACTIONS = 2  # actions: go to a span or select its words; delete, or press a label's key


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """What was decided on one example, and what it took.

    Parameters
    ----------
    spans : tuple of Span
    actions : int
        Key presses and drags.
    seconds : float
    n_wrong : int
        Spans that gold does not have, and gold spans that are missing.
    """

    spans: tuple[Span, ...]
    actions: int
    seconds: float
    n_wrong: int


@dataclass(frozen=True, slots=True)
class SimulatedAnnotator:
    """An annotator who knows the gold.

    It errs in the same way on the same text, whatever it is shown, but for
    what it follows.

    Parameters
    ----------
    error_rate : float
        Chance of each gold span to be got wrong: another label, other borders,
        overlooked, or one invented beside it.
    anchoring_rate : float
        Chance of a wrong suggestion to be left as it is, and of an entity that
        was not suggested to be overlooked.
    seconds_per_action : float
        For a key press or a drag.
    seconds_per_word : float
        For reading.
    seed : int

    Raises
    ------
    DataError
        A rate is not one, or a time is below 0.
    """

    error_rate: float = 0.0
    anchoring_rate: float = 0.0
    seconds_per_action: float = 1.5
    seconds_per_word: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        check_fraction(self.error_rate, "error_rate")
        check_fraction(self.anchoring_rate, "anchoring_rate")
        for name in ("seconds_per_action", "seconds_per_word"):
            if not getattr(self, name) >= 0:
                raise DataError(
                    f"{name}={getattr(self, name)!r} is no time", field=name, remedy="Give seconds"
                )

    def annotate(
        self,
        text: str,
        tokens: Sequence[Token],
        gold: Sequence[Span],
        labels: Sequence[str],
        suggested: Sequence[Span] | None,
    ) -> SimulatedAnswer:
        """Decide one example.

        Parameters
        ----------
        text : str
        tokens : sequence of Token
        gold : sequence of Span
        labels : sequence of str
        suggested : sequence of Span, optional
            What is shown at the start; None where nobody suggests.
        """
        random = Random(f"{self.seed}:{text}")  # noqa: S311 - chance, not a secret
        spans, _ = corrupt_spans(gold, tokens, labels, self.error_rate, random)
        if suggested is not None:
            spans = self._anchored(spans, suggested, random)
        actions = count_actions(suggested or (), spans)
        words = sum(not one.text.isspace() for one in tokens)
        seconds = actions * self.seconds_per_action + words * self.seconds_per_word
        return SimulatedAnswer(spans, actions, seconds, n_wrong=len(set(spans) ^ set(gold)))

    def _anchored(
        self, meant: Sequence[Span], suggested: Sequence[Span], random: Random
    ) -> tuple[Span, ...]:
        """Let some wrong suggestions stand, and overlook some of what was not suggested."""
        spans = list(meant)
        for span in meant:
            if (
                all(_apart(span, one) for one in suggested)
                and random.random() < self.anchoring_rate
            ):
                spans.remove(span)
        for span in suggested:
            if span not in meant and random.random() < self.anchoring_rate:
                spans = [one for one in spans if _apart(one, span)]
                spans.append(Span(span.start, span.end, span.label))
        return tuple(sorted(spans, key=lambda one: one.start))


def count_actions(shown: Sequence[Span], wanted: Sequence[Span]) -> int:
    """Count what it takes in the widget to come from some spans to others, and to accept.

    A new span, another label or other borders take two actions: its words are
    selected and its label's key is pressed, which replaces what lay there. A
    span that has to go without replacement takes two as well. Accepting takes one.
    """
    new = [span for span in wanted if span not in shown]
    gone = [span for span in shown if span not in wanted and all(_apart(span, one) for one in new)]
    return DECISION_ACTIONS + CHANGE_ACTIONS * (len(new) + len(gone))


def _apart(one: Span, other: Span) -> bool:
    return one.end <= other.start or other.end <= one.start
