"""Label Studio's JSON: tasks with annotations, as it exports and imports them.

Offsets are code points. Exports from before 2022 counted UTF-16 units; offsets
are read as such where the text stored with them requires it. The short form,
JSON-MIN, is read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nbner.errors import DataError
from nbner.io.annotators import annotator_in, annotator_name
from nbner.io.files import atomic_write, json_bytes
from nbner.io.offset_conventions import with_own_offsets
from nbner.io.options import ReadOptions
from nbner.io.prodigy import parse_tokens
from nbner.io.rows import Row, SourceLocation
from nbner.io.span_shapes import find_layers
from nbner.io.tag_shapes import find_tags
from nbner.io.task_shapes import refuse_missed
from nbner.io.validation import (
    as_int,
    as_list,
    as_mapping,
    as_text,
    as_time,
    check_answer,
    check_hash,
    check_label,
    is_int,
    is_number,
)
from nbner.types import ANSWER_MARKS, IMPORT_ANNOTATOR, AnswerKind, Example, Span

SUFFIXES = (".json",)

# Key of a task's ``meta`` for all fields that Label Studio does not have.
_NBNER_KEY = "nbner"
# Key of ``extra`` for the task's other keys.
_EXTRA_KEY = "_label_studio"

_OWN_KEYS = ("data", "meta", "annotations", "predictions", "completions")
_RESULT_KEYS = ("value", "from_name", "to_name", "type", "score")
_RESULT_LISTS = frozenset(("annotations", "completions", "predictions"))
_SHORT_FORM_MARKS = frozenset(("text", "annotator", "lead_time"))
_OFFSET_KEYS = frozenset(("start", "end", "startOffset", "endOffset", "globalOffsets"))
_ADDRESS = re.compile(
    r"/data/(?:upload|local-files)/?\S*|(?:s3|gs|azure-blob|hdfs|file)://\S+|https?://\S+",
    re.IGNORECASE,
)
_SHORT_FORM_KEYS = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time")


def looks_like(task: Mapping[str, Any]) -> bool:
    """Return whether an object is a Label Studio task, in its long or its short form.

    Parameters
    ----------
    task : mapping
        Any JSON object.
    """
    data = task.get("data")
    if isinstance(data, Mapping):
        meta = task.get("meta")
        if isinstance(meta, Mapping) and _NBNER_KEY in meta:
            return True
        if not _RESULT_LISTS.isdisjoint(task):
            return all(_is_annotation(one) for key in _RESULT_LISTS for one in _list(task.get(key)))
        return any(isinstance(one, str) for one in data.values()) and not _is_annotated(task, data)
    return "annotation_id" in task and not _SHORT_FORM_MARKS.isdisjoint(task)


def rows_from_task(
    task: Mapping[str, Any], location: SourceLocation, options: ReadOptions
) -> Iterator[Row]:
    """Yield a row for each annotation; without any, one row with the last prediction.

    Parameters
    ----------
    task : mapping
        A task in its long or its short form.
    location : SourceLocation
        File and line of the task, for messages.
    options : ReadOptions
        ``text`` is the key of the text under ``data``.

    Raises
    ------
    DataError
        A key is missing or has the wrong type, offsets contradict the text, a
        region is not one of a plain text, or the text is the address of a file.
    """
    if not isinstance(task.get("data"), Mapping):
        task = _long_form(task, location)
    data = as_mapping(task["data"], "data", location)
    base = _TaskFields(task, data, _text_key(data, location, options.text), location)
    key, annotations = _annotations(task, location)
    for i, annotation in enumerate(annotations):
        yield base.annotated_row(annotation, f"{key}[{i}]")
    if not annotations:
        yield base.predicted_row()


def write(examples: Iterable[Example], path: Path) -> int:
    """Write every example as one task of a JSON list.

    Accepted and ignored examples get an annotation. Rejected spans must not be
    imported as gold: they are written as predictions, with the answer in
    ``meta.nbner``, like flag, note, tokens and meta.

    Parameters
    ----------
    examples : iterable of Example
        Consumed one by one.
    path : Path
        Replaced if it exists.

    Returns
    -------
    int
        Number of examples.
    """
    count = 0
    with atomic_write(path) as file:
        file.write(b"[")
        for example in examples:
            file.write((b",\n" if count else b"\n") + json_bytes(_task_from_example(example)))
            count += 1
        file.write(b"\n]\n")
    return count


class _TaskFields:
    """The fields that all annotations of a task share."""

    def __init__(
        self,
        task: Mapping[str, Any],
        data: Mapping[str, Any],
        text_key: str,
        location: SourceLocation,
    ) -> None:
        self._task = task
        self._location = location
        self._text = as_text(data[text_key], f"data.{text_key}", location)
        _check_not_address(self._text, f"data.{text_key}", location)
        own = as_mapping(task.get("meta") or {}, "meta", location)
        self._stored = as_mapping(own.get(_NBNER_KEY) or {}, f"meta.{_NBNER_KEY}", location)
        meta = {str(name): value for name, value in data.items() if name != text_key}
        meta |= {str(name): value for name, value in own.items() if name != _NBNER_KEY}
        stored_meta = self._stored.get("meta")
        self._fields: dict[str, Any] = {
            "meta": meta if stored_meta is None else as_mapping(stored_meta, "meta", location),
            "flagged": self._stored.get("flagged") is True,
            "note": as_text(self._stored.get("note") or "", "note", location),
            "tokens": parse_tokens(self._stored.get("tokens"), self._text, location),
            "input_hash": check_hash(self._stored.get("_input_hash"), "_input_hash", location),
            "file": location.file,
            "line": location.line,
        }
        self._extra = {str(name): value for name, value in task.items() if name not in _OWN_KEYS}
        # The key of the text is kept, so that the text is written where it was read.
        if text_key != "text":
            self._extra["text_key"] = text_key

    def annotated_row(self, annotation: Any, field: str) -> Row:
        """Build the row of one annotation."""
        parts = as_mapping(annotation, field, self._location)
        if "result" not in parts:
            raise self._location.error(
                f"this annotation has no 'result', but {', '.join(map(repr, list(parts)[:6]))}",
                field=field,
                remedy="Label Studio keeps the regions of an annotation under 'result'",
            )
        spans, others = _results(parts, self._text, field, self._location)
        stored = self._stored if parts.get("unique_id") == _NBNER_KEY else {}
        answer: AnswerKind = "ignore" if parts.get("was_cancelled") else "accept"
        return self._row(
            answer=check_answer(stored.get("answer"), self._location) or answer,
            spans=spans,
            others=others,
            annotator=annotator_in(parts),
            created=_timestamp(stored.get("created", parts.get("created_at")), self._location),
            binary=stored.get("binary") is True,
            marks=_marks(stored),
        )

    def predicted_row(self) -> Row:
        """Build the row of a task without annotations, which nbner may have rejected."""
        field = "predictions"
        predictions = as_list(self._task.get(field) or [], field, self._location)
        last = as_mapping(predictions[-1], field, self._location) if predictions else {}
        if not predictions:
            data = as_mapping(self._task["data"], "data", self._location)
            refuse_missed(data, ("data",), self._text, self._location)
        spans, others = _results(last, self._text, field, self._location)
        source, score = last.get("model_version"), last.get("score")
        spans = tuple(_suggestion(span, source, score) for span in spans)
        answer = check_answer(self._stored.get("answer"), self._location)
        return self._row(
            answer=answer,
            spans=spans if predictions or answer else None,
            others=others,
            annotator=annotator_name(self._stored.get("annotator")),
            created=_timestamp(self._stored.get("created"), self._location),
            binary=self._stored.get("binary") is True,
            marks=_marks(self._stored),
        )

    def _row(self, *, others: list[Any], marks: Mapping[str, Any], **fields: Any) -> Row:
        drafts = [one for one in _list(self._task.get("drafts")) if _list(one.get("result"))]
        if drafts:
            reason = f"{len(drafts)} drafts of Label Studio, which were not submitted, are not read"
            fields["unread"] = (reason,)
        kept = {**self._extra, "results": others} if others else self._extra
        extra = {**marks, **({_EXTRA_KEY: kept} if kept else {})}
        return Row(self._text, extra=extra, **self._fields, **fields)


def _marks(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an answer of nbner's own was given; see `ANSWER_MARKS`."""
    return {key: stored[key] for key in ANSWER_MARKS if key in stored}


def _long_form(task: Mapping[str, Any], location: SourceLocation) -> dict[str, Any]:
    """Convert a task of the short form, JSON-MIN or CSV, to the long one."""
    span_lists = {
        key: value
        for key, value in task.items()
        if isinstance(value, list)
        and key != "annotator"
        and all(isinstance(one, dict) and not _OFFSET_KEYS.isdisjoint(one) for one in value)
    }
    for key, value in task.items():
        if key not in (*_SHORT_FORM_KEYS, *span_lists):
            refuse_missed({key: value}, (), None, location)
    results = [
        {"value": value, "from_name": key, "to_name": "text", "type": "labels"}
        for key, values in span_lists.items()
        for value in values
    ]
    annotation = {
        "id": task.get("annotation_id"),
        "completed_by": annotator_in(task),
        "created_at": task.get("created_at"),
        "result": results,
    }
    known = (*_SHORT_FORM_KEYS, *span_lists)
    data = {key: value for key, value in task.items() if key not in known}
    return {"id": task.get("id"), "data": data, "annotations": [annotation]}


def _text_key(data: Mapping[str, Any], location: SourceLocation, wanted: str | None) -> str:
    if wanted is not None and isinstance(data.get(wanted.removeprefix("data.")), str):
        return wanted.removeprefix("data.")
    if isinstance(data.get("text"), str):
        return "text"
    texts = [str(key) for key, value in data.items() if isinstance(value, str)]
    if len(texts) == 1:
        return texts[0]
    raise location.error(
        f"no text was found among {', '.join(map(repr, list(data)[:8])) or 'none'}",
        field="data",
        remedy='Put the text under data.text, or name its key: text="..."',
    )


def _annotations(task: Mapping[str, Any], location: SourceLocation) -> tuple[str, list[Any]]:
    # Before version 1.0 annotations were called completions.
    key = "completions" if "completions" in task else "annotations"
    return key, as_list(task.get(key) or [], key, location)


def _results(
    annotation: Mapping[str, Any], text: str, field: str, location: SourceLocation
) -> tuple[tuple[Span, ...], list[Any]]:
    """Split the results of an annotation into labelled spans and others: choices, relations."""
    spans: list[Span] = []
    others: list[Any] = []
    results = as_list(annotation.get("result") or [], f"{field}.result", location)
    results = _with_own_offsets(results, text)
    for i, result in enumerate(results):
        result_field = f"{field}.result[{i}]"
        parts = as_mapping(result, result_field, location)
        value = parts.get("value")
        if _is_region(parts, value):
            spans.extend(
                _spans(
                    parts, as_mapping(value, result_field, location), text, result_field, location
                )
            )
        else:
            refuse_missed(parts, (result_field,), text, location)
            others.append(dict(parts))
    return tuple(spans), others


def _with_own_offsets(results: list[Any], text: str) -> list[Any]:
    """Convert offsets that count a Windows line end as one character, as browsers do."""
    values = [one.get("value") if isinstance(one, Mapping) else None for one in results]
    own = with_own_offsets(values, text, lambda written, found: _same_words(found, written))
    if own is values:
        return results
    return [
        {**one, "value": value} if isinstance(value, Mapping) else one
        for one, value in zip(results, own, strict=True)
    ]


def _spans(
    parts: Mapping[str, Any],
    value: Mapping[str, Any],
    text: str,
    field: str,
    location: SourceLocation,
) -> Iterator[Span]:
    kind = str(parts.get("type", "labels"))
    labels = _list(value.get("labels") or value.get(kind))
    _check_region(value, kind, labels, field, location)
    start = as_int(value.get("start"), f"{field}.value.start", location)
    end = as_int(value.get("end"), f"{field}.value.end", location)
    start, end = _code_points(text, start, end, value.get("text"), field, location)
    extra = {str(key): one for key, one in parts.items() if key not in _RESULT_KEYS}
    score = float(parts["score"]) if is_number(parts.get("score")) else None
    for raw in labels:
        label = check_label(raw, f"{field}.value.labels", location)
        yield Span(start, end, label, None, score, extra)


def _is_region(parts: Mapping[str, Any], value: Any) -> bool:
    """Return whether a result marks a part of the text, in whatever way."""
    if type(value) is not dict and not isinstance(value, Mapping):
        return False
    return not _OFFSET_KEYS.isdisjoint(value) or str(parts.get("type")).endswith("labels")


def _check_region(
    value: Mapping[str, Any], kind: str, labels: Any, field: str, location: SourceLocation
) -> None:
    """Raise for a region of HTML or of a dialogue, and for one without a label."""
    if not (is_int(value.get("start")) and is_int(value.get("end"))):
        raise location.error(
            f"this is a region of type {kind!r}, which is not a stretch of a plain text: "
            f"{value.get('start')!r} to {value.get('end')!r}",
            field=f"{field}.value",
            remedy="Only regions of a <Text> are read. Export the plain text, with offsets into "
            "it, or leave these tasks out",
        )
    if not isinstance(labels, list) or not labels:
        raise location.error(
            f"the region {value.get('start')} to {value.get('end')} has no label",
            field=f"{field}.value.labels",
            remedy="Label it in Label Studio, or delete it there; a text with a region that is "
            "not read would count as one without it",
        )


def _check_not_address(text: str, field: str, location: SourceLocation) -> None:
    if _ADDRESS.fullmatch(text):
        raise location.error(
            f"this is the address of a file, not a text: {text[:60]!r}",
            field=field,
            remedy='The project has valueType="url". Read the file, and put its text here: '
            'task["data"]["text"] = open(file).read()',
        )


def _is_annotated(task: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Return whether a task without results has spans or tags of another tool beside its text."""
    text = _only_text(data)
    rest = {key: value for key, value in task.items() if key != "data"}
    if any(True for _ in find_layers(data, ("data",), text)):
        return True
    if any(True for key, value in rest.items() for _ in find_layers(value, (str(key),), text)):
        return True
    try:
        return find_tags(task, text, SourceLocation(), ReadOptions()) is not None
    except DataError:
        return True


def _is_annotation(value: object) -> bool:
    return isinstance(value, Mapping) and ("result" in value or "was_cancelled" in value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _only_text(data: Mapping[str, Any]) -> str | None:
    text = data.get("text")
    return text if isinstance(text, str) else None


def _code_points(
    text: str, start: int, end: int, written: Any, field: str, location: SourceLocation
) -> tuple[int, int]:
    """Read offsets as code points, or as UTF-16 units where only those match the written text."""
    found = text[max(start, 0) : max(end, 0)]
    if not isinstance(written, str) or _same_words(found, written):
        return start, end
    utf16 = text.encode("utf-16-le", "surrogatepass")
    found = utf16[2 * max(start, 0) : 2 * max(end, 0)].decode("utf-16-le", "replace")
    if _same_words(found, written):
        before = utf16[: 2 * start].decode("utf-16-le", "surrogatepass")
        within = utf16[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
        return len(before), len(before) + len(within)
    raise location.error(
        f"{written!r} is written here, but the text at these offsets is "
        f"{text[max(start, 0) : end]!r}",
        field=field,
        remedy="Export again with a newer Label Studio, or correct the offsets",
    )


def _same_words(found: str, written: str) -> bool:
    if found == written:
        return True
    # Label Studio writes a line end as backslash and n, or replaces it by a space.
    return " ".join(found.split()) == " ".join(written.replace("\\n", "\n").split())


def _suggestion(span: Span, source: Any, score: Any) -> Span:
    own = span.score if span.score is not None else float(score) if is_number(score) else None
    name = source if isinstance(source, str) and source else None
    return Span(span.start, span.end, span.label, name, own, span.extra)


def _timestamp(value: Any, location: SourceLocation) -> float | None:
    if value is None or is_number(value):
        return None if value is None else as_time(value, "created_at", location)
    written = as_text(value, "created_at", location).replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise location.error(f"{value!r} is not a time", field="created_at") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return as_time(moment.timestamp(), "created_at", location)


def _task_from_example(example: Example) -> dict[str, Any]:
    extra = dict(example.extra.get(_EXTRA_KEY) or {})
    text_key = extra.pop("text_key", "text")
    others = extra.pop("results", [])
    results = [_result(i, span, example.text) for i, span in enumerate(example.spans)] + others
    # Meta goes beside the text, unless a reader could then not tell which of them is the text.
    is_ambiguous = text_key in example.meta or (
        text_key != "text" and any(isinstance(value, str) for value in example.meta.values())
    )
    data = {} if is_ambiguous else dict(example.meta)
    task: dict[str, Any] = {**extra, "data": {**data, text_key: example.text}}
    if example.answer in ("accept", "ignore"):
        task["annotations"] = [_annotation(example, results)]
    elif results:
        task["predictions"] = [_prediction(example, results)]
    fields = _nbner_fields(example, meta_in_data=not is_ambiguous)
    return {**task, "meta": {_NBNER_KEY: fields}} if fields else task


def _annotation(example: Example, results: list[Any]) -> dict[str, Any]:
    annotation: dict[str, Any] = {
        "result": results,
        "was_cancelled": example.answer == "ignore",
        "unique_id": _NBNER_KEY,
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
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": {
            "start": span.start,
            "end": span.end,
            "text": text[span.start : span.end],
            "labels": [span.label],
        },
    }
    return result if span.score is None else {**result, "score": span.score}


def _nbner_fields(example: Example, *, meta_in_data: bool) -> dict[str, Any]:
    """Build the entry under ``meta.nbner``; meta is stored in it if ``data`` cannot hold it."""
    rejected = example.answer == "reject"
    in_data = meta_in_data and all(isinstance(key, str) for key in example.meta)
    fields = {
        "_input_hash": example.input_hash,
        "flagged": example.flagged,
        "note": example.note,
        "meta": None if in_data else dict(example.meta),
        "tokens": _offsets(example) if example.pretokenized else None,
        "binary": example.binary,
        "answer": example.answer,
        "created": example.created,
        "annotator": example.annotator if rejected else None,
        **{key: example.extra.get(key) for key in ANSWER_MARKS},
    }
    return {key: value for key, value in fields.items() if value not in (None, "", False)}


def _offsets(example: Example) -> list[dict[str, int]]:
    return [{"start": token.start, "end": token.end} for token in example.tokens]
