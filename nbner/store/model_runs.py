"""Records of training runs, stored beside the data that they were trained on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from nbner._common.serialization import dump_json, load_json
from nbner.errors import DataError
from nbner.store.schema import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

_KEYS = ("id", "created", "path", "fingerprint", "record")


def add_run(connection: Connection, dataset_id: int, run: Mapping[str, Any]) -> None:
    """Insert the record of a training run.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    dataset_id : int
        Row id of the dataset.
    run : mapping
        See ``Dataset.add_run``.

    Raises
    ------
    DataError
        A key is missing, or the record is not a JSON value.
    """
    for key in _KEYS:
        if key not in run:
            raise DataError(f"a run needs {', '.join(_KEYS)}", field=key)
    values = {key: run[key] for key in _KEYS}
    values |= {"path": str(run["path"]), "record": _dump_record(run["record"])}
    connection.execute(insert(runs), {"dataset_id": dataset_id, **values})


def set_run_record(
    connection: Connection,
    dataset_id: int,
    run_id: str,
    record: Mapping[str, Any],
    *,
    fingerprint: str | None = None,
) -> None:
    """Replace the record of a run.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    dataset_id : int
        Row id of the dataset.
    run_id : str
        Id of the run.
    record : mapping
        As JSON can hold it.
    fingerprint : str, optional
        That of the model, where it has changed.

    Raises
    ------
    DataError
        The record is not a JSON value.
    """
    condition = (runs.c.dataset_id == dataset_id, runs.c.id == run_id)
    values = {"record": _dump_record(record)}
    if fingerprint is not None:
        values["fingerprint"] = fingerprint
    connection.execute(update(runs).where(*condition).values(values))


def list_runs(
    connection: Connection, dataset_id: int, *, without: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return a dataset's records of training runs, oldest first.

    Parameters
    ----------
    connection : Connection
        With a transaction.
    dataset_id : int
        Row id of the dataset.
    without : collection of str
        Ids of runs to leave out: a record is long.
    """
    query = select(*(runs.c[key] for key in _KEYS)).where(runs.c.dataset_id == dataset_id)
    if without:
        query = query.where(runs.c.id.not_in(without))
    found = connection.execute(query.order_by(runs.c.seq)).mappings()
    return [{**row, "record": load_json(row["record"])} for row in found]


def _dump_record(record: object) -> str:
    try:
        return dump_json(record)
    except (TypeError, ValueError) as error:
        raise DataError(f"this cannot be stored: {error}", field="record") from error
