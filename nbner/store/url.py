"""Where a store is: a file, memory, or a server."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from nbner.errors import StoreError

MEMORY = ":memory:"
POSTGRES = "postgresql+psycopg"


def parse_url(where: str | Path) -> URL:
    """Read where a store is.

    Raises
    ------
    StoreError
        This looks like a URL and is none.
    """
    if isinstance(where, str) and "://" in where:
        try:
            url = _with_driver(make_url(where))
        except (ArgumentError, ValueError) as error:
            raise StoreError(f"{where!r} is not the address of a database.") from error
    elif where == MEMORY:
        url = URL.create("sqlite", database=MEMORY)
    else:
        url = URL.create("sqlite", database=str(Path(where).expanduser()))
    # A later change of folder must not lead to another file.
    file = sqlite_path(url)
    return url if file is None else url.set(database=str(file.absolute()))


def _with_driver(url: URL) -> URL:
    """Name the driver that nbner brings, where the address names none."""
    return url.set(drivername=POSTGRES) if url.drivername in ("postgres", "postgresql") else url


def sqlite_path(url: URL) -> Path | None:
    """Give the plain file behind a SQLite URL; None for memory, URIs and servers."""
    if url.get_backend_name() != "sqlite" or is_memory(url):
        return None
    name = str(url.database)
    return None if name.startswith("file:") else Path(name)


def is_memory(url: URL) -> bool:
    """Whether the database lives and dies with its connection."""
    return url.database in (None, "", MEMORY)
