"""Migrations of the tables, one function a version.

A migration only adds tables and columns: existing rows stay as they are, and an
older nbner that has the store open can go on writing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sqlalchemy import Column, Connection, select, update
from sqlalchemy.schema import CreateColumn

from nbner.store import schema

_Migration: TypeAlias = Callable[[Connection], None]


def migrate(connection: Connection) -> None:
    """Migrate the tables to the present version, in the connection's transaction.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    """
    # On a server, a second process waits here, and finds nothing left to do.
    found = connection.scalar(select(schema.store.c.schema_version).with_for_update())
    for version in range(int(found or 0), schema.SCHEMA_VERSION):
        _STEPS[version](connection)
    connection.execute(update(schema.store).values(schema_version=schema.SCHEMA_VERSION))


def _to_version_2(connection: Connection) -> None:
    """Add the time of insertion, claims and settings."""
    _add_column(connection, schema.examples.c.created)
    _add_column(connection, schema.answers.c.stored)
    for table in (schema.claims, schema.settings):
        table.create(connection)


def _add_column(connection: Connection, column: Column[float]) -> None:
    definition = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {definition}")


_STEPS: dict[int, _Migration] = {1: _to_version_2}
