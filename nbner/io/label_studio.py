"""Label Studio's JSON: tasks with annotations, as it exports and imports them.

Offsets are code points. Exports of before 2022 counted UTF-16 units; where the
text that stands beside the offsets says so, they are read as such. Also read:
the short form, JSON-MIN. See ``label_studio_writing`` for the way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from nbner.io.prodigy import parse_tokens
from nbner.io.rows import Row, SourceLocation
from nbner.io.validation import (
    as_int,
    as_list,
    as_mapping,
    as_text,
    check_answer,
    check_hash,
    check_label,
    is_int,
    is_number,
)
from nbner.types import AnswerKind, Span

#: Under this key of a task's ``meta`` nbner keeps what Label Studio has no place for.
KEPT = "nbner"
#: Under this key of ``extra`` the task's other keys survive.
EXTRA = "_label_studio"

_LISTS = ("annotations", "predictions", "completions")
_OWN = ("data", "meta", *_LISTS)
_RESULT_KEYS = ("value", "from_name", "to_name", "type")


def looks_like(task: Mapping[str, Any]) -> bool:
    """Whether this is a task of Label Studio's, in its long or its short form."""
    if isinstance(task.get("data"), Mapping):
        return True
    return "annotation_id" in task and "text" in task


def rows_from_task(task: Mapping[str, Any], place: SourceLocation) -> Iterator[Row]:
    """Yield a row for each annotation; for none, the task with what was predicted.

    Raises
    ------
    DataError
        A key is missing or of the wrong kind, or offsets contradict the text.
    """
    if not isinstance(task.get("data"), Mapping):
        task = _long_form(task)
    data = as_mapping(task["data"], "data", place)
    key = _text_key(data, place)
    base = _Base(task, data, key, place)
    key, annotations = _annotations(task, place)
    for i, annotation in enumerate(annotations):
        yield base.answered(annotation, f"{key}[{i}]")
    if not annotations:
        yield base.open()


class _Base:
    """What all annotations of a task share."""

    def __init__(
        self, task: Mapping[str, Any], data: Mapping[str, Any], key: str, place: SourceLocation
    ) -> None:
        self._task = task
        self._place = place
        self._text = as_text(data[key], f"data.{key}", place)
        own = as_mapping(task.get("meta") or {}, "meta", place)
        self._kept = as_mapping(own.get(KEPT) or {}, f"meta.{KEPT}", place)
        meta = {str(name): value for name, value in data.items() if name != key}
        meta |= {str(name): value for name, value in own.items() if name != KEPT}
        kept_meta = self._kept.get("meta")
        self._fields: dict[str, Any] = {
            "meta": meta if kept_meta is None else as_mapping(kept_meta, "meta", place),
            "flagged": self._kept.get("flagged") is True,
            "note": as_text(self._kept.get("note") or "", "note", place),
            "tokens": parse_tokens(self._kept.get("tokens"), self._text, place),
            "input_hash": check_hash(self._kept.get("_input_hash"), "_input_hash", place),
            "file": place.file,
            "line": place.line,
        }
        # Under whose name the text stood, so that it is written where it was read.
        self._rest = {str(name): value for name, value in task.items() if name not in _OWN}
        if key != "text":
            self._rest["text_key"] = key

    def answered(self, annotation: Any, field: str) -> Row:
        """Give the row of one annotation."""
        given = as_mapping(annotation, field, self._place)
        spans, others = _results(given, self._text, field, self._place)
        own = self._kept if given.get("unique_id") == KEPT else {}
        answer: AnswerKind = "ignore" if given.get("was_cancelled") else "accept"
        return self._row(
            answer=check_answer(own.get("answer"), self._place) or answer,
            spans=spans,
            others=others,
            annotator=_annotator(given.get("completed_by")),
            created=_when(own.get("created", given.get("created_at")), self._place),
            binary=own.get("binary") is True,
        )

    def open(self) -> Row:
        """Give the row of a task that nobody has annotated, or that was rejected here."""
        field = "predictions"
        given = as_list(self._task.get(field) or [], field, self._place)
        newest = as_mapping(given[-1], field, self._place) if given else {}
        spans, others = _results(newest, self._text, field, self._place)
        source, score = newest.get("model_version"), newest.get("score")
        spans = tuple(_proposed(span, source, score) for span in spans)
        answer = check_answer(self._kept.get("answer"), self._place)
        return self._row(
            answer=answer,
            spans=spans if given or answer else None,
            others=others,
            annotator=_annotator(self._kept.get("annotator")),
            created=_when(self._kept.get("created"), self._place),
            binary=self._kept.get("binary") is True,
        )

    def _row(self, *, others: list[Any], **fields: Any) -> Row:
        rest = {**self._rest, "results": others} if others else self._rest
        extra = {EXTRA: rest} if rest else {}
        return Row(self._text, extra=extra, **self._fields, **fields)


def _long_form(task: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a task of the short form, JSON-MIN, into the long one."""
    known = ("annotator", "annotation_id", "created_at", "updated_at", "lead_time", "id")
    lists = {
        key: value
        for key, value in task.items()
        if isinstance(value, list)
        and all(isinstance(one, dict) and "start" in one for one in value)
    }
    results = [
        {"value": value, "from_name": key, "to_name": "text", "type": "labels"}
        for key, values in lists.items()
        for value in values
    ]
    annotation = {
        "id": task.get("annotation_id"),
        "completed_by": task.get("annotator"),
        "created_at": task.get("created_at"),
        "result": results,
    }
    data = {key: value for key, value in task.items() if key not in (*known, *lists)}
    return {"id": task.get("id"), "data": data, "annotations": [annotation]}


def _text_key(data: Mapping[str, Any], place: SourceLocation) -> str:
    if isinstance(data.get("text"), str):
        return "text"
    texts = [str(key) for key, value in data.items() if isinstance(value, str)]
    if len(texts) == 1:
        return texts[0]
    raise place.error(
        f"no text was found among {', '.join(map(repr, list(data)[:8])) or 'none'}",
        field="data",
        remedy="Put the text under data.text",
    )


def _annotations(task: Mapping[str, Any], place: SourceLocation) -> tuple[str, list[Any]]:
    # Versions before 1.0 said completions.
    key = "completions" if "completions" in task else "annotations"
    return key, as_list(task.get(key) or [], key, place)


def _results(
    given: Mapping[str, Any], text: str, field: str, place: SourceLocation
) -> tuple[tuple[Span, ...], list[Any]]:
    """Give the labelled spans, and what else was said: choices, relations."""
    spans: list[Span] = []
    others: list[Any] = []
    for i, result in enumerate(as_list(given.get("result") or [], f"{field}.result", place)):
        at = f"{field}.result[{i}]"
        parts = as_mapping(result, at, place)
        value = parts.get("value")
        if isinstance(value, Mapping) and isinstance(value.get("labels"), list):
            spans.extend(_spans(parts, value, text, at, place))
        else:
            others.append(dict(parts))
    return tuple(spans), others


def _spans(
    parts: Mapping[str, Any], value: Mapping[str, Any], text: str, field: str, place: SourceLocation
) -> Iterator[Span]:
    start = as_int(value.get("start"), f"{field}.value.start", place)
    end = as_int(value.get("end"), f"{field}.value.end", place)
    start, end = _code_points(text, start, end, value.get("text"), field, place)
    extra = {str(key): one for key, one in parts.items() if key not in (*_RESULT_KEYS, "score")}
    score = float(parts["score"]) if is_number(parts.get("score")) else None
    for label in value["labels"]:
        yield Span(
            start, end, check_label(label, f"{field}.value.labels", place), None, score, extra
        )


def _code_points(
    text: str, start: int, end: int, said: Any, field: str, place: SourceLocation
) -> tuple[int, int]:
    """Read offsets as code points, or as UTF-16 where only that gives the text they name."""
    if not isinstance(said, str) or _same(text[max(start, 0) : max(end, 0)], said):
        return start, end
    wide = text.encode("utf-16-le", "surrogatepass")
    if _same(wide[2 * max(start, 0) : 2 * max(end, 0)].decode("utf-16-le", "replace"), said):
        before = wide[: 2 * start].decode("utf-16-le", "surrogatepass")
        within = wide[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
        return len(before), len(before) + len(within)
    raise place.error(
        f"{said!r} is written here, but the text at these offsets is {text[max(start, 0) : end]!r}",
        field=field,
        remedy="Export again with a newer Label Studio, or correct the offsets",
    )


def _same(found: str, said: str) -> bool:
    # In the page a line end is written as two characters, or comes back as a space.
    return " ".join(found.split()) == " ".join(said.replace("\\n", "\n").split())


def _proposed(span: Span, source: Any, score: Any) -> Span:
    own = span.score if span.score is not None else float(score) if is_number(score) else None
    named = source if isinstance(source, str) and source else None
    return Span(span.start, span.end, span.label, named, own, span.extra)


def _annotator(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("email") or value.get("id")
    if is_int(value):
        return str(value)
    return value if isinstance(value, str) and value else None


def _when(value: Any, place: SourceLocation) -> float | None:
    if value is None or is_number(value):
        return None if value is None else float(value)
    said = as_text(value, "created_at", place).replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise place.error(f"{value!r} is not a time", field="created_at") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
