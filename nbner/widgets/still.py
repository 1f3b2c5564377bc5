"""A labelled example as plain HTML, for where no kernel lives.

A saved notebook on a code host, in a viewer or exported to HTML shows this in
the widget's place. No script, no style sheet, every character escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from nbner.data.alignment import longest_first
from nbner.types import Example, Span


def still(example: Example | None, colors: Mapping[str, str], caption: str) -> str:
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
    body = "Nothing is open here." if example is None else _marked(example, colors)
    return (
        '<div style="border:1px solid #8888;border-radius:4px;padding:12px 16px;max-width:80ch">'
        f'<div style="font-size:12px;opacity:.75">{escape(caption)}</div>'
        f'<div dir="auto" style="font-size:16px;line-height:1.9;white-space:pre-wrap">{body}</div>'
        "</div>"
    )


def _marked(example: Example, colors: Mapping[str, str]) -> str:
    kept, _ = longest_first(example.spans)
    parts: list[str] = []
    done = 0
    for span in kept:
        parts += [escape(example.text[done : span.start]), _mark(example.text, span, colors)]
        done = span.end
    return "".join([*parts, escape(example.text[done:])])


def _mark(text: str, span: Span, colors: Mapping[str, str]) -> str:
    color = colors.get(span.label, "#8a8a8a")
    return (
        f'<span style="background:{color}33;border-bottom:2px solid {color}">'
        f"{escape(text[span.start : span.end])}"
        f'<small style="font-size:11px;opacity:.85"> {escape(span.label)}</small></span>'
    )
