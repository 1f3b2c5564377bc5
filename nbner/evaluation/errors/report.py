"""What a model has wrong, span by span: counted, sliced, drawn and written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from nbner._common.format import as_html
from nbner.errors import DataError
from nbner.evaluation.errors.attribution import FACTORS, Bucket, attribute
from nbner.evaluation.errors.filters import (
    BORDERS,
    NOTHING,
    Cell,
    Conditions,
    Matrix,
    by_cell,
    matrix,
)
from nbner.evaluation.errors.html_report import page
from nbner.evaluation.errors.matches import Finding, findings
from nbner.evaluation.errors.span_features import Training
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = (
    *("example", "split", "kind", "gold", "predicted", "start", "end", "words"),
    *("gold_start", "gold_end", "predicted_start", "predicted_end"),
    *("length", "seen", "frequency", "shape", "to_end", "probability", "judged", "text"),
)


class Errors:
    """Predictions held against gold, span by span.

    Parameters
    ----------
    examples : sequence of Example
        With tokens and gold spans.
    predicted : sequence of sequences of Span
        For each example in turn.
    first : sequence of sequences of Span, optional
        What the predictions are held against, where that is not the gold.
    training : Training, optional
        What the model has learnt from.
    probabilities : sequence of mappings, optional
        For each example the model's probability of spans.
    labels : sequence of str
        In their order.
    names : (str, str)
        What the two sides are called.
    title : str
        What was looked at.
    notices : sequence of str
        What a reader should know beforehand.
    seed : int
        Of the bootstrap.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        predicted: Sequence[Sequence[Span]],
        *,
        first: Sequence[Sequence[Span]] | None = None,
        training: Training | None = None,
        probabilities: Sequence[Mapping[Span, float]] | None = None,
        labels: Sequence[str] = (),
        names: tuple[str, str] = ("gold", "predicted"),
        title: str = "",
        notices: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        self.examples = list(examples)
        self.predicted = [tuple(spans) for spans in predicted]
        self.first = None if first is None else [tuple(spans) for spans in first]
        self.names = names
        self.title = title
        self.notices = tuple(notices)
        self.labels = tuple(labels)
        self._training = training or Training()
        self._probabilities = probabilities
        self.seed = seed
        # Examples change where the page's messages are handled, which may be another thread.
        self._lock = RLock()
        self._by_example = [self._paired(i) for i in range(len(self.examples))]
        self._all: list[Finding] | None = None

    @property
    def findings(self) -> list[Finding]:
        """Every gold span with what was predicted for it, and every predicted span without gold."""
        with self._lock:
            if self._all is None:
                self._all = [one for some in self._by_example for one in some]
            return self._all

    @property
    def n(self) -> int:
        """Errors."""
        return sum(one.is_error for one in self.findings)

    def change(self, number: int, example: Example) -> None:
        """Take over an example that has been changed; one that is not accepted does not count."""
        with self._lock:
            self.examples[number] = example
            self._by_example[number] = self._paired(number)
            self._all = None

    def of(self, number: int) -> list[Finding]:
        """Give the findings of one example."""
        return self._by_example[number]

    def side(self, number: int) -> tuple[Span, ...]:
        """Give what is held against the predictions for an example: its gold, if nothing else."""
        return self.examples[number].spans if self.first is None else self.first[number]

    def where(self, condition: Callable[[Finding], object] | None = None, **options: Any) -> Errors:
        """Give a slice: the same examples, with the findings that meet conditions.

        Parameters
        ----------
        condition : callable, optional
            Any function of a finding, which has ``example``, ``gold``,
            ``predicted``, ``kind``, ``words``, ``length``, ``seen``,
            ``frequency``, ``shape``, ``to_end``, ``probability``, ``meta``.
        **options
            As for ``Conditions``: ``labels``, ``shortest``, ``longest``,
            ``seen``, ``least``, ``most``, ``split``, ``text``, ``meta``, ``judged``.
        """
        tests = {} if condition is None else {"condition": condition}
        return self.slice(Conditions(**options, predicates=tests))

    def slice(self, conditions: Conditions) -> Errors:
        """Give the findings that meet conditions."""
        return Slice(self, conditions)

    @property
    def cells(self) -> dict[Cell, list[Finding]]:
        """The findings by their place in the matrix."""
        return by_cell(self.findings)

    def matrix(self) -> Matrix:
        """Count findings by gold label and predicted label."""
        return matrix(self.cells, self.labels)

    @property
    def confusion(self) -> pd.DataFrame:
        """The confusion matrix: a row a gold label, a column a predicted one.

        The row and the column "nothing" hold what has no partner; the column
        "borders" holds spans with the right label and the wrong borders.
        """
        import pandas as pd

        counted = self.matrix()
        rows: list[str | None] = [*counted.labels, None]
        data = [
            [
                *(counted.counts.get(Cell(row, column), 0) for column in rows),
                counted.counts.get(Cell(row, row, borders=True), 0),
            ]
            for row in rows
        ]
        named = [NOTHING if one is None else one for one in rows]
        return pd.DataFrame(data, index=named, columns=[*named, BORDERS])

    @property
    def frame(self) -> pd.DataFrame:
        """One row a gold span with its partner, and a row a predicted span without.

        ``example`` (position), ``split``, ``kind`` ("correct", "borders",
        "label", "label and borders", "missed", "spurious"), ``gold`` and
        ``predicted`` (labels, None where there is none), ``start``, ``end`` and
        ``words`` of the gold span, or of the predicted one without gold;
        both spans' own borders; ``length`` (tokens), ``seen`` and ``frequency``
        (in training, words and label alike), ``shape``, ``to_end`` (tokens to
        the end of the sentence), ``probability``, ``judged``, ``text``, and
        every column of the metadata, as ``meta.NAME`` where the name is taken.
        """
        import pandas as pd

        frame = pd.DataFrame([_row(one) for one in self.findings], columns=list(COLUMNS))
        places = dict.fromkeys(
            ("gold_start", "gold_end", "predicted_start", "predicted_end"), "Int64"
        )
        frame = frame.astype({**places, "probability": "float64"})
        for key in dict.fromkeys(key for one in self.examples for key in one.meta):
            name = f"meta.{key}" if key in frame.columns else str(key)
            frame[name] = [one.example.meta.get(key) for one in self.findings]
        return frame

    def buckets(self, factor: str) -> list[Bucket]:
        """Count errors by one thing that they may depend on.

        Parameters
        ----------
        factor : {"frequency", "length", "shape", "sentence end", "label", "kind"}

        Raises
        ------
        DataError
            There is no such factor.
        """
        if factor not in FACTORS:
            named = ", ".join(repr(one) for one in FACTORS)
            raise DataError(f"{factor!r} is not a factor", remedy=f"There are {named}")
        return attribute(self.findings, FACTORS[factor], seed=self.seed)

    def attribution(
        self, factors: Iterable[str] = ("frequency", "length", "shape", "sentence end")
    ) -> pd.DataFrame:
        """Error rates by what spans are like, and what share of all errors each kind holds.

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

    def plot(self, by: str = "matrix", ax: Axes | None = None) -> Axes:
        """Draw the confusion matrix, or the error rate by a factor.

        Parameters
        ----------
        by : {"matrix", "frequency", "length", "shape", "sentence end", "label"}
        ax : Axes, optional
            By default a new one.
        """
        from nbner.evaluation.errors.plot import confusion, error_bars

        if by == "matrix":
            return confusion(self.confusion, names=self.names, ax=ax)
        return error_bars(self.attribution([by]), words=FACTORS[by].words, ax=ax)

    def to_html(self, path: str | Path | None = None, *, examples: int = 10) -> str:
        """Write a report to send: one HTML page without scripts, everything in it.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it.
        examples : int
            At most so many of each kind of error.

        Returns
        -------
        str
            The page.
        """
        written = page(self, examples=examples)
        if path is not None:
            Path(path).write_text(written, encoding="utf-8")
        return written

    @property
    def headline(self) -> str:
        """How many errors there are, over what."""
        found = self.findings
        gold = sum(one.gold is not None for one in found)
        share = f" ({self.n / len(found):.1%})" if found else ""
        return (
            f"{self.n:,} errors{share} in {gold:,} spans of {self.names[0]} and "
            f"{len(found) - gold:,} more of {self.names[1]}, over {len(self.examples):,} examples"
        )

    def __str__(self) -> str:
        return "\n".join([self.headline, *self.notices])

    def _repr_html_(self) -> str:
        return as_html(str(self), self.confusion.reset_index(names=self.names[0]))

    def _paired(self, number: int) -> list[Finding]:
        example = self.examples[number]
        if example.annotator is not None and example.answer != "accept":
            return []
        known = None if self._probabilities is None else self._probabilities[number]
        return findings(
            number, example, self.side(number), self.predicted[number], self._training, known
        )


class Slice(Errors):
    """The findings that meet conditions; it follows what its whole takes over."""

    def __init__(self, whole: Errors, conditions: Conditions) -> None:
        self._whole = whole
        self._conditions = conditions
        self.examples = whole.examples
        self.predicted, self.first = whole.predicted, whole.first
        self.names, self.title, self.notices = whole.names, whole.title, whole.notices
        self.labels = whole.labels
        self.seed = whole.seed

    @property
    def findings(self) -> list[Finding]:
        """Those of the whole that meet the conditions."""
        return self._conditions.choose(self._whole.findings)

    def of(self, number: int) -> list[Finding]:
        """Give the findings of one example."""
        return self._conditions.choose(self._whole.of(number))

    def change(self, number: int, example: Example) -> None:
        """Take over an example whose gold has been changed."""
        self._whole.change(number, example)


def _row(one: Finding) -> tuple[Any, ...]:
    gold, predicted, span = one.gold, one.predicted, one.span
    frequency = one.frequency
    return (
        *(one.number, one.split, one.kind),
        *(None if gold is None else gold.label, None if predicted is None else predicted.label),
        *(span.start, span.end, one.words),
        *((None, None) if gold is None else (gold.start, gold.end)),
        *((None, None) if predicted is None else (predicted.start, predicted.end)),
        *(one.length, frequency > 0, frequency, one.shape, one.to_end),
        *(one.probability, one.judged, one.example.text),
    )


def _bucket_row(one: Bucket) -> tuple[Any, ...]:
    return (
        *(one.factor, one.name, one.n, one.errors),
        *(one.rate.value, one.rate.low, one.rate.high),
        *(one.share.value, one.share.low, one.share.high),
    )
