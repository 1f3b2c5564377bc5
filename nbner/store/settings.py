"""Settings of a dataset, stored as a history in which the newest value of a name holds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, insert, select

from nbner._common.serialization import dump_json, load_json
from nbner.store.clock import now
from nbner.store.database import Database
from nbner.store.schema import settings

_MAX_STATEMENTS = 256  # that are kept built


class DatasetSettings:
    """Settings of one dataset; created by ``Dataset.settings``.

    Parameters
    ----------
    database : Database
        The store's connections.
    dataset_id : int
        Row id of the dataset.
    """

    def __init__(self, database: Database, dataset_id: int) -> None:
        self._database = database
        self._id = dataset_id

    def get(self, name: str, default: Any = None) -> Any:
        """Return the newest value of a setting.

        Parameters
        ----------
        name : str
            Name of the setting.
        default : Any
            The value of a setting that was never set.
        """
        with self._database.reading() as connection:
            found = connection.scalar(select_latest(self._id, name))
        return default if found is None else load_json(found)

    def names(self, prefix: str) -> list[str]:
        """Return the names of the settings that begin with a text, sorted.

        Parameters
        ----------
        prefix : str
            The text.
        """
        query = (
            select(settings.c.name)
            .where(
                settings.c.dataset_id == self._id,
                settings.c.name.startswith(prefix, autoescape=True),
            )
            .distinct()
        )
        with self._database.reading() as connection:
            return sorted(connection.scalars(query))

    def set(self, name: str, value: Any) -> None:
        """Store a new value; earlier values stay in the history.

        Parameters
        ----------
        name : str
            Name of the setting.
        value : Any
            A JSON value.
        """
        with self._database.writing() as connection:
            connection.execute(
                insert(settings).values(
                    dataset_id=self._id, name=name, value=dump_json(value), created=now(connection)
                )
            )

    def history(self, name: str) -> list[tuple[float, Any]]:
        """Return all values of a setting with their times, oldest first.

        Parameters
        ----------
        name : str
            Name of the setting.

        Returns
        -------
        list of (float, Any)
            Times in seconds since the epoch.
        """
        query = (
            select(settings.c.created, settings.c.value)
            .where(settings.c.dataset_id == self._id, settings.c.name == name)
            .order_by(settings.c.id)
        )
        with self._database.reading() as connection:
            return [(row.created, load_json(row.value)) for row in connection.execute(query)]


@lru_cache(maxsize=_MAX_STATEMENTS)
def select_latest(dataset_id: int, name: str) -> Select[Any]:
    """Return a SELECT of the newest value of a setting, as serialized JSON.

    Each is built once: to build it takes four times as long as to run it, and every
    stored answer asks for the renamed labels.

    Parameters
    ----------
    dataset_id : int
        Row id of the dataset.
    name : str
        Name of the setting.
    """
    return (
        select(settings.c.value)
        .where(settings.c.dataset_id == dataset_id, settings.c.name == name)
        .order_by(settings.c.id.desc())
        .limit(1)
    )
