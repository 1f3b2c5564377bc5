"""Whether suggestions and predictions are the same, whatever the circumstances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nbner._common.format import render_html

if TYPE_CHECKING:
    import pandas as pd


class Outcome(Protocol):
    """What came out under one circumstance."""

    @property
    def condition(self) -> str:
        """The circumstance, in words."""

    @property
    def differing(self) -> tuple[int, ...]:
        """Positions of the texts for which something else came out."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Suggestions held against plain ``nlp.pipe``.

    Parameters
    ----------
    rows : tuple of (str, str, int, tuple of int)
        What was taken for an example, how plain spaCy was run, the number of
        examples, and the positions of those that differ.
    filtered_labels : tuple of str
        Labels that plain spaCy finds and the session does not have: they are
        left out of suggestions.
    unexplained : int
        Examples that differ in some run even where these labels are left out.
    """

    rows: tuple[tuple[str, str, int, tuple[int, ...]], ...]
    filtered_labels: tuple[str, ...] = ()
    unexplained: int = 0

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[tuple[str, str, int, tuple[int, ...]]],
        *,
        filtered_labels: Iterable[str] = (),
        unexplained: int = 0,
    ) -> Parity:
        """Build the comparison of several runs.

        Parameters
        ----------
        rows, filtered_labels, unexplained
            See the class.
        """
        return cls(tuple(rows), tuple(filtered_labels), unexplained)

    @property
    def same(self) -> bool:
        """Whether no example differs in any run."""
        return not self.differing

    @property
    def differing(self) -> int:
        """Examples that differ in some run."""
        return len({(unit, i) for unit, _, _, found in self.rows for i in found})

    @property
    def frame(self) -> pd.DataFrame:
        """One row a run: unit, run, examples, differing (how many), which (positions)."""
        import pandas as pd

        rows = [(unit, run, n, len(found), list(found)) for unit, run, n, found in self.rows]
        return pd.DataFrame(rows, columns=["unit", "run", "examples", "differing", "which"])

    def __str__(self) -> str:
        units = {unit: n for unit, _, n, _ in self.rows}
        over = " and ".join(f"{n:,} {unit}" for unit, n in units.items())
        if self.same:
            return f"The same in {len(self.rows)} runs over {over}"
        if not self.filtered_labels:
            return f"{self.differing:,} examples differ, over {over}: see .frame"
        rest = f"{self.unexplained:,} differ" if self.unexplained else "none differs"
        return (
            f"{self.differing:,} examples differ, over {over}, since suggestions leave out labels "
            f"that the session does not have: {', '.join(self.filtered_labels)}; "
            f"session.add_labels([...]) adds them. Without these labels {rest}"
        )

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


@dataclass(frozen=True, slots=True)
class Determinism:
    """What one model says of the same texts under several circumstances.

    Parameters
    ----------
    results : tuple
        Each with ``how`` and ``differing``.
    texts : tuple of str
    """

    results: tuple[Outcome, ...]
    texts: tuple[str, ...]

    @classmethod
    def from_results(cls, outcomes: Iterable[Outcome], texts: Sequence[str]) -> Determinism:
        """Take the outcomes."""
        return cls(tuple(outcomes), tuple(texts))

    @property
    def same(self) -> bool:
        """Whether nothing ever changed."""
        return not any(one.differing for one in self.results)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a circumstance: circumstance, texts, differing, which (positions)."""
        import pandas as pd

        rows = [
            (one.condition, len(self.texts), len(one.differing), list(one.differing))
            for one in self.results
        ]
        return pd.DataFrame(rows, columns=["circumstance", "texts", "differing", "which"])

    def __str__(self) -> str:
        if self.same:
            return f"The same {len(self.results)} times over {len(self.texts):,} texts"
        lines = [
            f"  {one.condition}: {len(one.differing):,} texts, the first: "
            f"{self.texts[one.differing[0]][:60]!r}"
            for one in self.results
            if one.differing
        ]
        return "\n".join([f"Not the same over {len(self.texts):,} texts", *lines])

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)
