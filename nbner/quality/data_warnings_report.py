"""What is wrong with the data, before it is trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from nbner.quality.data_warnings import DataWarning

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5


@dataclass(frozen=True, slots=True)
class DataWarnings:
    """What training would suffer from; each problem has its ``examples``.

    Parameters
    ----------
    warnings : tuple of DataWarning
    """

    warnings: tuple[DataWarning, ...] = ()

    def __len__(self) -> int:
        return len(self.warnings)

    def __iter__(self) -> Iterator[DataWarning]:
        return iter(self.warnings)

    def __getitem__(self, position: int) -> DataWarning:
        return self.warnings[position]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a problem: kind, label, what, examples (how many show it)."""
        import pandas as pd

        rows = [(one.kind, one.label, one.message, len(one.examples)) for one in self.warnings]
        return pd.DataFrame(rows, columns=["kind", "label", "what", "examples"])

    def __str__(self) -> str:
        if not self.warnings:
            return "Nothing is wrong with the data that could be seen"
        return "\n".join(one.message for one in self.warnings)

    def _repr_html_(self) -> str:
        return "".join(_html(one) for one in self.warnings) or f"<div>{escape(str(self))}</div>"


def _html(problem: DataWarning) -> str:
    """Write a problem such that its examples open with a click."""
    shown = "".join(f"<li>{escape(one.text[:200])}</li>" for one in problem.examples[:SHOWN])
    more = len(problem.examples) - SHOWN
    rest = f"<li>and {more:,} more, in .examples</li>" if more > 0 else ""
    return f"<details><summary>{escape(problem.message)}</summary><ul>{shown}{rest}</ul></details>"
