"""The k best analyses of texts, as lists that show themselves as tables with marked spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from nbner._common.colors import label_colors
from nbner._common.format import format_probability, plural, scrollable
from nbner._common.result import Result
from nbner._common.span_html import highlight_spans
from nbner.types import Parse, Span

if TYPE_CHECKING:
    import pandas as pd

_MAX_ANALYSES = 20  # in the HTML of one text
_MAX_TEXTS = 10  # in the HTML of several
_COLUMNS = ("rank", "probability", "score", "n_spans", "spans")


class Parses(list[Parse], Result):
    """The k best analyses of one text, best first: a list that has a table.

    Parameters
    ----------
    parses : iterable of Parse
        The analyses.
    text : str
        Their text.
    colors : mapping
        Colors of labels that have one.
    """

    text: str
    colors: Mapping[str, str]

    def __init__(self, parses: Iterable[Parse], text: str, colors: Mapping[str, str]) -> None:
        super().__init__(parses)
        self.text = text
        self.colors = colors

    @property
    def frame(self) -> pd.DataFrame:
        """One row an analysis: its rank, probability, score, number of spans, and their words."""
        import pandas as pd

        rows = [
            (rank, one.probability, one.score, len(one.spans), self._words(one.spans))
            for rank, one in enumerate(self, start=1)
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def _words(self, spans: Sequence[Span]) -> str:
        found = (f"{one.label} “{self.text[one.start : one.end]}”" for one in spans)
        return ", ".join(found) or "no entity"

    def _headline(self) -> str:
        if not self:
            return "0 analyses"
        together = "" if len(self) == 1 else f", all together {_share(self)}"
        return (
            f"{plural(len(self), 'analysis', 'analyses')}: "
            f"the first has probability {format_probability(self[0].probability)}{together}"
        )

    def __str__(self) -> str:
        lines = (
            f"{rank:>3}  {format_probability(one.probability):>5}  {self._words(one.spans)}"
            for rank, one in enumerate(self, start=1)
        )
        return "\n".join([self._headline(), *lines])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        labels = {span.label for one in self for span in one.spans}
        colors = label_colors(sorted(labels), self.colors)
        first = set(self[0].spans) if self else set()
        rows = "".join(
            f"<tr><td>{rank}</td><td>{escape(format_probability(one.probability))}</td>"
            "<td style='white-space:pre-wrap;text-align:left'>"
            # What is framed is what the first analysis does not have.
            f"{highlight_spans(self.text, one.spans, colors, meant=set(one.spans) - first)}"
            f"{'' if one.spans else ' <i>no entity</i>'}</td></tr>"
            for rank, one in enumerate(self[:_MAX_ANALYSES], start=1)
        )
        left_cell = "<th style='text-align:left'>text with its spans</th>"
        head = f"<tr><th>rank</th><th>probability</th>{left_cell}</tr>"
        table = scrollable(f'<table style="text-align:left">{head}{rows}</table>') if rows else ""
        left = len(self) - _MAX_ANALYSES
        more = f"<div>and {left:,} more, in .frame</div>" if left > 0 else ""
        return f"<div><div>{escape(self._headline())}</div>{table}{more}</div>"


class ParseLists(list[Parses], Result):
    """The k best analyses of several texts: a list of lists that has a table.

    Parameters
    ----------
    lists : iterable of Parses
        One a text, in their order.
    """

    @property
    def frame(self) -> pd.DataFrame:
        """One row an analysis, as `Parses.frame`, with the position and the text in front."""
        import pandas as pd

        if not self:
            return pd.DataFrame(columns=["index", "text", *_COLUMNS])
        found = [one.frame.assign(index=i, text=one.text) for i, one in enumerate(self)]
        return pd.concat(found, ignore_index=True)[["index", "text", *_COLUMNS]]

    def __str__(self) -> str:
        head = f"The best analyses of {plural(len(self), 'text')}"
        return "\n\n".join([head, *(f"{one.text}\n{one}" for one in self)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        shown = "".join(one._repr_html_() for one in self[:_MAX_TEXTS])
        left = len(self) - _MAX_TEXTS
        more = f"<div>and {plural(left, 'more text', 'more texts')}, in .frame</div>"
        head = f"<div>The best analyses of {plural(len(self), 'text')}</div>"
        return f"<div>{head}{shown}{more if left > 0 else ''}</div>"


def _share(parses: Iterable[Parse]) -> str:
    return format_probability(min(1.0, sum(one.probability for one in parses)))
