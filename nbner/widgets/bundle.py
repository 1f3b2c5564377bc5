"""The built front end: its scripts and styles, and the base class of every widget."""

from __future__ import annotations

from importlib.resources import files

import anywidget

from nbner.errors import NbnerError


class BundledWidget(anywidget.AnyWidget):
    """Base of every widget; the only import of anywidget in the package."""


def read_bundle(name: str) -> str:
    """Read a built file of the front end.

    Parameters
    ----------
    name : str
        Such as "annotator.js".

    Raises
    ------
    NbnerError
        It was not built.
    """
    file = files("nbner.widgets") / "static" / name
    if not file.is_file():
        raise NbnerError(
            f"the front end's {name} is missing from this installation. "
            "Install nbner from a wheel, or run `pip install -e .` in the source folder."
        )
    return file.read_text(encoding="utf-8")
