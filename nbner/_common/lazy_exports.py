"""Lazy exports of a module, listed once in its stub file (PEP 562)."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

_IMPORT = re.compile(r"^from (\S+) import (?:\(([^)]*)\)|(.+))$", re.MULTILINE)


def exports_of(stub: Path) -> dict[str, str]:
    """Parse the ``from module import name as name`` lines of a stub file.

    Parameters
    ----------
    stub : Path
        A ``.pyi`` file, which type checkers read as it is.

    Returns
    -------
    dict of str to str
        Name to the module that defines it.
    """
    found = {}
    for module, in_parentheses, on_line in _IMPORT.findall(stub.read_text(encoding="utf-8")):
        for item in (in_parentheses or on_line).split(","):
            name = item.split(" as ")[0].strip()
            if name:
                found[name] = module
    return found


def lazy_exports(
    module: str, stub: Path, namespace: dict[str, Any]
) -> tuple[list[str], Callable[[str], Any]]:
    """Build ``__all__`` and ``__getattr__`` of a module whose stub lists its exports.

    Parameters
    ----------
    module : str
        Name of the module.
    stub : Path
        Its ``.pyi`` file.
    namespace : dict
        Its ``globals()``, where a name is kept once it is loaded.

    Returns
    -------
    names : list of str
        The exported names, sorted.
    load : callable
        Loads an exported name; AttributeError for any other.
    """
    exports = exports_of(stub)

    def load(name: str) -> Any:
        if name not in exports:
            msg = f"module {module!r} has no attribute {name!r}"
            raise AttributeError(msg)
        home = exports[name]
        is_submodule = home == module
        value = (
            import_module(f"{home}.{name}") if is_submodule else getattr(import_module(home), name)
        )
        namespace[name] = value
        return value

    return sorted(exports), load
