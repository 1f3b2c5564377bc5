"""What was set for a dataset: the newest of a name holds, and the older ones lead back."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Select, insert, select

from nbner._common.serialization import dump_json, load_json
from nbner.store.database import Database
from nbner.store.schema import settings


class DatasetSettings:
    """The settings of one dataset; made by ``Dataset.settings``."""

    def __init__(self, database: Database, dataset_id: int) -> None:
        self._database = database
        self._id = dataset_id

    def get(self, name: str, default: Any = None) -> Any:
        """Give what was set last under a name."""
        with self._database.reading() as connection:
            found = connection.scalar(select_latest(self._id, name))
        return default if found is None else load_json(found)

    def set(self, name: str, value: Any) -> None:
        """Set a value that JSON can hold; what was set before stays on record."""
        with self._database.writing() as connection:
            connection.execute(
                insert(settings).values(
                    dataset_id=self._id, name=name, value=dump_json(value), created=time.time()
                )
            )

    def history(self, name: str) -> list[tuple[float, Any]]:
        """Give all that was ever set under a name, with its time, the oldest first."""
        query = (
            select(settings.c.created, settings.c.value)
            .where(settings.c.dataset_id == self._id, settings.c.name == name)
            .order_by(settings.c.id)
        )
        with self._database.reading() as connection:
            return [(row.created, load_json(row.value)) for row in connection.execute(query)]


def select_latest(dataset_id: int, name: str) -> Select[Any]:
    """Ask for what was set last under a name, as it is stored."""
    return (
        select(settings.c.value)
        .where(settings.c.dataset_id == dataset_id, settings.c.name == name)
        .order_by(settings.c.id.desc())
        .limit(1)
    )
