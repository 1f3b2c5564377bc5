"""Label colors, shared by the widget and all plots.

displaCy's colors for the label names that it knows, so that they look familiar
to spaCy users; for all others the eight of Okabe and Ito (2008, "Color
Universal Design"). From the ninth label on, tint and underline have different
hues: the eight, which people with color blindness can tell apart, yield 32 pairs
that do not need further shades. Color never carries information alone: a
highlighted span shows its label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nbner.errors import DataError

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


class LabelColor(str):
    """A color ``#rrggbb`` that knows the color of the line below its spans.

    Parameters
    ----------
    tint : str
        Color of the span's ground, and of marks in plots.
    underline : str, optional
        By default the same.
    """

    __slots__ = ("underline",)

    underline: str

    def __new__(cls, tint: str, underline: str | None = None) -> LabelColor:  # noqa: PYI034
        self = super().__new__(cls, tint)
        self.underline = underline or tint
        return self


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
    "#4d4d4d",
)

#: Places in the cycle of tint and underline. The order is greedy: each pair is the one
#: that lies farthest from all before it, for normal vision and three color deficiencies,
#: on light and on dark ground (``tests/common/test_colors.py`` has the measure).
_PAIRS = (
    *((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 7), (7, 7)),
    *((1, 0), (5, 1), (1, 5), (0, 7), (7, 4), (2, 6), (0, 4), (7, 0)),
    *((7, 5), (4, 3), (1, 2), (4, 7), (6, 4), (4, 0), (4, 1), (4, 2)),
    *((4, 5), (7, 3), (0, 1), (0, 5), (5, 0), (5, 4), (5, 7), (6, 3)),
)

COLOR_PAIRS = tuple(LabelColor(COLOR_CYCLE[tint], COLOR_CYCLE[line]) for tint, line in _PAIRS)

#: Places in the cycle of the underlines of labels whose displaCy tints are alike.
_DISPLACY_UNDERLINES = {
    "NORP": 7,
    "FAC": 4,
    "EVENT": 5,
    "LAW": 3,
    "LANGUAGE": 5,
    "WORK_OF_ART": 1,
    "DATE": 0,
    "TIME": 7,
    "MONEY": 2,
    "QUANTITY": 6,
    "CARDINAL": 3,
    "PERCENT": 4,
}

DISPLACY_PAIRS = {
    label: LabelColor(
        tint, COLOR_CYCLE[_DISPLACY_UNDERLINES[label]] if label in _DISPLACY_UNDERLINES else None
    )
    for label, tint in DISPLACY_COLORS.items()
}


def label_colors(
    labels: Sequence[str], known: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Assign a color to every label.

    Parameters
    ----------
    labels : sequence of str
        In the session's order; the same order yields the same colors.
    known : mapping
        Colors of labels that have one, as those of a session.

    Returns
    -------
    dict
        Label to `LabelColor`, a ``#rrggbb`` that knows its underline. No two labels have
        both in common, up to 32 of them beside those of displaCy.
    """
    others = [one for one in labels if one not in known and one not in DISPLACY_COLORS]
    taken = {_pair(one) for one in known.values()}
    free = [one for one in COLOR_PAIRS if _pair(one) not in taken] or list(COLOR_PAIRS)
    cycle = {label: free[i % len(free)] for i, label in enumerate(others)}
    return {
        label: known.get(label) or cycle.get(label) or DISPLACY_PAIRS[label] for label in labels
    }


def underline_of(color: str) -> str:
    """Return the color of the line below spans of a label.

    Parameters
    ----------
    color : str
        A `LabelColor`; another ``#rrggbb`` is its own underline.
    """
    return color.underline if isinstance(color, LabelColor) else color


def check_colors(colors: Mapping[str, str] | None) -> dict[str, str]:
    """Return the colors that a user has chosen; raise for what is no color.

    Parameters
    ----------
    colors : mapping, optional
        Label to ``#rrggbb``.

    Raises
    ------
    DataError
        It is no mapping, or a value is not ``#rrggbb``.
    """
    if colors is None:
        return {}
    if not isinstance(colors, Mapping):
        raise DataError(
            f"colors= takes a mapping, not {colors!r}",
            field="colors",
            remedy='Write colors={"Dish": "#0072b2"}',
        )
    for label, color in colors.items():
        if not isinstance(label, str) or not label.strip():
            raise DataError(f"{label!r} is not the name of a label", field="colors")
        if not isinstance(color, str) or not _HEX.fullmatch(color):
            raise DataError(
                f"the color of {label!r} is {color!r}",
                field="colors",
                remedy='Give it as "#rrggbb", such as "#0072b2"',
            )
    return {label: color.lower() for label, color in colors.items()}


def _pair(color: str) -> tuple[str, str]:
    return str(color), underline_of(color)
