"""Drift of a corpus: how its partitions differ from the training texts."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner._common.colors import label_colors
from nbner._common.format import format_probability, plural
from nbner._common.plot_style import (
    ACCENT_COLOR,
    OWN_TITLE,
    SCREEN,
    PlotStyle,
    apply_style,
    drawable,
    label_lines,
    name_ticks,
    new_axes,
    plot_look,
)
from nbner._common.result import Result
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.corpus.manifest import PartitionRecord, RunRecord, open_target, source_of
from nbner.corpus.reader import Columns
from nbner.corpus.sources import Source
from nbner.corpus.storage import StorageOptions, require_libraries
from nbner.errors import DataError
from nbner.types import Example

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Measure: TypeAlias = Literal["label_rates", "unknown_share", "mean_probability"]
#: Opens texts in the annotator, in a split of this name.
OpenTexts: TypeAlias = Callable[[Sequence[Example], str], AnnotatorWidget]

_PER = 1_000  # tokens, for rates of labels
_MAX_NAMED = 30  # partitions whose names stand below a picture
_MEASURES: Mapping[str, str] = {
    "label_rates": "spans per 1,000 tokens",
    "unknown_share": "share of tokens that the training texts do not have",
    "mean_probability": "mean probability of a predicted span",
}


@dataclass(frozen=True, slots=True)
class CorpusDrift(Result):
    """Label rates, unknown words and probabilities of partitions, beside the training texts.

    Parameters
    ----------
    target : str
        Path or URL of what was labelled.
    records : tuple of PartitionRecord
        The partitions, in the order of their names.
    training : mapping
        The same of the training split when the target was begun, with gold
        spans in place of predicted ones; empty where there was none.
    colors : mapping
        Colors of labels.
    draw_texts : callable
        Draws texts of a partition: a record, a number and a seed.
    open_texts : callable
        Opens texts in the annotator.
    """

    target: str
    records: tuple[PartitionRecord, ...] = field(repr=False)
    training: Mapping[str, Any] = field(repr=False)
    colors: Mapping[str, str] = field(repr=False)
    draw_texts: Callable[[PartitionRecord, int], list[Example]] = field(repr=False, compare=False)
    open_texts: OpenTexts = field(repr=False, compare=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that were predicted or trained, sorted."""
        names = {name for one in self.records for name in one.labels}
        return tuple(sorted(names | set(self.training.get("labels", {}))))

    @property
    def frame(self) -> pd.DataFrame:
        """One row a partition, after one of the training split, ``partition`` "(training)".

        ``texts``, ``tokens``, ``unknown_share`` (of the tokens, that the
        training texts do not have; of the training texts, that no other one of
        them has), ``mean_probability``, ``without_entities`` (share of texts),
        and under ``rate of ...`` the spans of each label per 1,000 tokens. What
        is not known is missing.
        """
        import pandas as pd

        rows = [self._training_row()] if self.training else []
        rows += [self._row(one) for one in self.records]
        names = ["partition", "texts", "tokens", "unknown_share", "mean_probability"]
        names += ["without_entities", *(f"rate of {label}" for label in self.labels)]
        kinds = dict.fromkeys(names[3:], "float64")
        return pd.DataFrame(rows, columns=names).astype(kinds)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        measure: Measure = "label_rates",
        title: str | None = OWN_TITLE,
        style: PlotStyle = SCREEN,
        width: float | None = None,
    ) -> Axes:
        """Draw a measure by partition, and that of the training split as a dashed line.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw on; new ones by default.
        measure : {"label_rates", "unknown_share", "mean_probability"}
            What to draw; label rates have a line a label.
        title : str, optional
            By default the finding; None for no title.
        style : {"screen", "paper"}
            "paper" is for a column of print: dark ink, the fonts of the rcParams, no title.
        width : float, optional
            Width of a new figure in inches; on paper 3.25 by default.

        Raises
        ------
        DataError
            The measure is not one.
        """
        if measure not in _MEASURES:
            raise DataError(
                f"{measure!r} is no measure",
                field="measure",
                remedy=f"Use one of {', '.join(_MEASURES)}",
            )
        with plot_look(ax=ax, title=title, style=style, width=width):
            return self._draw(new_axes(has_rows=True) if ax is None else ax, measure)

    def open(self, partition: str | int, n: int = 50) -> AnnotatorWidget:
        """Open texts of a partition in the annotator, with the model's suggestions.

        Parameters
        ----------
        partition : str or int
            Its name, or its place in the picture, from 0.
        n : int
            Number of texts; drawn at random from the source, and added to the
            split "drift of ..." of this session.

        Returns
        -------
        Annotator
            Of that split.

        Raises
        ------
        DataError
            There is no such partition, or its source has gone or changed.
        """
        record = self._find(partition)
        return self.open_texts(self.draw_texts(record, n), f"drift of {record.partition}")

    def _find(self, partition: str | int) -> PartitionRecord:
        by_name = {one.partition: one for one in self.records}
        if isinstance(partition, int) and 0 <= partition < len(self.records):
            return self.records[partition]
        if partition in by_name:
            return by_name[str(partition)]
        raise DataError(
            f"there is no partition {partition!r}; the first is {self.records[0].partition!r}"
            if self.records
            else "no partition has been labelled",
            file=self.target,
        )

    def _training_row(self) -> list[Any]:
        known = self.training
        texts = known["texts"]
        return [
            "(training)",
            texts,
            known["tokens"],
            known["unknown_share"],
            known["mean_probability"],
            known["without_entities"] / texts if texts else None,
            *(_rate(known["labels"].get(label, 0), known["tokens"]) for label in self.labels),
        ]

    def _row(self, one: PartitionRecord) -> list[Any]:
        predicted = sum(one.labels.values())
        has_mean = one.probability_sum is not None and predicted
        return [
            one.partition,
            one.texts,
            one.tokens,
            one.unknown / one.tokens if one.unknown is not None and one.tokens else None,
            (one.probability_sum or 0.0) / predicted if has_mean else None,
            one.without_entities / one.texts if one.texts else None,
            *(_rate(one.labels.get(label, 0), one.tokens) for label in self.labels),
        ]

    def _draw(self, ax: Axes, measure: Measure) -> Axes:
        frame = self.frame
        reference = frame[: len(frame) - len(self.records)]
        values = frame[len(reference) :]
        colors = label_colors(self.labels, self.colors)
        columns = (
            {f"rate of {label}": (label, colors[label]) for label in self.labels}
            if measure == "label_rates"
            else {measure: ("", ACCENT_COLOR)}
        )
        ends = []
        for column, (name, color) in columns.items():
            line = values[column].tolist()
            ax.plot(range(len(line)), line, marker="o", markersize=3, color=color, linewidth=1.2)
            for base in reference[column].dropna():
                ax.axhline(base, color=color, linewidth=0.8, linestyle="--", alpha=0.7)
            if name and line:
                ends.append((len(line) - 1, line[-1], drawable(name), color))
        if len(self.records) <= _MAX_NAMED:
            names = [PurePosixPath(one.partition).stem for one in self.records]
            name_ticks(ax.xaxis, names, rotation=90)
        ax.set_xlabel("partition")
        ax.set_ylabel(_MEASURES[measure])
        ax.set_ylim(bottom=0 if measure != "mean_probability" else None)
        apply_style(ax, self._finding(measure))
        label_lines(ax, ends)
        return ax

    def _finding(self, measure: Measure) -> str:
        if not self.training:
            return f"{plural(len(self.records), 'partition')}, and no training split to compare"
        worst = self.furthest(measure)
        if worst is None:
            return "Nothing to compare: label the corpus with probabilities=True"
        partition, name, value, base = worst
        what = {"unknown_share": "unknown tokens", "mean_probability": "mean probability"}
        return (
            f"Furthest from training: {what.get(name, name)} in "
            f"{PurePosixPath(partition).stem}, {value:.3g} against {base:.3g}"
        )

    def furthest(self, measure: Measure = "label_rates") -> tuple[str, str, float, float] | None:
        """Return the partition that is furthest from training by a measure; None where unknown.

        Parameters
        ----------
        measure : {"label_rates", "unknown_share", "mean_probability"}
            Of label rates the label counts whose rate differs most.

        Returns
        -------
        (str, str, float, float), or None
            The partition, the column of ``frame``, its value, and that of the
            training split.
        """
        frame = self.frame
        if not self.training or len(frame) < 2:
            return None
        names = [f"rate of {label}" for label in self.labels]
        columns = names if measure == "label_rates" else [measure]
        found = [
            (abs(value - base), str(partition), column, float(value), float(base))
            for column in columns
            for base in frame[column][:1].dropna()
            for partition, value in zip(frame["partition"][1:], frame[column][1:], strict=True)
            if value == value  # not missing
        ]
        return max(found)[1:] if found else None

    def __str__(self) -> str:
        lines = [f"{plural(len(self.records), 'partition')} of {self.target}"]
        if not self.training:
            lines.append("the target was begun without accepted examples in split 'train'")
        for measure in _MEASURES:
            found = self.furthest(measure)  # type: ignore[arg-type]
            if found is not None:
                partition, column, value, base = found
                shown = f"{value:.3g} against {base:.3g}"
                if measure == "mean_probability":
                    shown = f"{format_probability(value)} against {format_probability(base)}"
                lines.append(f"{column}: furthest from training in {partition}, {shown}")
        return "\n".join(lines)


def corpus_drift(
    target: str,
    *,
    colors: Mapping[str, str],
    seed: int,
    open_texts: OpenTexts,
    storage_options: StorageOptions | None = None,
) -> CorpusDrift:
    """Read the drift of a labelled corpus off its manifest.

    Parameters
    ----------
    target : str
        A target of ``session.label_corpus``.
    colors : mapping
        Colors of labels.
    seed : int
        Of the texts that are drawn.
    open_texts : callable
        Opens texts in the annotator.
    storage_options : mapping, optional
        Options of fsspec's file system.

    Raises
    ------
    DataError
        There is no such target.
    """
    require_libraries()
    manifest, run = open_target(target, storage_options)

    def draw(record: PartitionRecord, n: int) -> list[Example]:
        source = source_of(manifest, run, storage_options)
        return _drawn_texts(source, run, record, n, seed)

    return CorpusDrift(
        target, tuple(manifest.records().values()), run.training, colors, draw, open_texts
    )


def _drawn_texts(
    source: Source, run: RunRecord, record: PartitionRecord, n: int, seed: int
) -> list[Example]:
    """Draw texts of a partition from its source, in one pass; equal texts count once."""
    columns = Columns(run.settings["text"], (), run.types)
    others = {one.name: one.stamp for one in source.files if one.name != record.source}
    parts = source.partitions(columns, done=others)
    chosen = [one for one in parts if one.name == record.partition]
    if not chosen or chosen[0].file.stamp != record.source_stamp:
        raise DataError(
            f"{record.source} has gone or has changed since it was labelled",
            file=source.url,
            remedy="Label the corpus again, or bring the file back",
        )
    keyed = (
        (hashlib.blake2b(f"{seed}:{text}".encode(), digest_size=8).digest(), text)
        for text in source.reader.texts(chosen[0], columns)
        if text.strip()  # whitespace alone is no text to look at
    )
    drawn = heapq.nsmallest(n, _once(keyed))
    return [Example(text, meta={"source": record.source}) for _, text in drawn]


def _once(items: Iterable[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
    seen: set[bytes] = set()
    for key, text in items:
        if key not in seen:
            seen.add(key)
            yield key, text


def _rate(count: int, tokens: int) -> float | None:
    return _PER * count / tokens if tokens else None
