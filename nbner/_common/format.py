"""How results are written out: figures, lines and tables as plain text and as safe HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def format_number(value: float | None, digits: int = 2) -> str:
    """Write a figure; None is undefined, and said so."""
    return "undefined" if value is None else f"{value:.{digits}f}"


def format_probability(probability: float) -> str:
    """Write a probability; one that would be nought is only small."""
    return "<0.01" if 0 < probability < 0.005 else f"{probability:.2f}"


def format_numbers(numbers: Mapping[Any, float | None]) -> str:
    """Write figures with their names."""
    return ", ".join(f"{name} {format_number(value)}" for name, value in numbers.items())


def render_html(text: str, frame: pd.DataFrame) -> str:
    """Show lines of text above a table; everything is data, nothing is markup."""
    lines = "".join(f"<div>{escape(line)}</div>" for line in text.splitlines())
    table = frame.to_html(index=False, escape=True, float_format="{:.3f}".format, na_rep="")
    return f"<div>{lines}{table}</div>"
