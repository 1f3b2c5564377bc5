"""What retraining has turned, for better and for worse."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from nbner._common.colors import label_colors
from nbner._common.span_html import highlight_spans
from nbner.errors import DataError
from nbner.evaluation.errors.explorer_protocol import ErrorExplorerWidget
from nbner.evaluation.regressions import DIRECTIONS, SpanChange, count_changes
from nbner.types import Example

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


SHOWN = 20
COLUMNS = ("example", "turn", "label", "start", "end", "span", "is_gold", "text")


@dataclass(frozen=True, slots=True)
class SpanChanges:
    """Spans that one of two models has right and the other wrong.

    Parameters
    ----------
    changes : tuple of SpanChange
    n : int
        Examples counted over.
    open_widget : callable, optional
        Makes the widget that shows them.
    """

    changes: tuple[SpanChange, ...] = field(repr=False)
    n: int = 0
    open_widget: Callable[[], ErrorExplorerWidget] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def right_to_wrong(self) -> int:
        """Spans that the new model alone has wrong."""
        return sum(one.direction == "right_to_wrong" for one in self.changes)

    @property
    def wrong_to_right(self) -> int:
        """Spans that the new model alone has right."""
        return len(self.changes) - self.right_to_wrong

    @property
    def examples(self) -> list[Example]:
        """The examples that hold them, each once."""
        return list({one.example_index: one.example for one in self.changes}.values())

    @property
    def frame(self) -> pd.DataFrame:
        """One row a span.

        ``example`` (position in dev), ``turn``, ``label``, ``start``, ``end``
        (code points), ``span``, ``is_gold`` (a gold span found or lost; else a
        wrong one gone or come) and ``text``.
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
        rows = [(label, *(counts[label, turn] for turn in DIRECTIONS)) for label in labels]
        return pd.DataFrame(rows, columns=["label", *DIRECTIONS])

    def open(self) -> ErrorExplorerWidget:
        """Show both models' spans against each other in the error explorer, with the gold.

        Raises
        ------
        DataError
            The examples are not at hand any more.
        """
        if self.open_widget is None:
            raise DataError(
                "these flips cannot be opened: their examples are not at hand",
                remedy="Use .frame, or session.compare(model_a, model_b).span_changes.open()",
            )
        return self.open_widget()

    def to_html(self, *, limit: int = SHOWN) -> str:
        """Write the flips in their texts, as safe HTML."""
        colors = label_colors(sorted({one.span.label for one in self.changes}))
        rows = "".join(
            f"<tr><td>{escape(one.direction.replace('_', ' '))}</td>"
            "<td style='white-space:pre-wrap'>"
            f"{highlight_spans(one.example.text, [one.span], colors)}</td></tr>"
            for one in self.changes[:limit]
        )
        return f'<table style="text-align:left">{rows}</table>'

    def __str__(self) -> str:
        return (
            f"{self.wrong_to_right:,} spans went from wrong to right and {self.right_to_wrong:,} "
            f"from right to wrong, over {self.n:,} examples"
        )

    def _repr_html_(self) -> str:
        return f"<div>{escape(str(self))}{self.to_html() if self.changes else ''}</div>"
