"""Base class of every widget: the built front end, and static HTML without a kernel."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any, ClassVar

import anywidget
import traitlets

from nbner._common.span_html import highlight_spans
from nbner.errors import NbnerError
from nbner.types import Example


class BundledWidget(anywidget.AnyWidget):
    """Base class of every widget; the only import of anywidget in the package."""

    # Tells a page whether it has shown this widget before, as after a reload.
    _widget_id = traitlets.Unicode().tag(sync=True)

    @traitlets.default("_widget_id")  # type: ignore[untyped-decorator]
    def _default_widget_id(self) -> str:
        return uuid.uuid4().hex

    #: Front end for a page that has loaded the widget's own: a small script, and no style.
    _loader: str = ""
    #: The loaders whose front ends a page of this kernel has said to have loaded.
    _loaded: ClassVar[set[str]] = set()
    _is_opening = False

    def open(self) -> None:
        """Create the widget on the page."""
        # Pages that are opened later ask for the state, and get the front end with it.
        self._is_opening = True
        try:
            super().open()
        finally:
            self._is_opening = False

    def get_state(self, *given: Any, **options: Any) -> dict[str, Any]:
        """Return the synchronized state, while the widget is opened with the front end it needs.

        Parameters
        ----------
        *given, **options
            As ipywidgets takes them.
        """
        state: dict[str, Any] = super().get_state(*given, **options)
        if self._is_opening and self._loader in self._loaded:
            state |= {"_esm": self._loader, "_css": ""}
        return state

    def _static_html(self) -> str:
        """Return HTML that a saved notebook shows where no kernel runs."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**(data or {}), "text/html": self._static_html()}
        return (data, *metadata) if metadata else data


def read_bundle(name: str) -> str:
    """Read a built file of the front end.

    Parameters
    ----------
    name : str
        File name, such as "annotator.js".

    Raises
    ------
    NbnerError
        The file has not been built.
    """
    file = files("nbner.widgets") / "static" / name
    if not file.is_file():
        raise NbnerError(
            f"the front end's {name} is missing from this installation. "
            "Install nbner from a wheel, or run `pip install -e .` in the source folder."
        )
    return file.read_text(encoding="utf-8")


def render_static(example: Example | None, colors: Mapping[str, str], caption: str) -> str:
    """Render an example as HTML without script or style sheet, with everything escaped.

    Parameters
    ----------
    example : Example or None
        None where no example is open.
    colors : mapping
        Label to ``#rrggbb``.
    caption : str
        Line above the text.
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
