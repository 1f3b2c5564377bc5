"""Examples as Prodigy's tasks; see ``prodigy`` for the way in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nbner._common.alignment import char_to_token_range
from nbner._common.hashing import input_hash, task_hash
from nbner.io.files import atomic_write, json_bytes
from nbner.io.prodigy import BINARY_VIEW, TASK_KEYS
from nbner.types import IMPORT_ANNOTATOR, Example, Span, Token

SUFFIXES = (".jsonl", ".ndjson")
VIEW = "ner_manual"


def write(examples: Iterable[Example], path: Path) -> int:
    """Write every example as one task a line, and say how many there were."""
    count = 0
    with atomic_write(path) as file:
        for example in examples:
            file.write(json_bytes(task_from_example(example)) + b"\n")
            count += 1
    return count


def task_from_example(example: Example) -> dict[str, Any]:
    """Write one example as a task, as ``row_from_task`` reads it."""
    hashed = example.input_hash or input_hash(example.text)
    named = example.extra.get("_task_hash") or task_hash(hashed, example.spans)
    extra = {key: value for key, value in example.extra.items() if key not in TASK_KEYS}
    task: dict[str, Any] = {"text": example.text}
    if example.meta:
        task["meta"] = dict(example.meta)
    task |= {"_input_hash": hashed, "_task_hash": named, **extra}
    if example.tokens:
        task["tokens"] = [_token_json(i, token) for i, token in enumerate(example.tokens)]
    if example.answer or example.spans:
        task["spans"] = [_span_json(span, example) for span in example.spans]
    if example.answer:
        task |= _answer_json(example, extra)
    if example.flagged:
        task["flagged"] = True
    if example.note:
        task["note"] = example.note
    return task


def _answer_json(example: Example, extra: Mapping[str, Any]) -> dict[str, Any]:
    view = extra.get("_view_id") or (BINARY_VIEW if example.binary else VIEW)
    answer: dict[str, Any] = {"answer": example.answer, "_view_id": view}
    if example.created is not None:
        answer["_timestamp"] = int(example.created)
    if example.annotator and example.annotator != IMPORT_ANNOTATOR:
        answer["_annotator_id"] = example.annotator
        answer["_session_id"] = extra.get("_session_id", example.annotator)
    return answer


def _token_json(i: int, token: Token) -> dict[str, Any]:
    return {"text": token.text, "start": token.start, "end": token.end, "id": i, "ws": token.ws}


def _span_json(span: Span, example: Example) -> dict[str, Any]:
    span_json: dict[str, Any] = {**span.extra, "start": span.start, "end": span.end}
    on_tokens = char_to_token_range(example.tokens, span.start, span.end)
    if on_tokens:
        # Theirs ends with its last token, ours before the next one.
        span_json |= {"token_start": on_tokens[0], "token_end": on_tokens[1] - 1}
    span_json |= {"label": span.label, "text": example.text[span.start : span.end]}
    if span.source is not None:
        span_json["source"] = span.source
    if span.score is not None:
        span_json["score"] = span.score
    return span_json
