"""Rows of nbner's own frames: ``answers()``, and a frame of examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from nbner.io.literals import value_of
from nbner.io.rows import SourceLocation

_OWN_FRAME = frozenset(("input_hash", "text", "spans", "answer", "annotator", "created"))
_OWN_EXAMPLE = frozenset(("input_hash", "text", "spans", "pretokenized"))
_MILLISECONDS = 1e11  # a larger number is no time in seconds


def is_own_frame(columns: Iterable[str]) -> bool:
    """Return whether these are the columns of ``answers()`` or of a frame of examples.

    Parameters
    ----------
    columns : iterable of str
        Names of columns, or keys.
    """
    names = set(columns)
    return names >= _OWN_EXAMPLE or names >= _OWN_FRAME


def rename_own_frame(task: Mapping[str, Any], location: SourceLocation) -> Mapping[str, Any]:
    """Rename the columns of a row of ``answers()`` or of a frame of examples.

    Parameters
    ----------
    task : mapping
        A row; returned as it is where it is of neither.
    location : SourceLocation
        File and line of the row, for messages.
    """
    if task.keys() >= _OWN_EXAMPLE:
        task = _own_example(task)
    elif not task.keys() >= _OWN_FRAME:
        return task
    own = {key: value for key, value in task.items() if key not in ("annotator", "created")}
    hashed = own.pop("input_hash")
    if hashed not in (None, "", 0, "0"):
        own["_input_hash"] = int(float(hashed)) if isinstance(hashed, float) else _int(hashed)
    if task.get("annotator") not in (None, "") and task.get("answer"):
        own["_annotator_id"] = task["annotator"]
    created = task.get("created")
    if created not in (None, ""):
        own["_timestamp"] = _seconds(created, location)
    return {key: value for key, value in own.items() if value is not None}


def _own_example(task: Mapping[str, Any]) -> Mapping[str, Any]:
    own = {key: value_of(value) for key, value in task.items() if key not in ("labels", "split")}
    extra = own.pop("extra", None)
    if str(own.pop("pretokenized")).lower() not in ("true", "1"):
        own.pop("tokens", None)
    if str(own.pop("binary", False)).lower() in ("true", "1"):
        own["_is_binary"] = True
    if not own.get("answer") and not own.get("spans"):
        own.pop("spans", None)
    if isinstance(own.get("spans"), (list, tuple)):
        own["spans"] = [_own_span(one) for one in own["spans"]]
    return {**own, **(extra if isinstance(extra, Mapping) else {})}


def _own_span(span: Any) -> Any:
    if not isinstance(span, Mapping):
        return span
    extra = span.get("extra")
    bare = {key: one for key, one in span.items() if key != "extra" and one is not None}
    return {**bare, **(extra if isinstance(extra, Mapping) else {})}


def _int(value: Any) -> Any:
    try:
        return int(value)
    except (TypeError, ValueError):
        return value


def _seconds(value: Any, location: SourceLocation) -> Any:
    if isinstance(value, (int, float)):
        return value / 1000 if value > _MILLISECONDS else value
    written = re.sub(r"(\.\d{6})\d+", r"\1", str(value)).replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        try:
            return float(written)
        except ValueError:
            raise location.error(f"{value!r} is not a time", field="created") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
