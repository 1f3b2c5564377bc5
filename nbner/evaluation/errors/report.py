"""The error analysis of a model: matched spans, confusion matrix, error rates and report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from nbner._common.format import plural, render_html
from nbner._common.plot_style import OWN_TITLE, SCREEN, PlotStyle, plot_look
from nbner._common.result import HtmlPage, Result
from nbner.errors import DataError
from nbner.evaluation.errors.attribution import ERROR_FACTORS, ErrorBucket, error_rates
from nbner.evaluation.errors.filters import (
    BORDERS,
    NOTHING,
    ConfusionCell,
    ConfusionMatrix,
    MatchFilter,
    confusion_matrix,
    group_by_cell,
)
from nbner.evaluation.errors.html_report import render_error_report
from nbner.evaluation.errors.matches import SpanMatch, match_example
from nbner.evaluation.errors.span_features import TrainingVocabulary
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = (
    *("example", "split", "kind", "gold", "predicted", "start", "end", "words"),
    *("gold_start", "gold_end", "predicted_start", "predicted_end"),
    *("length", "seen", "frequency", "shape", "to_end", "probability", "judged", "text"),
)


class Errors(Result):
    """Predictions compared with gold, span by span.

    Parameters
    ----------
    examples : sequence of Example
        Examples with tokens and gold spans.
    predicted : sequence of sequences of Span
        The predicted spans of each example.
    reference : sequence of sequences of Span, optional
        Spans that predictions are compared with, if not the gold.
    training_vocabulary : TrainingVocabulary, optional
        Spans of the training data.
    probabilities : sequence of mappings, optional
        The model's probabilities of spans, for each example.
    labels : sequence of str
        The labels in their order.
    side_names : (str, str)
        Names of the reference and of the predictions.
    title : str
        Name of the analysis.
    warnings : sequence of str
        Lines to show with the errors.
    seed : int
        Seed of the bootstrap.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        predicted: Sequence[Sequence[Span]],
        *,
        reference: Sequence[Sequence[Span]] | None = None,
        training_vocabulary: TrainingVocabulary | None = None,
        probabilities: Sequence[Mapping[Span, float]] | None = None,
        labels: Sequence[str] = (),
        side_names: tuple[str, str] = ("gold", "predicted"),
        title: str = "",
        warnings: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        self.examples = list(examples)
        self.predicted = [tuple(spans) for spans in predicted]
        self.reference = None if reference is None else [tuple(spans) for spans in reference]
        self.side_names = side_names
        self.title = title
        self.warnings = tuple(warnings)
        self.labels = tuple(labels)
        #: Label to color, as the session shows it.
        self.colors: Mapping[str, str] = {}
        self._training = training_vocabulary or TrainingVocabulary()
        self._probabilities = probabilities
        self.seed = seed
        # Examples are updated by the handler of widget messages, maybe in another thread.
        self._lock = RLock()
        self._by_example = [self._match(i) for i in range(len(self.examples))]
        self._all: list[SpanMatch] | None = None

    @property
    def matches(self) -> list[SpanMatch]:
        """Every gold span with what was predicted for it, and every predicted span without gold."""
        with self._lock:
            if self._all is None:
                self._all = [one for some in self._by_example for one in some]
            return self._all

    @property
    def error_count(self) -> int:
        """Number of errors."""
        return sum(one.is_error for one in self.matches)

    def update_example(self, number: int, example: Example) -> None:
        """Replace an example whose gold has changed; if it is not accepted, it does not count.

        Parameters
        ----------
        number : int
            Position of the example.
        example : Example
            The example as it is now.
        """
        with self._lock:
            self.examples[number] = example
            self._by_example[number] = self._match(number)
            self._all = None

    def matches_of(self, number: int) -> list[SpanMatch]:
        """Return the matches of one example.

        Parameters
        ----------
        number : int
            Position of the example.
        """
        return self._by_example[number]

    def reference_spans(self, number: int) -> tuple[Span, ...]:
        """Return the spans that the predictions of an example are compared with.

        Parameters
        ----------
        number : int
            Position of the example.
        """
        return self.examples[number].spans if self.reference is None else self.reference[number]

    def where(
        self, condition: Callable[[SpanMatch], object] | None = None, **options: Any
    ) -> Errors:
        """Select the matches that meet conditions, over the same examples.

        Parameters
        ----------
        condition : callable, optional
            Any function of a `SpanMatch`, which has ``example``, ``gold``,
            ``predicted``, ``kind``, ``words``, ``length``, ``seen``,
            ``frequency``, ``shape``, ``tokens_to_sentence_end``, ``probability``, ``meta``.
        **options
            As for `MatchFilter`: ``labels``, ``min_length``, ``max_length``,
            ``seen``, ``min_probability``, ``max_probability``, ``split``,
            ``text``, ``meta``, ``judged``.
        """
        predicates = {} if condition is None else {"condition": condition}
        return self.filter(MatchFilter(**options, predicates=predicates))

    def filter(self, conditions: MatchFilter) -> Errors:
        """Select the matches that meet conditions.

        Parameters
        ----------
        conditions : MatchFilter
            The conditions.
        """
        return FilteredErrors(self, conditions)

    @property
    def matches_by_cell(self) -> dict[ConfusionCell, list[SpanMatch]]:
        """The matches by cell of the confusion matrix."""
        return group_by_cell(self.matches)

    def confusion_matrix(self) -> ConfusionMatrix:
        """Count matches by gold label and predicted label."""
        return confusion_matrix(self.matches_by_cell, self.labels)

    @property
    def confusion(self) -> pd.DataFrame:
        """The confusion matrix: a row a gold label, a column a predicted one.

        The row and the column "nothing" count spans without a partner; the
        column "borders" counts spans with the right label and wrong borders.
        """
        import pandas as pd

        counted = self.confusion_matrix()
        rows: list[str | None] = [*counted.labels, None]
        data = [
            [
                *(counted.counts.get(ConfusionCell(row, column), 0) for column in rows),
                counted.counts.get(ConfusionCell(row, row, borders=True), 0),
            ]
            for row in rows
        ]
        named = [NOTHING if one is None else one for one in rows]
        return pd.DataFrame(data, index=named, columns=[*named, BORDERS])

    @property
    def frame(self) -> pd.DataFrame:
        """One row a gold span with its partner, and a row a predicted span without.

        ``example`` (position), ``split``, ``kind`` ("correct", "borders",
        "label", "label_and_borders", "missed", "spurious"), ``gold`` and
        ``predicted`` (labels, None where there is none), ``start``, ``end`` and
        ``words`` of the gold span, or of the predicted one without gold;
        the borders of both spans; ``length`` (tokens), ``seen`` and
        ``frequency`` (number of training spans with the same words and label),
        ``shape``, ``to_end`` (tokens to the end of the sentence),
        ``probability``, ``judged``, ``text``, and every column of the metadata,
        as ``meta.NAME`` where the name is taken.
        """
        import pandas as pd

        frame = pd.DataFrame([_row(one) for one in self.matches], columns=list(COLUMNS))
        places = dict.fromkeys(
            ("gold_start", "gold_end", "predicted_start", "predicted_end"), "Int64"
        )
        frame = frame.astype({**places, "probability": "float64"})
        for key in dict.fromkeys(key for one in self.examples for key in one.meta):
            name = f"meta.{key}" if key in frame.columns else str(key)
            frame[name] = [one.example.meta.get(key) for one in self.matches]
        return frame

    def buckets(self, factor: str) -> list[ErrorBucket]:
        """Count errors by one property of spans.

        Parameters
        ----------
        factor : {"frequency", "length", "shape", "sentence_end", "label", "kind"}
            The property.

        Raises
        ------
        DataError
            There is no such factor.
        """
        if factor not in ERROR_FACTORS:
            named = ", ".join(repr(one) for one in ERROR_FACTORS)
            raise DataError(f"{factor!r} is not a factor", remedy=f"There are {named}")
        return error_rates(self.matches, ERROR_FACTORS[factor], seed=self.seed)

    def attribution(
        self, factors: Iterable[str] = ("frequency", "length", "shape", "sentence_end")
    ) -> pd.DataFrame:
        """Compute error rates by properties of spans, and shares of all errors.

        A table of this result, as `confusion` is one; ``plot(by=factor)`` draws it.

        Parameters
        ----------
        factors : iterable of str
            The properties; see `buckets`.

        Returns
        -------
        DataFrame
            ``factor``, ``bucket``, ``n`` (spans), ``errors``, ``rate`` and
            ``share`` (of all errors), with ``_low`` and ``_high``: ends of 95 %
            intervals, bootstrapped over texts.
        """
        import pandas as pd

        rows = [_bucket_row(one) for factor in factors for one in self.buckets(factor)]
        intervals = [f"{name}{end}" for name in ("rate", "share") for end in ("", "_low", "_high")]
        return pd.DataFrame(rows, columns=["factor", "bucket", "n", "errors", *intervals])

    def plot(
        self,
        by: str = "matrix",
        ax: Axes | None = None,
        *,
        title: str | None = OWN_TITLE,
        style: PlotStyle = SCREEN,
        width: float | None = None,
    ) -> Axes:
        """Draw the confusion matrix, or the error rate by a factor.

        Parameters
        ----------
        by : {"matrix", "frequency", "length", "shape", "sentence_end", "label"}
            The confusion matrix, or a property of spans.
        ax : Axes, optional
            By default new axes.
        title : str, optional
            By default the finding; None for no title.
        style : {"screen", "paper"}
            "paper" is for a column of print: dark ink, the fonts of the rcParams, no title.
        width : float, optional
            Width of a new figure in inches; on paper 3.25 by default.
        """
        from nbner.evaluation.errors.plot import draw_confusion_matrix, draw_error_rates

        with plot_look(ax=ax, title=title, style=style, width=width):
            if by == "matrix":
                return draw_confusion_matrix(self.confusion, side_names=self.side_names, ax=ax)
            return draw_error_rates(
                self.attribution([by]), description=ERROR_FACTORS[by].description, ax=ax
            )

    def to_html(self, path: str | Path | None = None, *, examples: int = 10) -> str:
        """Render the errors as one self-contained HTML page without scripts.

        Parameters
        ----------
        path : str or Path, optional
            File to which the page is also written.
        examples : int
            Maximum number of examples of each kind of error.

        Returns
        -------
        str
            The page.
        """
        return HtmlPage(render_error_report(self, examples=examples), path)

    @property
    def headline(self) -> str:
        """Number of errors and of spans, in words."""
        found = self.matches
        gold = sum(one.gold is not None for one in found)
        share = f" ({self.error_count / len(found):.1%})" if found else ""
        return (
            f"{plural(self.error_count, 'error')}{share} in {plural(gold, 'span')} of "
            f"{self.side_names[0]} and "
            f"{len(found) - gold:,} more of {self.side_names[1]}, "
            f"over {plural(len(self.examples), 'example')}"
        )

    def __str__(self) -> str:
        return "\n".join([self.headline, *self.warnings])

    def _repr_html_(self) -> str:
        return render_html(str(self), self.confusion.reset_index(names=self.side_names[0]))

    def _match(self, number: int) -> list[SpanMatch]:
        example = self.examples[number]
        if example.annotator is not None and example.answer != "accept":
            return []
        known = None if self._probabilities is None else self._probabilities[number]
        return match_example(
            number,
            example,
            self.reference_spans(number),
            self.predicted[number],
            self._training,
            known,
        )


class FilteredErrors(Errors):
    """A selection of the matches of other errors, which reflects their updates.

    Parameters
    ----------
    source : Errors
        The errors to select from.
    conditions : MatchFilter
        The conditions.
    """

    def __init__(self, source: Errors, conditions: MatchFilter) -> None:
        self._source = source
        self._conditions = conditions
        self.examples = source.examples
        self.predicted, self.reference = source.predicted, source.reference
        self.side_names, self.title, self.warnings = (
            source.side_names,
            source.title,
            source.warnings,
        )
        self.labels, self.colors = source.labels, source.colors
        self.seed = source.seed

    @property
    def matches(self) -> list[SpanMatch]:
        """The matches of the source that meet the conditions."""
        return self._conditions.select(self._source.matches)

    def matches_of(self, number: int) -> list[SpanMatch]:
        """Return the matches of one example.

        Parameters
        ----------
        number : int
            Position of the example.
        """
        return self._conditions.select(self._source.matches_of(number))

    def update_example(self, number: int, example: Example) -> None:
        """Replace an example whose gold has changed.

        Parameters
        ----------
        number : int
            Position of the example.
        example : Example
            The example as it is now.
        """
        self._source.update_example(number, example)


def _row(one: SpanMatch) -> tuple[Any, ...]:
    gold, predicted, span = one.gold, one.predicted, one.span
    frequency = one.frequency
    return (
        *(one.example_index, one.split, one.kind),
        *(None if gold is None else gold.label, None if predicted is None else predicted.label),
        *(span.start, span.end, one.words),
        *((None, None) if gold is None else (gold.start, gold.end)),
        *((None, None) if predicted is None else (predicted.start, predicted.end)),
        *(one.length, frequency > 0, frequency, one.shape, one.tokens_to_sentence_end),
        *(one.probability, one.judged, one.example.text),
    )


def _bucket_row(one: ErrorBucket) -> tuple[Any, ...]:
    return (
        *(one.factor, one.name, one.n, one.errors),
        *(one.rate.value, one.rate.low, one.rate.high),
        *(one.share.value, one.share.low, one.share.high),
    )
