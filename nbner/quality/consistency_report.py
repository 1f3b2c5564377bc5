"""Words that are not labelled alike, in a cell: a frame, a picture, and acts that mend them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, TypeAlias

from nbner._common.format import render_html
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.quality.consistency import LabelVariation, PhraseOccurrence
from nbner.types import Example

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Gives places a label (None: takes theirs away) as one act, under an id; tells how many changed.
Apply: TypeAlias = "Callable[[str, Sequence[PhraseOccurrence], str | None], int]"
#: Takes an act back, and says how many examples are as they were.
Withdraw: TypeAlias = "Callable[[str], int]"
#: Opens the examples of some variations in the annotator.
Open: TypeAlias = "Callable[[Sequence[LabelVariation]], AnnotatorWidget]"

SHOWN = 20
COLUMNS = ("words", "usual", "as_usual", "otherwise", "missed", "says", "score")
OCCURRENCE_COLUMNS = (
    *("words", "label", "usual", "usual_probability", "start", "end"),
    *("split", "input_hash", "text"),
)


@dataclass(frozen=True, slots=True)
class RelabelBackend:
    """What carries changes out; given by the session."""

    relabel: Apply
    undo: Withdraw
    open_widget: Open
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class BulkRelabel:
    """Many places that were changed as one.

    Parameters
    ----------
    words : str
    label : str, optional
        What they are now; None for no entity.
    places : int
        Asked to change.
    examples : int
        That have changed.
    """

    words: str
    label: str | None
    places: int
    examples: int
    _id: str = field(repr=False)
    _withdraw: Withdraw = field(repr=False)

    def undo(self) -> int:
        """Take the whole act back; what somebody has changed since stays.

        Returns
        -------
        int
            Examples that are as they were before.
        """
        return self._withdraw(self._id)

    def __str__(self) -> str:
        now = "no entity" if self.label is None else self.label
        return (
            f"{self.words!r} is {now} now at {self.places:,} more places in {self.examples:,} "
            "examples; .undo() takes it back"
        )

    def _repr_html_(self) -> str:
        return f"<div>{escape(str(self))}</div>"


@dataclass(frozen=True, slots=True)
class Consistency:
    """Words that gold labels in more than one way, or labels here and misses there.

    Those of which most are expected to be wrong come first.

    Parameters
    ----------
    variations : tuple of LabelVariation
    split : str
        The split.
    n : int
        Examples that were looked at.
    has_probabilities : bool
        Whether a model's probabilities stand beside the places.
    """

    variations: tuple[LabelVariation, ...] = field(repr=False)
    split: str
    n: int
    has_probabilities: bool
    backend: RelabelBackend | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.variations)

    def __iter__(self) -> Iterator[LabelVariation]:
        return iter(self.variations)

    def __getitem__(self, words: int | str) -> LabelVariation:
        """Give a variation by its rank, or by its words."""
        return self.variations[words] if isinstance(words, int) else self._of(words)

    @property
    def examples(self) -> list[Example]:
        """The examples with an unusual place, each once."""
        places = [one for variation in self.variations for one in variation.deviating]
        return list({one.example.input_hash: one.example for one in places}.values())

    @property
    def frame(self) -> pd.DataFrame:
        """One row for some words.

        ``usual`` (their most frequent label), ``as_usual``, ``otherwise`` and
        ``missed`` (numbers of places), ``says`` (all labels with their
        numbers) and ``score`` (how many are expected to be wrong).
        """
        import pandas as pd

        return pd.DataFrame([_row(one) for one in self.variations], columns=list(COLUMNS))

    @property
    def occurrences(self) -> pd.DataFrame:
        """One row a place that is not as usual.

        ``label`` (None: not marked), ``usual`` and the ``usual_probability``
        that the model gives it there; ``start`` and ``end`` in code points.
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

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the words of which most are expected to be wrong."""
        from nbner.quality.consistency_plot import draw_variations

        return draw_variations(self.frame, title=str(self).split("\n", maxsplit=1)[0], ax=ax)

    def relabel(
        self, words: str, label: str | None, *, min_probability: float = 0.0
    ) -> BulkRelabel:
        """Give some words one label wherever gold has them otherwise, as one act.

        Parameters
        ----------
        words : str
            As ``frame`` writes them.
        label : str, optional
            None takes their labels away.
        min_probability : float
            Only at places where the model gives the usual label at least this
            probability; for ``label=None`` at most 1 minus this.

        Returns
        -------
        Mended
            With ``undo()``, which takes the whole act back.

        Raises
        ------
        DataError
            There are no such words, no such place, or the label is unknown.
        """
        one = self._of(words)
        places = [place for place in one.occurrences if place.label != label]
        if min_probability:
            places = [
                place
                for place in places
                if _is_sure(place, one.usual_label, label, min_probability)
            ]
        if not places or self.backend is None:
            raise DataError(
                f"{words!r} has no such place that could change",
                remedy=f"Look at session.quality.consistency()[{words!r}].others",
            )
        whole = self.backend.new_id()
        done = self.backend.relabel(whole, places, label)
        return BulkRelabel(words, label, len(places), done, whole, self.backend.undo)

    def open(self, words: str | None = None) -> AnnotatorWidget:
        """Open the examples with an unusual place in the annotator.

        With the caret on the words, ``e`` lists every occurrence in gold,
        ``enter`` changes what is ticked as one step, and ``ctrl+z`` changes it
        back.

        Parameters
        ----------
        words : str, optional
            By default all.
        """
        chosen = self.variations if words is None else (self._of(words),)
        if not chosen or self.backend is None:
            raise DataError(
                "all words are labelled alike: there is nothing to open",
                remedy="Look at session.quality.label_issues() for errors of other kinds",
            )
        return self.backend.open_widget(chosen)

    def _of(self, words: str) -> LabelVariation:
        wanted = words.split()
        for one in self.variations:
            if " ".join(one.words).split() in (wanted, [word.lower() for word in wanted]):
                return one
        raise DataError(
            f"{words!r} are no words that are labelled in more than one way",
            field="words",
            remedy="Take them from the column words of .frame",
        )

    def __str__(self) -> str:
        if not self.variations:
            return f"All words are labelled alike in {self.n:,} examples of {self.split}"
        places = sum(len(one.deviating) for one in self.variations)
        expected = sum(one.score for one in self.variations)
        how = "the model expects" if self.has_probabilities else "by the usual label's share"
        return (
            f"{len(self):,} words or phrases are labelled in more than one way\n"
            f"{places:,} places in {len(self.examples):,} of {self.n:,} examples of {self.split} "
            f"are not as usual; {how} about {expected:,.0f} of them to be wrong"
        )

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame.head(SHOWN))


def _row(one: LabelVariation) -> tuple[object, ...]:
    counts = one.counts
    missed, usual = counts[None], counts[one.usual_label]
    says = ", ".join(f"{label or 'not marked'} {count:,}" for label, count in counts.most_common())
    otherwise = len(one.occurrences) - missed - usual
    return (" ".join(one.words), one.usual_label, usual, otherwise, missed, says, one.score)


def _is_sure(place: PhraseOccurrence, usual: str, label: str | None, least: float) -> bool:
    if place.usual_probability is None:
        raise DataError(
            "no model has looked at these places",
            field="least",
            remedy="Call session.train() and then session.quality.consistency() again",
        )
    if label is None:
        return place.usual_probability <= 1 - least
    if label != usual:
        raise DataError(
            f"what the model knows of these places is how likely {usual!r} is",
            field="least",
            remedy=f"Leave least= out, or give the label {usual!r}",
        )
    return place.usual_probability >= least
