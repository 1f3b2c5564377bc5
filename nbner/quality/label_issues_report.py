"""Label issues in a cell: a frame, a picture, and the way to mend them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, TypeAlias, overload

from nbner._common.colors import label_colors
from nbner._common.span_html import highlight_spans
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.quality.label_issues import LabelIssue
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Opens the examples of some issues in the annotator.
Open: TypeAlias = Callable[[Sequence[LabelIssue]], AnnotatorWidget]

SHOWN = 20
NOTHING = "no entity"
COLUMNS = (
    *("score", "kind", "words", "label", "probability"),
    *("suggested_words", "suggested_label", "suggested_probability"),
    *("start", "end", "suggested_start", "suggested_end", "split", "input_hash", "text"),
)


@dataclass(frozen=True, slots=True)
class LabelIssues:
    """Gold spans, and gaps in gold, that models which never saw them find improbable.

    The surest first. ``issues[:100]`` is a list of the first hundred,
    ``issues.where(lambda one: one.kind == "missed")`` one of some; each can be
    opened in the annotator.

    Parameters
    ----------
    issues : tuple of LabelIssue
    split : str
        The split.
    n : int
        Examples that were looked at.
    n_spans : int
        Gold spans in them.
    folds : int
        Models that looked; 0 where it was the model in use.
    fold_f : tuple of float or None
        Their dev F.
    """

    issues: tuple[LabelIssue, ...] = field(repr=False)
    split: str
    n: int
    n_spans: int
    folds: int
    fold_f: tuple[float | None, ...] = ()
    open_widget: Open | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.issues)

    def __iter__(self) -> Iterator[LabelIssue]:
        return iter(self.issues)

    @overload
    def __getitem__(self, at: int) -> LabelIssue: ...

    @overload
    def __getitem__(self, at: slice) -> LabelIssues: ...

    def __getitem__(self, at: int | slice) -> LabelIssue | LabelIssues:
        return replace(self, issues=self.issues[at]) if isinstance(at, slice) else self.issues[at]

    def where(self, holds: Callable[[LabelIssue], bool]) -> LabelIssues:
        """Give those for which a function of an issue says yes."""
        return replace(self, issues=tuple(one for one in self.issues if holds(one)))

    @property
    def examples(self) -> list[Example]:
        """The examples that hold them, each once, the surest first."""
        return list({one.example.input_hash: one.example for one in self.issues}.values())

    @property
    def frame(self) -> pd.DataFrame:
        """One row an issue, the surest first.

        ``score`` (the margin), ``kind``, what gold says (``words``, ``label``,
        ``probability``) and what is likelier (the same with ``suggested_``);
        ``start`` and ``end`` in code points, ``split``, ``input_hash``, ``text``.
        """
        import pandas as pd

        return pd.DataFrame([_row(one) for one in self.issues], columns=list(COLUMNS))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw what most often looks wrong: what gold says, and what is likelier."""
        from nbner.quality.label_issues_plot import draw_label_issues

        return draw_label_issues(
            self.label_changes, title=str(self).split("\n", maxsplit=1)[0], ax=ax
        )

    @property
    def label_changes(self) -> pd.DataFrame:
        """How often each label should be another: ``given``, ``suggested``, ``count``."""
        import pandas as pd

        counts = Counter((_label(one.gold), _label(one.suggested)) for one in self.issues)
        rows = [(*pair, count) for pair, count in counts.most_common()]
        return pd.DataFrame(rows, columns=["given", "suggested", "count"])

    def open(self) -> AnnotatorWidget:
        """Open the examples in the annotator, the surest issue first.

        Each shows its gold, with what is doubted dashed and its probability
        beside it; below stands what the models would say, which ``v`` takes.
        ``a`` settles the example, changed or not.
        """
        from nbner.errors import DataError

        if not self.issues or self.open_widget is None:
            raise DataError(
                "there is no label issue to open",
                remedy="Look at session.quality.label_issues(...) again",
            )
        return self.open_widget(self.issues)

    def __str__(self) -> str:
        if not self.n_spans:
            return f"No gold span in {self.n:,} examples of {self.split} to doubt"
        spans = sum(one.gold is not None for one in self.issues)
        who = f"{self.folds} models that never saw them" if self.folds else "the model in use"
        lines = [
            f"{spans:,} of {self.n_spans:,} gold spans look wrong, {len(self) - spans:,} missed",
            f"In {len(self.examples):,} of {self.n:,} examples of {self.split}, says {who}",
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        labels = {span.label for one in self.issues for span in (one.gold, one.suggested) if span}
        colors = label_colors(sorted(labels))
        rows = "".join(_html_row(one, colors) for one in self.issues[:SHOWN])
        more = len(self) - SHOWN
        rest = f"<div>and {more:,} more, in .frame and .annotate()</div>" if more > 0 else ""
        table = f'<table style="text-align:left">{rows}</table>' if rows else ""
        head = "".join(f"<div>{escape(line)}</div>" for line in str(self).splitlines())
        return f"<div>{head}{table}{rest}</div>"


def _label(span: Span | None) -> str:
    return NOTHING if span is None else span.label


def _row(one: LabelIssue) -> tuple[object, ...]:
    text, given, new = one.example.text, one.gold, one.suggested
    words, new_words = (
        None if span is None else text[span.start : span.end] for span in (given, new)
    )
    return (
        *(one.score, one.kind, words, None if given is None else given.label, one.gold_probability),
        *(new_words, None if new is None else new.label, one.suggested_probability),
        *one.place,
        *((None, None) if new is None else (new.start, new.end)),
        *(one.example.split, one.example.input_hash, text),
    )


def _html_row(one: LabelIssue, colors: dict[str, str]) -> str:
    says = [
        f'<td style="white-space:pre-wrap">'
        f"{highlight_spans(one.example.text, [] if span is None else [span], colors)}</td>"
        for span in (one.gold, one.suggested)
    ]
    shares = f"{one.gold_probability:.2f} → {one.suggested_probability:.2f}"
    kind = escape(one.kind.replace("_", " "))
    return f"<tr><td>{kind}<br><small>{shares}</small></td>{''.join(says)}</tr>"
