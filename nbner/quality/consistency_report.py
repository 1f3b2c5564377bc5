"""The result of a consistency check: a table, a plot, and relabelling in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from nbner._common.colors import label_colors
from nbner._common.format import plural, render_html
from nbner._common.plot_style import (
    FAINT_ALPHA,
    INK_COLOR,
    ROW_HEIGHT,
    annotate_row,
    apply_style,
    drawable,
    name_ticks,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner._common.undoable import UndoableAct
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.quality.consistency import LabelVariation, PhraseOccurrence
from nbner.types import Example

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Sets the label of occurrences (None: removes it) as one batch with an id, and
#: returns the number of changed examples.
Relabel: TypeAlias = Callable[[str, Sequence[PhraseOccurrence], str | None], int]
#: Undoes a batch by its id, and returns the number of restored examples.
UndoBatch: TypeAlias = Callable[[str], int]
#: Opens the examples of some variations in the annotator.
OpenVariations: TypeAlias = Callable[[Sequence[LabelVariation]], AnnotatorWidget]

COLUMNS = ("words", "usual", "as_usual", "otherwise", "missed", "says", "score")
OCCURRENCE_COLUMNS = (
    *("words", "label", "usual", "usual_probability", "start", "end"),
    *("split", "input_hash", "text"),
)
_MAX_ROWS = 20  # variations in the HTML of a result
_MAX_BARS = 12  # variations in a plot


@dataclass(frozen=True, slots=True)
class RelabelBackend:
    """Functions of the session that change and open examples.

    Parameters
    ----------
    relabel : callable
        Sets the label of occurrences as one batch.
    undo : callable
        Undoes a batch.
    open_widget : callable
        Opens the examples of some variations in the annotator.
    new_id : callable
        Creates the id of a batch.
    """

    relabel: Relabel
    undo: UndoBatch
    open_widget: OpenVariations
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class BulkRelabel(UndoableAct):
    """Occurrences that were relabelled as one batch.

    Parameters
    ----------
    words : str
        The words.
    label : str, optional
        Their label now; None for no entity.
    places : int
        Number of occurrences that were to change.
    examples : int
        Number of examples that have changed.
    """

    words: str
    label: str | None
    places: int
    examples: int

    def __str__(self) -> str:
        label = "no entity" if self.label is None else self.label
        return (
            f"{self.words!r} is {label} now at {plural(self.places, 'more place')} in "
            f"{plural(self.examples, 'example')}; .undo() takes it back"
        )


@dataclass(frozen=True, slots=True)
class Consistency(FigureResult):
    """Words with more than one label in gold, or labelled at some occurrences only.

    ``plot()`` draws the occurrences of the first variations by how they are labelled.

    Parameters
    ----------
    variations : tuple of LabelVariation
        The highest expected number of wrong occurrences first.
    split : str
        Name of the split.
    n : int
        Number of examples checked.
    has_probabilities : bool
        Whether the occurrences have a model's probabilities.
    backend : RelabelBackend, optional
        Functions that change and open examples; None without a session.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    variations: tuple[LabelVariation, ...] = field(repr=False)
    split: str
    n: int
    has_probabilities: bool
    backend: RelabelBackend | None = field(default=None, repr=False, compare=False)
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.variations)

    def __iter__(self) -> Iterator[LabelVariation]:
        return iter(self.variations)

    def __getitem__(self, words: int | str) -> LabelVariation:
        """Return a variation by its rank, or by its words."""
        return self.variations[words] if isinstance(words, int) else self._find(words)

    @property
    def examples(self) -> list[Example]:
        """The examples with a deviating occurrence, each once."""
        places = [one for variation in self.variations for one in variation.deviating]
        return list({one.example.input_hash: one.example for one in places}.values())

    @property
    def frame(self) -> pd.DataFrame:
        """One row a variation.

        ``words``, ``usual`` (their most frequent label), ``as_usual``,
        ``otherwise`` and ``missed`` (numbers of occurrences), ``says`` (all
        labels with their numbers) and ``score`` (expected number of wrong
        occurrences).
        """
        import pandas as pd

        return pd.DataFrame([_row(one) for one in self.variations], columns=list(COLUMNS))

    @property
    def occurrences(self) -> pd.DataFrame:
        """One row an occurrence without the usual label.

        ``words``, ``label`` (None: not labelled), ``usual`` and its
        ``usual_probability`` there; ``start`` and ``end`` in code points,
        ``split``, ``input_hash``, ``text``.
        """
        import pandas as pd

        rows = [
            (
                *(" ".join(one.words), place.label, one.usual_label, place.usual_probability),
                *(place.start, place.end, place.example.split, place.example.input_hash),
                place.example.text,
            )
            for one in self.variations
            for place in one.deviating
        ]
        return pd.DataFrame(rows, columns=list(OCCURRENCE_COLUMNS))

    def _draw(self, ax: Axes | None) -> Axes:
        finding = str(self).split("\n", maxsplit=1)[0]
        return _draw_variations(self.frame, title=finding, known=self.colors, ax=ax)

    def relabel(
        self, words: str, label: str | None, *, min_probability: float = 0.0
    ) -> BulkRelabel:
        """Set one label at all occurrences of some words, as one batch.

        Parameters
        ----------
        words : str
            As in the column ``words`` of ``frame``.
        label : str, optional
            The label; None removes the label.
        min_probability : float
            Minimum probability of the usual label at an occurrence; for
            ``label=None`` the probability must be at most 1 minus this.

        Returns
        -------
        BulkRelabel
            With ``undo()`` for the whole batch.

        Raises
        ------
        DataError
            There are no such words, no such occurrence, or the label is unknown.
        """
        variation = self._find(words)
        places = [place for place in variation.occurrences if place.label != label]
        if min_probability:
            places = [
                place
                for place in places
                if _is_probable(place, variation.usual_label, label, min_probability)
            ]
        if not places or self.backend is None:
            raise DataError(
                f"{words!r} has no such place that could change",
                remedy=f"Look at session.quality.consistency()[{words!r}].deviating",
            )
        batch_id = self.backend.new_id()
        changed = self.backend.relabel(batch_id, places, label)
        undo = partial(self.backend.undo, batch_id)
        return BulkRelabel(words, label, len(places), changed, _undo=undo)

    def open(self, words: str | None = None) -> AnnotatorWidget:
        """Open the examples with a deviating occurrence in the annotator.

        With the cursor on the words, ``e`` lists every occurrence in gold,
        ``enter`` changes the selected ones as one batch, and ``ctrl+z`` undoes
        it.

        Parameters
        ----------
        words : str, optional
            By default those of all variations.

        Raises
        ------
        DataError
            There are no such words, or there is no variation.
        """
        chosen = self.variations if words is None else (self._find(words),)
        if not chosen or self.backend is None:
            raise DataError(
                "all words are labelled alike: there is nothing to open",
                remedy="Look at session.quality.label_issues() for errors of other kinds",
            )
        return self.backend.open_widget(chosen)

    def _find(self, words: str) -> LabelVariation:
        wanted = words.split()
        for one in self.variations:
            if " ".join(one.words).split() in (wanted, [word.lower() for word in wanted]):
                return one
        raise DataError(
            f"there are no words {words!r} that are labelled in more than one way",
            field="words",
            remedy="Take words from the column words of .frame",
        )

    def __str__(self) -> str:
        if not self.variations:
            return f"All words are labelled alike in {plural(self.n, 'example')} of {self.split}"
        places = sum(len(one.deviating) for one in self.variations)
        expected = sum(one.score for one in self.variations)
        estimate = (
            f"the model in use expects about {expected:,.0f} of them to be wrong (fewer than there "
            "are where it has learnt this very gold: label_issues() asks models that have not)"
            if self.has_probabilities
            else f"by the usual labels' frequency, about {expected:,.0f} of them "
            f"{'is' if round(expected) == 1 else 'are'} wrong"
        )
        return (
            f"{plural(len(self), 'word or phrase is', 'words or phrases are')} labelled in more "
            "than one way\n"
            f"{plural(places, 'place')} in {len(self.examples):,} of {plural(self.n, 'example')} "
            "of "
            f"{self.split} "
            f"{'does' if places == 1 else 'do'} not have the usual label; {estimate}"
        )

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame.head(_MAX_ROWS))


def _row(one: LabelVariation) -> tuple[object, ...]:
    counts = one.counts
    missed, usual = counts[None], counts[one.usual_label]
    labels = ", ".join(
        f"{label or 'not marked'} {count:,}" for label, count in counts.most_common()
    )
    otherwise = len(one.occurrences) - missed - usual
    return (" ".join(one.words), one.usual_label, usual, otherwise, missed, labels, one.score)


def _is_probable(
    place: PhraseOccurrence, usual: str, label: str | None, min_probability: float
) -> bool:
    if place.usual_probability is None:
        raise DataError(
            "no model has computed probabilities for these places",
            field="min_probability",
            remedy="Call session.train() and then session.quality.consistency() again",
        )
    if label is None:
        return place.usual_probability <= 1 - min_probability
    if label != usual:
        raise DataError(
            f"only the probability of {usual!r} is known at these places",
            field="min_probability",
            remedy=f"Leave min_probability= out, or use the label {usual!r}",
        )
    return place.usual_probability >= min_probability


_MAX_NAME = 20  # characters of a label behind a bar


def _draw_variations(
    frame: pd.DataFrame, *, title: str, known: Mapping[str, str], ax: Axes | None = None
) -> Axes:
    """Draw a stacked bar for each of the first rows of `Consistency.frame`."""
    shown = frame.head(_MAX_BARS)
    ax = new_axes(height=1.2 + ROW_HEIGHT * max(4, len(shown)), has_rows=True) if ax is None else ax
    colors = label_colors(sorted(set(shown["usual"])), known)
    for y, row in enumerate(shown.to_dict("records")):
        left = 0
        parts = (
            ("as_usual", colors[row["usual"]], None),
            ("otherwise", INK_COLOR, "///"),
            ("missed", "none", None),
        )
        for name, fill, hatch in parts:
            ax.barh(
                y,
                row[name],
                left=left,
                height=0.6,
                color=fill,
                alpha=FAINT_ALPHA if hatch else 1.0,
                edgecolor=INK_COLOR,
                linewidth=0.6,
                hatch=hatch,
            )
            left += row[name]
        usual = drawable(row["usual"], _MAX_NAME)
        annotate_row(ax, (left, y), f"{usual} · about {row['score']:.1f} wrong")
    name_ticks(ax.yaxis, shown["words"])
    ax.set_ylim(max(4, len(shown)) - 0.4, -0.6)
    ax.margins(x=0.2)
    ax.set_xlabel("places: filled as usual, hatched another label, empty not marked")
    return apply_style(ax, title)
