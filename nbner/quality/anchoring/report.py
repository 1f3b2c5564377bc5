"""The result of an anchoring audit, computed from stored answers: a table and a plot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from math import nan
from typing import TYPE_CHECKING, TypeAlias

from nbner._common.format import plural, render_html
from nbner._common.plot_style import (
    ACCENT_COLOR,
    INK_COLOR,
    ROW_HEIGHT,
    annotate_row,
    apply_style,
    name_ticks,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.quality.anchoring import audit
from nbner.quality.anchoring.audit import AnchoringCounts, PerturbedSuggestions, Proportion
from nbner.quality.repeated_answers import names_since
from nbner.store.relabel import relabelled
from nbner.types import Answer, Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Pairs of an original suggestion and the corrupted one that was shown.
CorruptedPairs: TypeAlias = tuple[tuple[Span, Span], ...]
_Audited: TypeAlias = "list[tuple[Answer, PerturbedSuggestions]]"

COLUMNS = ("annotator", "suggestions", "n", "followed", "share", "low", "high")
EVERYBODY = "everybody"
_DESCRIPTIONS = {
    "corrupted": "corrupted, left as shown",
    "withheld": "withheld, left unmarked",
    "untouched": "untouched, left as shown",
    "removed": "untouched, taken away",
}


@dataclass(frozen=True, slots=True)
class Anchoring(FigureResult):
    """Rates at which annotators followed suggestions that were perturbed on purpose.

    ``plot()`` draws the shares of suggestions that were followed, with their intervals.

    Parameters
    ----------
    by_annotator : mapping of str to AnchoringCounts
        The counts of each annotator.
    overall : AnchoringCounts
        The counts of all annotators.
    n : int
        Number of accepted answers with an audit.
    uncorrected : int
        Number of examples whose gold holds a corrupted suggestion.
    open_widget : callable, optional
        Opens those examples in the annotator.
    """

    by_annotator: Mapping[str, AnchoringCounts]
    overall: AnchoringCounts
    n: int
    uncorrected: int = 0
    open_widget: Callable[[], AnnotatorWidget] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def frame(self) -> pd.DataFrame:
        """One row an annotator and kind of suggestion, with Wilson's 95 % interval.

        ``annotator``, ``suggestions`` ("corrupted, left as shown", "withheld,
        left unmarked", "untouched, left as shown"; and for comparison
        "untouched, taken away"), ``n``, ``followed`` (how many of them),
        ``share``, ``low`` and ``high``.
        """
        import pandas as pd

        groups = dict(self.by_annotator)
        if len(groups) > 1:
            groups[EVERYBODY] = self.overall
        rows = [
            (name, description, *_numbers(getattr(counts, kind)))
            for name, counts in groups.items()
            for kind, description in _DESCRIPTIONS.items()
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def _draw(self, ax: Axes | None) -> Axes:
        corrupted = self.overall.corrupted
        finding = (
            f"{corrupted.count:,} of {plural(corrupted.n, 'corrupted suggestion')} "
            f"{'was' if corrupted.count == 1 else 'were'} left as shown"
        )
        return _draw_anchoring(self.frame, title=finding, ax=ax)

    def open(self) -> AnnotatorWidget:
        """Open the examples whose gold holds a corrupted suggestion; ``v`` restores the original.

        Raises
        ------
        DataError
            There are none.
        """
        if not self.uncorrected or self.open_widget is None:
            raise DataError(
                "no answer holds a corrupted suggestion: there is nothing to correct",
                remedy="Training can use these answers as they are",
            )
        return self.open_widget()

    def __str__(self) -> str:
        corrupted, withheld = self.overall.corrupted, self.overall.withheld
        followed = f"{_format_proportion(corrupted)} corrupted suggestions were left as shown"
        lines = [f"{followed}, {_format_proportion(withheld)} withheld ones unmarked"]
        if self.overall.omission_effect is not None:
            points, low, high = (100 * value for value in self.overall.omission_effect)
            lines.append(
                f"An entity that was not suggested was {points:.0f} points ({low:.0f} to "
                f"{high:.0f}) likelier to be left unmarked"
            )
        lines.append(f"Over {plural(self.n, 'accepted answer')} of {', '.join(self.by_annotator)}")
        if self.uncorrected:
            lines.append(
                f"{plural(self.uncorrected, 'answer holds', 'answers hold')} a corrupted "
                f"suggestion: correct them with "
                ".open() before you train"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame) if self.n else f"<div>{escape(str(self))}</div>"


def evaluate_audit(
    answers: Iterable[Answer],
    examples: Sequence[Example],
    *,
    gold: Iterable[Example] | None = None,
    open_widget: Callable[[Mapping[int, CorruptedPairs]], AnnotatorWidget] | None = None,
) -> Anchoring:
    """Count how many perturbed suggestions annotators accepted or corrected.

    Parameters
    ----------
    answers : iterable of Answer
        All answers to the examples, the oldest first; only the last one of each
        annotator to each example counts, if it accepts.
    examples : sequence of Example
        The examples with their current answers.
    gold : iterable of Example, optional
        The truth about some of the texts. Only suggestions that were right
        before they were perturbed are then counted, in these texts.
    open_widget : callable, optional
        Opens the examples whose gold holds a corrupted suggestion, from the
        pairs of each input hash.

    Returns
    -------
    Anchoring
        The rates per annotator and over all.

    Raises
    ------
    DataError
        No accepted answer has an audit, or ``gold`` holds none of its texts.
    """
    audited = _audited_answers(answers)
    if not audited:
        raise DataError(
            "no accepted answer was given under an audit",
            remedy="Annotate with session.make_gold(withhold=0.05, corrupt=0.05) first",
        )
    counted = audited if gold is None else _right_before(audited, examples, gold)
    by_annotator: dict[str, list[tuple[PerturbedSuggestions, tuple[Span, ...]]]] = defaultdict(list)
    for answer, perturbed in counted:
        by_annotator[answer.annotator].append((perturbed, answer.spans))
    corrupted = _corrupted_in_gold(audited, examples)
    return Anchoring(
        {name: audit.count_followed(some) for name, some in sorted(by_annotator.items())},
        audit.count_followed(one for some in by_annotator.values() for one in some),
        n=sum(map(len, by_annotator.values())),
        uncorrected=len(corrupted),
        open_widget=None if open_widget is None else lambda: open_widget(corrupted),
    )


def _audited_answers(answers: Iterable[Answer]) -> _Audited:
    """Return each annotator's last decision on each audited example, if it accepts.

    Labels that were renamed since have their present names, in spans and suggestions.
    """
    last: dict[tuple[str, int], tuple[list[Answer], PerturbedSuggestions]] = {}
    for answer in answers:
        key = (answer.annotator, answer.input_hash)
        perturbed = audit.audit_from_answer_extra(answer.extra)
        if perturbed is not None:
            last[key] = [answer], perturbed
        elif key in last:
            last[key][0].append(answer)
    return [
        _renamed(events[0], perturbed, names_since(events))
        for events, perturbed in last.values()
        if events[0].answer == "accept"
    ]


def _renamed(
    answer: Answer, perturbed: PerturbedSuggestions, names: Mapping[str, str]
) -> tuple[Answer, PerturbedSuggestions]:
    if not names:
        return answer, perturbed
    before = relabelled([one for one, _ in perturbed.corrupted], names)
    after = relabelled([one for _, one in perturbed.corrupted], names)
    present = PerturbedSuggestions(
        relabelled(perturbed.withheld, names),
        tuple(zip(before, after, strict=True)),
        relabelled(perturbed.untouched, names),
    )
    return replace(answer, spans=relabelled(answer.spans, names)), present


def _right_before(
    audited: _Audited, examples: Iterable[Example], gold: Iterable[Example]
) -> _Audited:
    """Restrict audited answers to suggestions that were right before the perturbation."""
    truth = {one.text: one.spans for one in gold}
    texts = {one.input_hash: one.text for one in examples}
    found = [
        (answer, audit.only_correct(perturbed, truth[texts[answer.input_hash]]))
        for answer, perturbed in audited
        if texts[answer.input_hash] in truth
    ]
    if not found:
        raise DataError(
            "gold= holds none of the audited texts",
            field="gold",
            remedy="Pass examples with these texts, or leave gold= out",
        )
    return found


def _corrupted_in_gold(audited: _Audited, examples: Iterable[Example]) -> dict[int, CorruptedPairs]:
    """Return the (original, corrupted) suggestions whose corruption is in gold, by example."""
    corrupted: dict[int, list[tuple[Span, Span]]] = defaultdict(list)
    for answer, perturbed in audited:
        # Two labels that were merged since are none for the other.
        corrupted[answer.input_hash] += [pair for pair in perturbed.corrupted if pair[0] != pair[1]]
    return {
        one.input_hash: pairs
        for one in examples
        if one.answer == "accept"
        and (pairs := tuple(p for p in corrupted.get(one.input_hash, ()) if p[1] in one.spans))
    }


def _numbers(proportion: Proportion) -> tuple[object, ...]:
    value = nan if proportion.value is None else proportion.value
    return (proportion.n, proportion.count, value, *proportion.interval)


def _format_proportion(proportion: Proportion) -> str:
    if proportion.value is None:
        return "0 of 0"
    low, high = (100 * end for end in proportion.interval)
    percent = f"{100 * proportion.value:.0f} %, {low:.0f} to {high:.0f}"
    return f"{proportion.count:,} of {proportion.n:,} ({percent})"


def _draw_anchoring(frame: pd.DataFrame, *, title: str, ax: Axes | None = None) -> Axes:
    """Draw the share and interval of each row of `Anchoring.frame`."""
    ax = (
        new_axes(height=1.3 + 1.3 * ROW_HEIGHT * max(3, len(frame)), has_rows=True)
        if ax is None
        else ax
    )
    several = len(set(frame["annotator"])) > 1
    names = []
    for y, row in enumerate(frame.to_dict("records")):
        names.append(f"{row['annotator']}: {row['suggestions']}" if several else row["suggestions"])
        color = INK_COLOR if row["suggestions"].startswith("untouched") else ACCENT_COLOR
        if not row["n"]:
            ax.text(0.01, y, "none was shown", va="center", color=INK_COLOR, fontsize=8)
            continue
        ax.plot([row["low"], row["high"]], [y, y], color=color, linewidth=2)
        ax.plot(row["share"], y, marker="o", markersize=8, color=color)
        annotate_row(ax, (row["high"], y), f"{row['followed']:,} of {row['n']:,}", color=color)
    name_ticks(ax.yaxis, names)
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share (bars: 95 % intervals over spans)")
    return apply_style(ax, title)
