"""How a session stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from nbner._common.colors import label_colors, underline_of
from nbner._common.format import plural, scrollable
from nbner._common.result import Result
from nbner.decoding.decision.component import decision_of
from nbner.decoding.decision.without_gold import decision_without_gold
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import is_trained, recognizer_names, recognizer_of
from nbner.types import Counts

if TYPE_CHECKING:
    import pandas as pd
    from spacy.language import Language


@dataclass(frozen=True, slots=True)
class Summary(Result):
    """The state of a session: data, labels and model.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    store : str
        Location of the database.
    splits : mapping
        Name of a split to its `Counts`.
    labels : tuple of str
        The entity types, in the order of their keys.
    model : str
        Description of the pipeline in use.
    notices : tuple of str
        What is wrong with the saved models, such as the reason why the last one
        is not in use.
    colors : mapping of str to str
        Label to color.
    """

    dataset: str
    store: str
    splits: Mapping[str, Counts] = field(hash=False)
    labels: tuple[str, ...]
    model: str
    notices: tuple[str, ...] = ()
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a split: split, examples, accepted, rejected, ignored, open."""
        import pandas as pd

        rows = [
            (name, c.total, c.accept, c.reject, c.ignore, c.open) for name, c in self.splits.items()
        ]
        columns = ["split", "examples", "accepted", "rejected", "ignored", "open"]
        return pd.DataFrame(rows, columns=columns)

    def __str__(self) -> str:
        splits = [f"  {name}: {_progress(counts)}" for name, counts in self.splits.items()]
        return "\n".join(
            [
                f"{self.dataset}, in {self.store}",
                *(splits or ["  no examples yet: session.add(...)"]),
                f"  {plural(len(self.labels), 'label')}: {', '.join(self.labels) or 'none yet'}",
                f"  model: {self.model}",
                *(f"  {notice}" for notice in self.notices),
            ]
        )

    def _repr_html_(self) -> str:
        colors = label_colors(self.labels, self.colors)
        chips = " ".join(
            f'<span style="border-bottom:3px solid {underline_of(colors[label])};margin-right:6px">'
            f"{escape(label)}</span>"
            for label in self.labels
        )
        shown = self.frame.map(lambda cell: cell if isinstance(cell, str) else f"{cell:,}")
        table = scrollable(shown.to_html(index=False, escape=True, border=0))
        return (
            f"<div><b>{escape(self.dataset)}</b> <small>in {escape(self.store)}</small></div>"
            f"{table}<div>{chips or 'no labels yet'}</div>"
            f"<div>model: {escape(self.model)}</div>"
            + "".join(f"<div>{escape(notice)}</div>" for notice in self.notices)
        )


def _progress(counts: Counts) -> str:
    kinds = [("accepted", counts.accept), ("rejected", counts.reject), ("ignored", counts.ignore)]
    parts = [f"{number:,} {kind}" for kind, number in kinds if number]
    return ", ".join([f"{plural(counts.total, 'example')}", *parts, f"{counts.open:,} open"])


def describe_model(nlp: Language) -> str:
    """Describe a pipeline: its fingerprint, how it decides, and which recognizer is trained.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    names = recognizer_names(nlp)
    found = recognizer_of(nlp)
    which = (
        f"; trains {found[0]!r} of the recognizers {', '.join(repr(one) for one in names)}"
        if found is not None and len(names) > 1
        else ""
    )
    if not is_trained(nlp):
        return f"not trained yet: session.train(){which}"
    return f"{nlp.lang} pipeline {fingerprint(nlp)}, trained{_describe_decision(nlp)}{which}"


def _describe_decision(nlp: Language) -> str:
    decision = decision_of(nlp)
    if decision is None:
        return ""
    fixed = decision_without_gold(nlp)
    if fixed is not None and fixed.for_corrections:
        return f", decides for few corrections (theta {decision.threshold:.3f})"
    return f", decides by expected F (theta {decision.threshold:.3f})"
