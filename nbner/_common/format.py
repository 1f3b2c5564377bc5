"""Formatting of results: numbers, lines and tables as plain text and as escaped HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def format_number(value: float | None, digits: int = 2) -> str:
    """Format a number; None becomes "undefined".

    Parameters
    ----------
    value : float, optional
        The number.
    digits : int
        Decimal places.
    """
    return "undefined" if value is None else f"{value:.{digits}f}"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Format a count with its noun: "1 span", "1,200 spans", "0 spans".

    Parameters
    ----------
    count : int
        The count.
    noun : str
        For one.
    nouns : str, optional
        For any other count; by default the noun with an "s".
    """
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def format_probability(probability: float) -> str:
    """Format a probability; one that would be rounded to 0.00 becomes "<0.01".

    Parameters
    ----------
    probability : float
        Between 0 and 1.
    """
    return "<0.01" if 0 < probability < 0.005 else f"{probability:.2f}"


def format_numbers(numbers: Mapping[Any, float | None]) -> str:
    """Format named numbers as a comma-separated list.

    Parameters
    ----------
    numbers : mapping
        Name to number; None is undefined.
    """
    return ", ".join(f"{name} {format_number(value)}" for name, value in numbers.items())


def scrollable(table: str) -> str:
    """Wrap an HTML table so that it scrolls by itself where it is wider than its place.

    Parameters
    ----------
    table : str
        HTML of the table.
    """
    # What scrolls must be reachable by key.
    attributes = 'style="overflow-x:auto" role="group" aria-label="table" tabindex="0"'
    return f"<div {attributes}>{table}</div>"


def render_html(text: str, frame: pd.DataFrame) -> str:
    """Build the HTML of lines of text above a table, all of it escaped.

    Parameters
    ----------
    text : str
        One or more lines.
    frame : DataFrame
        The table, shown without its index.
    """
    lines = "".join(f"<div>{escape(line)}</div>" for line in text.splitlines())
    table = frame.to_html(index=False, escape=True, float_format="{:.3f}".format, na_rep="")
    return f"<div>{lines}{scrollable(table)}</div>"
