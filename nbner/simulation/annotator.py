"""A simulated annotator: knows the gold, with given error rates and times. Plain values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nbner.errors import DataError
from nbner.quality.anchoring.noise import check_fraction, corrupt_spans
from nbner.types import Span, Token

DECISION_ACTIONS = 1  # actions: the key that accepts
CHOICE_ACTIONS = 1  # actions: the digit of an analysis or version
OFFER_ACTIONS = 1  # actions: a click on a span that is on offer, or its key
CHANGE_ACTIONS = 2  # actions: go to a span or select its words; delete, or press a label's key


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """The spans of one answer, and their cost.

    Parameters
    ----------
    spans : tuple of Span
        The accepted spans.
    actions : int
        Key presses and drags.
    seconds : float
        Time of the actions and of reading.
    n_wrong : int
        Number of spans that are not gold, and of gold spans that are missing.
    """

    spans: tuple[Span, ...]
    actions: int
    seconds: float
    n_wrong: int


@dataclass(frozen=True, slots=True)
class SimulatedAnnotator:
    """An annotator that knows the gold and errs at given rates.

    Its own errors depend on the seed and the text alone; suggestions add errors
    by anchoring.

    Parameters
    ----------
    error_rate : float
        Probability of an error on each gold span: a wrong label, wrong
        boundaries, an omission, or a spurious span beside it.
    anchoring_rate : float
        Probability that a wrong suggestion is kept, and that an entity without
        a suggestion is omitted.
    seconds_per_action : float
        Time of a key press or a drag.
    seconds_per_word : float
        Reading time.
    seed : int
        Seed of the draws.

    Raises
    ------
    DataError
        A rate is not between 0 and 1, or a time is below 0.
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
        choices: Sequence[Sequence[Span]] = (),
        offered: Sequence[Span] = (),
    ) -> SimulatedAnswer:
        """Annotate one example.

        Parameters
        ----------
        text : str
            The text; it seeds the draws.
        tokens : sequence of Token
            Its tokens.
        gold : sequence of Span
            Its gold spans.
        labels : sequence of str
            Labels that a wrong span may get.
        suggested : sequence of Span or None
            The spans shown at first; None where there is no suggester.
        choices : sequence of sequences of Span
            Analyses on offer, each with a key that takes it as a whole. The
            annotator takes one where that saves actions.
        offered : sequence of Span
            Spans on offer below the text, each of which one action puts in place.
        """
        random = Random(f"{self.seed}:{text}")  # noqa: S311 - chance, not a secret
        spans, _ = corrupt_spans(gold, tokens, labels, self.error_rate, random)
        if suggested is not None:
            spans = self._anchored(spans, suggested, random)
        actions = count_actions(suggested or (), spans, choices, offered)
        words = sum(not one.text.isspace() for one in tokens)
        seconds = actions * self.seconds_per_action + words * self.seconds_per_word
        return SimulatedAnswer(spans, actions, seconds, n_wrong=len(set(spans) ^ set(gold)))

    def _anchored(
        self, intended: Sequence[Span], suggested: Sequence[Span], random: Random
    ) -> tuple[Span, ...]:
        """Keep some wrong suggestions, and omit some spans that were not suggested."""
        spans = list(intended)
        for span in intended:
            if (
                all(_are_disjoint(span, one) for one in suggested)
                and random.random() < self.anchoring_rate
            ):
                spans.remove(span)
        for span in suggested:
            if span not in intended and random.random() < self.anchoring_rate:
                spans = [one for one in spans if _are_disjoint(one, span)]
                spans.append(Span(span.start, span.end, span.label))
        return tuple(sorted(spans, key=lambda one: one.start))


def count_actions(
    shown: Sequence[Span],
    wanted: Sequence[Span],
    choices: Sequence[Sequence[Span]] = (),
    offered: Sequence[Span] = (),
) -> int:
    """Count the actions in the widget that edit some spans into others and accept them.

    A new span, another label or other boundaries take two actions: select the
    words and press the label's key, which replaces overlapping spans. One that is
    on offer takes a click. Deleting a span takes two as well. Accepting takes one,
    and taking an analysis on offer in place of what is shown takes one.

    Parameters
    ----------
    shown : sequence of Span
        The spans before.
    wanted : sequence of Span
        The spans after.
    choices : sequence of sequences of Span
        Analyses on offer, each with a key.
    offered : sequence of Span
        Spans on offer, which replace what they overlap.
    """
    if choices:
        chosen = min(count_actions(one, wanted, offered=offered) for one in choices)
        return min(count_actions(shown, wanted, offered=offered), CHOICE_ACTIONS + chosen)
    new = [span for span in wanted if span not in shown]
    gone = [
        span
        for span in shown
        if span not in wanted and all(_are_disjoint(span, one) for one in new)
    ]
    clicked = sum(span in offered for span in new)
    changed = len(new) - clicked + len(gone)
    return DECISION_ACTIONS + OFFER_ACTIONS * clicked + CHANGE_ACTIONS * changed


def _are_disjoint(one: Span, other: Span) -> bool:
    return one.end <= other.start or other.end <= one.start
