"""Label, train, correct and analyse named entities inside a notebook.

The public names are listed in ``__init__.pyi`` and loaded when they are first
used, so that ``import nbner`` costs next to nothing.
"""

from __future__ import annotations

import logging
from pathlib import Path

from nbner._common.lazy_exports import lazy_exports

__all__, __getattr__ = lazy_exports(__name__, Path(__file__).with_suffix(".pyi"), globals())

# Without a handler of its own, a library's warnings go to standard error.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return __all__
