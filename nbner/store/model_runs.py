"""Records of trained models, beside the data that they were trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from nbner._common.serialization import dump_json, load_json
from nbner.errors import DataError
from nbner.store.schema import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEYS = ("id", "created", "path", "fingerprint", "record")


def add_run(connection: Connection, dataset_id: int, run: Mapping[str, Any]) -> None:
    """Keep a record.

    Raises
    ------
    DataError
        A key is missing, or the record cannot be written as JSON.
    """
    for key in KEYS:
        if key not in run:
            raise DataError(f"a run needs {', '.join(KEYS)}", field=key)
    try:
        record = dump_json(run["record"])
    except (TypeError, ValueError) as error:
        raise DataError(f"this cannot be stored: {error}", field="record") from error
    values = {**{key: run[key] for key in KEYS}, "path": str(run["path"]), "record": record}
    connection.execute(insert(runs), {"dataset_id": dataset_id, **values})


def list_runs(connection: Connection, dataset_id: int) -> list[dict[str, Any]]:
    """Give a dataset's records, the oldest first."""
    query = select(*(runs.c[key] for key in KEYS)).where(runs.c.dataset_id == dataset_id)
    found = connection.execute(query.order_by(runs.c.seq)).mappings()
    return [{**row, "record": load_json(row["record"])} for row in found]
