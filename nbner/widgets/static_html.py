"""A labelled example as plain HTML, for where no kernel lives.

A saved notebook on a code host, in a viewer or exported to HTML shows this in
the widget's place. No script, no style sheet, every character escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from nbner._common.span_html import highlight_spans
from nbner.types import Example


def render_static(example: Example | None, colors: Mapping[str, str], caption: str) -> str:
    """Draw one example.

    Parameters
    ----------
    example : Example or None
        None where nothing is left to label.
    colors : mapping
        Label to ``#rrggbb``.
    caption : str
        Said above the text.
    """
    body = "Nothing is open here."
    if example is not None:
        body = highlight_spans(example.text, example.spans, colors)
    return (
        '<div style="border:1px solid #8888;border-radius:4px;padding:12px 16px;max-width:80ch">'
        f'<div style="font-size:12px;opacity:.75">{escape(caption)}</div>'
        f'<div dir="auto" style="font-size:16px;line-height:1.9;white-space:pre-wrap">{body}</div>'
        "</div>"
    )
