"""From an older version of the tables to the present one, step by step.

A step only adds: what an older nbner wrote stays as it is, and an older nbner
that has the store open goes on writing what it knows.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Column, Connection, select, update
from sqlalchemy.schema import CreateColumn

from nbner.store import schema

Step = Callable[[Connection], None]


def migrate(connection: Connection) -> None:
    """Bring the tables to the present version, in the transaction of the connection."""
    # On a server, whoever comes second waits here, and finds nothing left to do.
    found = connection.scalar(select(schema.store.c.schema_version).with_for_update())
    for version in range(int(found or 0), schema.SCHEMA_VERSION):
        _STEPS[version](connection)
    connection.execute(update(schema.store).values(schema_version=schema.SCHEMA_VERSION))


def _to_version_2(connection: Connection) -> None:
    """When things were stored; who is at what; settings."""
    _add_column(connection, schema.examples.c.created)
    _add_column(connection, schema.answers.c.stored)
    for table in (schema.claims, schema.settings):
        table.create(connection)


def _add_column(connection: Connection, column: Column[float]) -> None:
    written = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {written}")


_STEPS: dict[int, Step] = {1: _to_version_2}
