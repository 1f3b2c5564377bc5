"""Regressions: spans and labels on which a retrained model is worse, or better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from nbner._common.colors import label_colors
from nbner._common.format import plural, scrollable
from nbner._common.result import Result, write_page
from nbner._common.span_html import highlight_spans
from nbner.errors import DataError
from nbner.evaluation.errors.explorer_protocol import ErrorExplorerWidget
from nbner.evaluation.scores import PRF, Score
from nbner.types import Example, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

Direction: TypeAlias = Literal["right_to_wrong", "wrong_to_right"]
DIRECTIONS: tuple[Direction, ...] = ("right_to_wrong", "wrong_to_right")

MAX_F_LOSS = 0.05  # F that a label may lose
MIN_SUPPORT = 10  # gold spans below which a loss is not significant


@dataclass(frozen=True, slots=True)
class SpanChange:
    """A span on which two models differ and one of them is right.

    Parameters
    ----------
    example_index : int
        Position of the example.
    example : Example
        The example with its gold spans.
    span : Span
        A span of gold, or one that was predicted and is not in gold.
    direction : {"right_to_wrong", "wrong_to_right"}
        Direction of the change from the first model to the second.
    is_gold : bool
        Whether the span is in gold.
    """

    example_index: int
    example: Example
    span: Span
    direction: Direction
    is_gold: bool


@dataclass(frozen=True, slots=True)
class LabelRegression:
    """A label on which the new model is worse.

    Parameters
    ----------
    label : str
        The label.
    before, after : float
        F of the old and of the new model.
    support : int
        Number of gold spans.
    """

    label: str
    before: float
    after: float
    support: int

    @property
    def measure(self) -> str:
        """Meaning of ``before`` and ``after``, in words."""
        return "F on gold"

    def __str__(self) -> str:
        lost = 100 * (self.before - self.after)
        return (
            f"{self.label} lost {lost:.1f} F ({self.before:.3f} to {self.after:.3f} over "
            f"{plural(self.support, 'gold span')})"
        )


def regression_frame(regressed: Iterable[LabelRegression]) -> pd.DataFrame:
    """Build the table of labels on which a model is worse, the largest loss first.

    Parameters
    ----------
    regressed : iterable of LabelRegression
        The labels.

    Returns
    -------
    DataFrame
        ``label``, ``measure`` ("F on gold" or "spans kept", a share), ``before``,
        ``after`` and ``spans``, the number that they were measured on.
    """
    import pandas as pd

    worst = sorted(regressed, key=lambda one: one.after - one.before)
    rows = [[one.label, one.measure, one.before, one.after, one.support] for one in worst]
    return pd.DataFrame(rows, columns=["label", "measure", "before", "after", "spans"])


def span_changes(
    gold: Sequence[Example], before: Iterable[Sequence[Span]], after: Iterable[Sequence[Span]]
) -> list[SpanChange]:
    """List every span on which exactly one of two models is right.

    Parameters
    ----------
    gold : sequence of Example
        Examples with gold. Labels that did not exist when an example was
        answered are not counted there.
    before, after : iterable of sequences of Span
        Each model's predictions for each example.
    """
    found = []
    for number, (example, old, new) in enumerate(zip(gold, before, after, strict=True)):
        gold_spans = set(example.spans)
        for span in sorted(set(old) ^ set(new), key=lambda one: (one.start, one.end, one.label)):
            if example.labels is not None and span.label not in example.labels:
                continue
            was_predicted, is_gold = span in set(old), span in gold_spans
            direction: Direction = (
                "right_to_wrong" if was_predicted == is_gold else "wrong_to_right"
            )
            found.append(SpanChange(number, example, span, direction, is_gold))
    return found


def count_changes(changes: Iterable[SpanChange]) -> Counter[tuple[str, Direction]]:
    """Count changed spans by label and direction.

    Parameters
    ----------
    changes : iterable of SpanChange
        The changed spans.
    """
    return Counter((one.span.label, one.direction) for one in changes)


def label_regressions(
    before: Score, after: Score, *, max_loss: float = MAX_F_LOSS, min_support: int = MIN_SUPPORT
) -> list[LabelRegression]:
    """Find the labels on which a model is worse than another by more than a margin.

    Parameters
    ----------
    before, after : Score
        Scores of both models over the same examples.
    max_loss : float
        F that a label may lose.
    min_support : int
        Minimum number of gold spans of a label.

    Returns
    -------
    list of LabelRegression
        The largest loss first.
    """
    found = []
    for label, old in before.per_label.items():
        new = after.per_label.get(label, PRF())
        was, now = old.f, new.f or 0.0
        if was is not None and old.support >= min_support and was - now > max_loss:
            found.append(LabelRegression(label, was, now, old.support))
    return sorted(found, key=lambda one: one.after - one.before)


def regression_sets(
    gold: Sequence[Example], previous: Mapping[str, Sequence[int]], *, max_examples: int = 200
) -> dict[str, list[int]]:
    """Keep the regression set of each label, and choose one for labels that have none.

    Parameters
    ----------
    gold : sequence of Example
        Examples with gold.
    previous : mapping
        Label to input hashes, from the run before.
    max_examples : int
        Maximum number of examples of a new set.

    Returns
    -------
    dict of str to list of int
        Label to the input hashes of examples that contain it.
    """
    sets = {label: list(hashes) for label, hashes in previous.items()}
    labels = sorted({span.label for one in gold for span in one.spans} - sets.keys())
    for label in labels:
        holding = [one.input_hash for one in gold if any(s.label == label for s in one.spans)]
        sets[label] = holding[:max_examples]
    return sets


_MAX_ROWS = 20
COLUMNS = ("example", "turn", "label", "start", "end", "span", "is_gold", "text")


@dataclass(frozen=True, slots=True)
class SpanChanges(Result):
    """Spans that one of two models has right and the other wrong.

    Parameters
    ----------
    changes : tuple of SpanChange
        The spans.
    n : int
        Number of examples compared.
    open_widget : callable, optional
        Opens the examples in the error explorer.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    changes: tuple[SpanChange, ...] = field(repr=False)
    n: int = 0
    open_widget: Callable[[], ErrorExplorerWidget] | None = field(
        default=None, repr=False, compare=False
    )
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @property
    def right_to_wrong(self) -> int:
        """Number of spans that only the new model has wrong."""
        return sum(one.direction == "right_to_wrong" for one in self.changes)

    @property
    def wrong_to_right(self) -> int:
        """Number of spans that only the new model has right."""
        return len(self.changes) - self.right_to_wrong

    @property
    def examples(self) -> list[Example]:
        """The examples of the spans, each once."""
        return list({one.example_index: one.example for one in self.changes}.values())

    @property
    def frame(self) -> pd.DataFrame:
        """One row a span.

        ``example`` (position in dev), ``turn`` (the direction), ``label``,
        ``start``, ``end`` (code points), ``span`` (its text), ``is_gold`` and
        ``text``.
        """
        import pandas as pd

        rows = [
            (
                *(one.example_index, one.direction, one.span.label, one.span.start, one.span.end),
                *(one.example.text[one.span.start : one.span.end], one.is_gold, one.example.text),
            )
            for one in self.changes
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    @property
    def per_label(self) -> pd.DataFrame:
        """One row a label: label, right_to_wrong, wrong_to_right."""
        import pandas as pd

        counts = count_changes(self.changes)
        labels = sorted({label for label, _ in counts})
        rows = [(label, *(counts[label, one] for one in DIRECTIONS)) for label in labels]
        return pd.DataFrame(rows, columns=["label", *DIRECTIONS])

    def open(self) -> ErrorExplorerWidget:
        """Open both models' predictions and the gold in the error explorer.

        Raises
        ------
        DataError
            The result was read from a file, without its examples.
        """
        if self.open_widget is None:
            raise DataError(
                "these spans cannot be opened: their examples are not loaded",
                remedy="Use .frame, or session.compare(model_a, model_b).span_changes.open()",
            )
        return self.open_widget()

    def to_html(self, path: str | Path | None = None, *, limit: int = _MAX_ROWS) -> str:
        """Write the spans in their texts as one HTML page without scripts.

        Parameters
        ----------
        path : str or Path, optional
            File to write; an existing one is replaced.
        limit : int
            Maximum number of spans.

        Returns
        -------
        str
            The page.
        """
        return write_page("Span changes", self._html(limit), path)

    def _html(self, limit: int) -> str:
        colors = label_colors(sorted({one.span.label for one in self.changes}), self.colors)
        rows = "".join(
            f"<tr><td>{escape(one.direction.replace('_', ' '))}</td>"
            "<td style='white-space:pre-wrap'>"
            f"{highlight_spans(one.example.text, [one.span], colors)}</td></tr>"
            for one in self.changes[:limit]
        )
        table = scrollable(f'<table style="text-align:left">{rows}</table>') if self.changes else ""
        return f"<div>{escape(str(self))}{table}</div>"

    def __str__(self) -> str:
        return (
            f"{plural(self.wrong_to_right, 'span')} went from wrong to right and "
            f"{self.right_to_wrong:,} "
            f"from right to wrong, over {plural(self.n, 'example')}"
        )

    def _repr_html_(self) -> str:
        return self._html(_MAX_ROWS)
