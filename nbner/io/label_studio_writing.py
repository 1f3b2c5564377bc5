"""Examples as Label Studio's tasks; see ``label_studio`` for the way in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nbner.io.files import atomic_write, json_bytes
from nbner.io.label_studio import EXTRA, KEPT
from nbner.types import IMPORT_ANNOTATOR, Example, Span

SUFFIXES = (".json",)
_FROM, _TO = "label", "text"


def write(examples: Iterable[Example], path: Path) -> int:
    """Write every example as one task of a JSON list, and say how many there were.

    Accepted and ignored examples have an annotation. Rejected spans must not
    come back as gold: they stand as predictions, and the answer in
    ``meta.nbner``, where a flag, a note, tokens and meta stand too.
    """
    count = 0
    with atomic_write(path) as file:
        file.write(b"[")
        for example in examples:
            file.write((b",\n" if count else b"\n") + json_bytes(task_from_example(example)))
            count += 1
        file.write(b"\n]\n")
    return count


def task_from_example(example: Example) -> dict[str, Any]:
    """Write one example as a task, as ``rows_from_task`` reads it."""
    rest = dict(example.extra.get(EXTRA) or {})
    text_key = rest.pop("text_key", "text")
    others = rest.pop("results", [])
    results = [_result(i, span, example.text) for i, span in enumerate(example.spans)] + others
    task: dict[str, Any] = {
        **rest,
        "data": {**_data(example.meta, text_key), text_key: example.text},
    }
    if example.answer in ("accept", "ignore"):
        task["annotations"] = [_annotation(example, results)]
    elif results:
        task["predictions"] = [_prediction(example, results)]
    kept = _kept(example, plain=set(task["data"]) == {*example.meta, text_key})
    return {**task, "meta": {KEPT: kept}} if kept else task


def _data(meta: Mapping[str, Any], text_key: str) -> dict[str, Any]:
    return {key: value for key, value in meta.items() if key != text_key}


def _annotation(example: Example, results: list[Any]) -> dict[str, Any]:
    annotation: dict[str, Any] = {
        "result": results,
        "was_cancelled": example.answer == "ignore",
        "unique_id": KEPT,
    }
    if example.annotator and example.annotator != IMPORT_ANNOTATOR:
        annotation["completed_by"] = {"email": example.annotator}
    if example.created is not None:
        moment = datetime.fromtimestamp(example.created, tz=timezone.utc)
        annotation["created_at"] = moment.isoformat().replace("+00:00", "Z")
    return annotation


def _prediction(example: Example, results: list[Any]) -> dict[str, Any]:
    sources = {span.source for span in example.spans if span.source}
    return {"model_version": ", ".join(sorted(sources)), "result": results}


def _result(i: int, span: Span, text: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "id": f"nbner{i}",
        **span.extra,
        "from_name": _FROM,
        "to_name": _TO,
        "type": "labels",
        "value": {
            "start": span.start,
            "end": span.end,
            "text": text[span.start : span.end],
            "labels": [span.label],
        },
    }
    return result if span.score is None else {**result, "score": span.score}


def _kept(example: Example, *, plain: bool) -> dict[str, Any]:
    rejected = example.answer == "reject"
    said = {
        "_input_hash": example.input_hash,
        "flagged": example.flagged,
        "note": example.note,
        # Keys that would be taken for the text's, or beside which no text could be told.
        "meta": None if plain and _is_clear(example.meta) else dict(example.meta),
        "tokens": _places(example) if example.pretokenized else None,
        "binary": example.binary,
        "answer": example.answer,
        "created": example.created,
        "annotator": example.annotator if rejected else None,
    }
    return {key: value for key, value in said.items() if value not in (None, "", False)}


def _places(example: Example) -> list[dict[str, int]]:
    return [{"start": token.start, "end": token.end} for token in example.tokens]


def _is_clear(meta: Mapping[str, Any]) -> bool:
    return all(isinstance(key, str) for key in meta)
