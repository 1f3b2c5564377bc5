"""Every result type, to import from one place; nothing inside the package imports this module."""

from __future__ import annotations

from pathlib import Path

from nbner._common.lazy_exports import lazy_exports

__all__, __getattr__ = lazy_exports(__name__, Path(__file__).with_suffix(".pyi"), globals())


def __dir__() -> list[str]:
    """Return the names of the result types, loaded or not."""
    return __all__
