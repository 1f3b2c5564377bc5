"""Label colors, shared by the widget and all plots.

displaCy's colors for the label names that it knows, so that they look familiar
to spaCy users; for all others the cycle of Okabe and Ito (2008, "Color
Universal Design"), extended by lighter and darker shades of the same hues.
Color never carries information alone: a highlighted span shows its label.
"""

from __future__ import annotations

from collections.abc import Sequence

DISPLACY_COLORS = {
    "ORG": "#7aecec",
    "PRODUCT": "#bfeeb7",
    "GPE": "#feca74",
    "LOC": "#ff9561",
    "PERSON": "#aa9cfc",
    "NORP": "#c887fb",
    "FAC": "#9cc9cc",
    "EVENT": "#ffeb80",
    "LAW": "#ff8197",
    "LANGUAGE": "#ff8197",
    "WORK_OF_ART": "#f0d0ff",
    "DATE": "#bfe1d9",
    "TIME": "#bfe1d9",
    "MONEY": "#e4e7d2",
    "QUANTITY": "#e4e7d2",
    "ORDINAL": "#e4e7d2",
    "CARDINAL": "#e4e7d2",
    "PERCENT": "#e4e7d2",
}

COLOR_CYCLE = (
    "#56b4e9",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#d55e00",
    "#0072b2",
    "#c9b800",
    "#8a8a8a",
    "#9ad2f2",
    "#f3c766",
    "#5cc9a7",
    "#e3b3cd",
    "#eb9a66",
    "#5a9fd4",
    "#8c8000",
    "#4d4d4d",
)


def label_colors(labels: Sequence[str]) -> dict[str, str]:
    """Assign a color to every label.

    Parameters
    ----------
    labels : sequence of str
        In the session's order; the same order yields the same colors.

    Returns
    -------
    dict
        Label to ``#rrggbb``.
    """
    others = [label for label in labels if label not in DISPLACY_COLORS]
    cycle = {label: COLOR_CYCLE[i % len(COLOR_CYCLE)] for i, label in enumerate(others)}
    return {label: DISPLACY_COLORS.get(label) or cycle[label] for label in labels}
