"""Parsing of a store's location: a SQLite file, memory, or a database URL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from nbner.errors import StoreError

_MEMORY = ":memory:"
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
    else:
        url = URL.create("sqlite", database=str(Path(location).expanduser()))
    path = sqlite_path(url)
    return url if path is None else url.set(database=str(path.absolute()))


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
    if url.get_backend_name() != "sqlite" or is_memory(url):
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
    return url.database in (None, "", _MEMORY)
