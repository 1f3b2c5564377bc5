"""Parsing of a store's location: a SQLite file, memory, or a database URL."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from nbner.errors import StoreError

_MEMORY = ":memory:"
_MAX_NAME = 255 - len("-journal")
_POSTGRES_DRIVER = "postgresql+psycopg"


def parse_url(location: str | Path) -> URL:
    """Parse a store's location into a SQLAlchemy URL.

    Parameters
    ----------
    location : str or Path
        Path of a SQLite file, ":memory:", or a database URL.

    Returns
    -------
    URL
        With an absolute path where it names a file: a later change of the
        working directory must not lead to another file.

    Raises
    ------
    StoreError
        The string contains "://" and is not a valid URL.
    """
    if isinstance(location, str) and "://" in location:
        try:
            url = _with_default_driver(make_url(location))
        except (ArgumentError, ValueError) as error:
            raise StoreError(f"{location!r} is not the address of a database.") from error
    elif location == _MEMORY:
        url = URL.create("sqlite", database=_MEMORY)
    elif isinstance(location, (str, os.PathLike)):
        url = URL.create("sqlite", database=str(_expanded(check_path(location))))
    else:
        raise StoreError(
            f"{location!r} is not a place for a store. Name a file, or the address of a database."
        )
    path = sqlite_path(url)
    return url if path is None else url.set(database=str(check_path(path).absolute()))


def check_path(location: str | os.PathLike[str]) -> Path:
    """Return a path that the file system can hold.

    Parameters
    ----------
    location : str or Path
        Path of a file.

    Raises
    ------
    StoreError
        It is too long, or has the character NUL or half of a surrogate pair.
    """
    path = Path(location)
    name = str(path)
    if "\0" in name:
        raise StoreError(f"The path {name!r} holds the character NUL. Choose another path.")
    if len(path.name.encode("utf-8", "replace")) > _MAX_NAME:
        raise StoreError(
            f"The path {name} cannot be opened: its last part is longer than {_MAX_NAME} bytes, "
            "and SQLite makes files with longer names beside it. Choose a shorter one."
        )
    try:
        os.fsencode(name)
        name.encode()
    except UnicodeEncodeError as error:
        raise StoreError(
            f"The path {name!r} holds a character that no file name can hold. Choose another path."
        ) from error
    return path


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise StoreError(f"The path {path} begins with a user who is not known here.") from error


def _with_default_driver(url: URL) -> URL:
    """Select psycopg, which nbner installs, where a PostgreSQL URL names no driver."""
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername=_POSTGRES_DRIVER)
    return url


def sqlite_path(url: URL) -> Path | None:
    """Return the path of a SQLite file; None for memory, SQLite URIs and servers.

    Parameters
    ----------
    url : URL
        The store's parsed location.
    """
    if url.get_backend_name() != "sqlite" or url.database in (None, "", _MEMORY):
        return None
    name = str(url.database)
    return None if name.startswith("file:") else Path(name)


def is_memory(url: URL) -> bool:
    """Return whether a database exists in memory only and ends with its connection.

    Parameters
    ----------
    url : URL
        The store's parsed location.
    """
    name = str(url.database or "")
    if name.startswith("file:"):
        return ":memory:" in name or url.query.get("mode") == "memory"
    return name in ("", _MEMORY)
