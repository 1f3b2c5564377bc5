"""Spans that a trained pipeline found before a training run, and that are found after it.

Gold of the run's labels says nothing about the pipeline's other labels. The
pipeline's own spans over texts at hand do: a label whose spans are gone has
been forgotten. Spans that the gold of a text decides on are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbner._common.format import plural
from nbner._common.result import Result
from nbner.evaluation.regressions import MAX_F_LOSS, MIN_SUPPORT, LabelRegression
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd

MAX_TEXTS = 1000  # that a pipeline is run over before and after

# Shares of a label's spans that may be lost, as multiples of the accepted loss of F: twice that
# where no gold of the run holds the label. Gold may well change what a label means, so that
# there only the loss of most spans counts.
_UNTAUGHT_FACTOR = 2.0
_TAUGHT_FACTOR = 10.0
_MIN_ALL_LOST = 3  # spans of a label of which none is left
_OTHERS = "labels with few spans"
_COLUMNS = ("label", "before", "kept", "after", "in_gold")


@dataclass(frozen=True, slots=True)
class SpanLoss(LabelRegression):
    """A label, or several together, of which the new model finds too few of the old spans.

    ``before`` is 1, ``after`` the share that is still found, and ``support`` the
    number of spans found before.

    Parameters
    ----------
    label, before, after, support
        As for `LabelRegression`.
    """

    @property
    def measure(self) -> str:
        """Meaning of ``before`` and ``after``, in words."""
        return "spans kept"

    def __str__(self) -> str:
        return (
            f"{self.label} lost: {round(self.after * self.support):,} of "
            f"{plural(self.support, 'span')} "
            "that were found before are found now"
        )


@dataclass(frozen=True, slots=True)
class LabelRetention:
    """The spans of one label before and after a run.

    Parameters
    ----------
    label : str
        The label.
    before : int
        Spans found before.
    kept : int
        Those of them that are found after.
    after : int
        All spans found after.
    in_gold : bool
        Whether the gold that was trained on holds the label.
    """

    label: str
    before: int
    kept: int
    after: int
    in_gold: bool


@dataclass(frozen=True, slots=True)
class Retention(Result):
    """The spans of a pipeline's labels before and after a run, over texts at hand.

    Parameters
    ----------
    labels : tuple of LabelRetention
        One for each label found before, the most frequent first.
    n : int
        Texts counted over.
    total : int
        Texts at hand; more than ``n`` where a sample was drawn.
    unmeasured : tuple of str
        Labels of the pipeline without gold, and without a span in these texts
        that lies outside of gold: whether they are kept is not known.
    """

    labels: tuple[LabelRetention, ...]
    n: int
    total: int
    unmeasured: tuple[str, ...] = ()

    @property
    def before(self) -> int:
        """Spans found before, over all labels."""
        return sum(one.before for one in self.labels)

    @property
    def kept(self) -> int:
        """Spans found before and after, over all labels."""
        return sum(one.kept for one in self.labels)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a label: ``label``, ``before``, ``kept``, ``after`` and ``in_gold``."""
        import pandas as pd

        rows = [[getattr(one, column) for column in _COLUMNS] for one in self.labels]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def losses(
        self, *, judged: Collection[str] = (), max_loss: float = MAX_F_LOSS
    ) -> list[SpanLoss]:
        """Return the labels that have lost too many of their spans, the worst first.

        Parameters
        ----------
        judged : collection of str
            Labels that gold decides on; they are passed over.
        max_loss : float
            Accepted loss of F. A label that the gold does not hold may lose
            twice that share of its spans, any other ten times that share.

        Notes
        -----
        Labels with fewer than 10 spans are taken together. One of them that
        the gold does not hold is also lost where none of 3 spans or more is
        left.
        """
        found, few = [], []
        for one in self.labels:
            if one.label in judged:
                continue
            factor = _TAUGHT_FACTOR if one.in_gold else _UNTAUGHT_FACTOR
            if one.before >= MIN_SUPPORT:
                found += _loss(one.label, one.kept, one.before, factor * max_loss)
            elif one.kept == 0 and one.before >= _MIN_ALL_LOST and not one.in_gold:
                found += _loss(one.label, 0, one.before, 0.0)
            elif not one.in_gold:
                few.append(one)
        before = sum(one.before for one in few)
        if before >= MIN_SUPPORT:
            names = ", ".join(one.label for one in few)
            kept = sum(one.kept for one in few)
            found += _loss(f"{_OTHERS} ({names})", kept, before, _UNTAUGHT_FACTOR * max_loss)
        return sorted(found, key=lambda one: one.after)

    def __str__(self) -> str:
        sample = f"{self.n:,} of {self.total:,}" if self.n < self.total else f"{self.n:,}"
        text = (
            f"{self.kept:,} of {plural(self.before, 'span')} that the model found before, in "
            f"{sample} "
            f"{'text' if self.total == 1 else 'texts'}, {'is' if self.kept == 1 else 'are'} "
            f"found now"
        )
        if not self.unmeasured:
            return text
        names = ", ".join(self.unmeasured)
        return (
            f"{text}; not measured, since it found none there outside of gold: {names} "
            "(add unlabelled texts that hold some)"
        )


def _loss(label: str, kept: int, before: int, max_share: float) -> list[SpanLoss]:
    share = kept / before
    return [SpanLoss(label, 1.0, share, before)] if 1.0 - share > max_share else []


def span_retention(
    examples: Sequence[Example],
    before: Iterable[Sequence[Span]],
    after: Iterable[Sequence[Span]],
    *,
    gold_labels: Collection[str],
    total: int | None = None,
    known_labels: Sequence[str] = (),
) -> Retention:
    """Count which spans of one model another one finds too.

    Parameters
    ----------
    examples : sequence of Example
        In an accepted example the gold decides: spans that overlap a gold
        span, or have a label that the answer could give, are not counted.
    before, after : iterable of sequences of Span
        Predictions for each example in turn.
    gold_labels : collection of str
        Labels that the gold holds which was trained on.
    total : int, optional
        Texts of which ``examples`` are a sample.
    known_labels : sequence of str
        Labels that the first model has learnt.
    """
    seen = set(gold_labels)
    counts: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
    for example, old, new in zip(examples, before, after, strict=True):
        # A span that gold of another label replaces shows nothing about its own label.
        seen.update(one.label for one in old if not _is_replaced(example, one))
        spans = {one for one in old if _is_undecided(example, one)}
        now = {one for one in new if _is_undecided(example, one)}
        for counter, some in zip(counts, (spans, spans & now, now), strict=True):
            counter.update(one.label for one in some)
    rows = tuple(
        LabelRetention(label, n, counts[1][label], counts[2][label], label in gold_labels)
        for label, n in counts[0].most_common()
    )
    return Retention(
        rows,
        len(examples),
        len(examples) if total is None else total,
        tuple(label for label in known_labels if label not in seen),
    )


def _is_undecided(example: Example, span: Span) -> bool:
    """Return whether the answer to an example says nothing about a span."""
    if example.answer != "accept":
        return True
    return not _overlaps_gold(example, span) and _lacks_label(example, span)


def _is_replaced(example: Example, span: Span) -> bool:
    """Return whether gold takes the place of a span whose label the answer could not give."""
    return (
        example.answer == "accept" and _overlaps_gold(example, span) and _lacks_label(example, span)
    )


def _overlaps_gold(example: Example, span: Span) -> bool:
    return any(span.start < one.end and one.start < span.end for one in example.spans)


def _lacks_label(example: Example, span: Span) -> bool:
    return example.binary or (example.labels is not None and span.label not in example.labels)
