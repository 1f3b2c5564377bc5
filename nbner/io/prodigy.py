"""Prodigy's tasks: dicts, one per line in a ``.jsonl`` file (which ``json_tasks`` reads).

``start`` and ``end`` are code points, half-open. ``token_start`` and
``token_end`` are token indices with an *inclusive* end in the file; nbner's own
ends are exclusive. Where the two disagree, the code points win.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbner._common.alignment import char_to_token_range, tokens_from_offsets
from nbner._common.hashing import input_hash, task_hash
from nbner.io.annotators import annotator_name
from nbner.io.display_tokens import is_display_form, is_special, tokens_from_display
from nbner.io.files import atomic_write, json_bytes
from nbner.io.offset_conventions import same_text, with_own_offsets
from nbner.io.rows import Row, SourceLocation
from nbner.io.validation import (
    as_int,
    as_list,
    as_mapping,
    as_text,
    as_time,
    check_answer,
    check_hash,
    check_label,
    is_number,
)
from nbner.types import IMPORT_ANNOTATOR, Example, Span, Token

SUFFIXES = (".jsonl", ".ndjson")

_MANUAL_VIEW = "ner_manual"
_BINARY_VIEW = "ner"

# Read into fields of their own; all other keys are kept unchanged.
_TASK_KEYS = {
    *("text", "tokens", "spans", "answer", "meta"),
    *("_input_hash", "_task_hash", "_annotator_id", "_timestamp"),
}
_SPAN_KEYS = {"start", "end", "token_start", "token_end", "label", "text"}
_SCORING_KEYS = {"score", "rank", "priority"}


def row_from_task(task: Mapping[str, Any], location: SourceLocation) -> Row:
    """Convert a task to a row.

    Parameters
    ----------
    task : mapping
        With ``text``, and any of the other keys.
    location : SourceLocation
        File and line of the task, for messages.

    Raises
    ------
    DataError
        A key is missing or has the wrong type, or the task contradicts itself.
    """
    text = _text(task, location)
    tokens = parse_tokens(task.get("tokens"), text, location)
    answer = check_answer(task.get("answer"), location)
    given = task.get("tokens")
    spans = _spans(task.get("spans"), text, tokens, given, location)
    extra = {str(key): value for key, value in task.items() if key not in _TASK_KEYS}
    flagged = extra.pop("flagged") if isinstance(extra.get("flagged"), bool) else False
    note = extra.pop("note") if isinstance(extra.get("note"), str) else ""
    meta = {} if task.get("meta") is None else as_mapping(task["meta"], "meta", location)
    return Row(
        text=text,
        tokens=tokens,
        spans=() if spans is None and answer else spans,
        answer=answer,
        flagged=flagged,
        note=note,
        meta={str(key): value for key, value in meta.items()},
        extra=extra,
        input_hash=check_hash(task.get("_input_hash"), "_input_hash", location),
        task_hash=check_hash(task.get("_task_hash"), "_task_hash", location),
        annotator=_annotator(task.get("_annotator_id"), location),
        created=_timestamp(task.get("_timestamp"), location),
        binary=answer is not None and _is_binary(extra, spans or ()),
        file=location.file,
        line=location.line,
    )


def parse_tokens(value: Any, text: str, location: SourceLocation) -> tuple[Token, ...] | None:
    """Parse a list of tokens.

    Parameters
    ----------
    value : object
        A list of words, of dicts with offsets, or of ``Token``; or None.
    text : str
        The text that the tokens belong to.
    location : SourceLocation
        File and line of the task, for messages.

    Returns
    -------
    tuple of Token, or None
        None for None.

    Raises
    ------
    DataError
        The value has the wrong type, or the tokens do not rebuild the text.
    """
    if value is None:
        return None
    tokens = as_list(value, "tokens", location)
    if all(isinstance(token, Token) for token in tokens):
        tokens = [{"start": token.start, "end": token.end} for token in tokens]
    if all(isinstance(token, str) for token in tokens):
        with location.adding_field("tokens"):
            return tokens_from_display(text, tokens)
    offsets = [one for one in _token_offsets(tokens, text, location) if one is not None]
    with location.adding_field("tokens"):
        return tokens_from_offsets(text, list(dict.fromkeys(offsets)))


def _is_same_token(written: str, found: str) -> bool:
    return same_text(written, found) or is_display_form(written, found)


def _token_offsets(
    tokens: Sequence[Any], text: str, location: SourceLocation
) -> Iterator[tuple[int, int] | None]:
    """Yield the offsets of each token; None for a special token, which has no characters."""
    for i, token in enumerate(with_own_offsets(tokens, text, _is_same_token)):
        field = f"tokens[{i}]"
        parts = as_mapping(token, field, location)
        start, end = _start_and_end(parts, field, location)
        written = parts.get("text")
        if start == end and is_special(written):
            yield None
            continue
        found = text[max(start, 0) : end]
        if not is_display_form(written, found):
            _check_same_text(written, found, field, location)
        yield start, end


def write(examples: Iterable[Example], path: Path) -> int:
    """Write every example as one task per line.

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
        for example in examples:
            file.write(json_bytes(task_from_example(example)) + b"\n")
            count += 1
    return count


def task_from_example(example: Example) -> dict[str, Any]:
    """Convert an example to a task, which ``row_from_task`` converts back.

    Parameters
    ----------
    example : Example
        With or without an answer.
    """
    hashed = example.input_hash or input_hash(example.text)
    hashed_task = example.extra.get("_task_hash") or task_hash(hashed, example.spans)
    extra = {key: value for key, value in example.extra.items() if key not in _TASK_KEYS}
    task: dict[str, Any] = {"text": example.text}
    if example.meta:
        task["meta"] = dict(example.meta)
    task |= {"_input_hash": hashed, "_task_hash": hashed_task, **extra}
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


def _text(task: Mapping[str, Any], location: SourceLocation) -> str:
    if task.get("text") is None:
        keys = ", ".join(repr(str(key)) for key in list(task)[:8]) or "none"
        raise location.error(
            f"there is no text; the keys are: {keys}",
            field="text",
            remedy="Put the text under 'text', or name its key: text=\"...\"",
        )
    return as_text(task["text"], "text", location)


def _spans(
    value: Any,
    text: str,
    tokens: tuple[Token, ...] | None,
    given: Any,
    location: SourceLocation,
) -> tuple[Span, ...] | None:
    if value is None:
        return None
    spans = []
    for i, one in enumerate(with_own_offsets(as_list(value, "spans", location), text)):
        field = f"spans[{i}]"
        if isinstance(one, Span):
            spans.append(one)
        else:
            parts = as_mapping(one, field, location)
            spans.append(_span(parts, field, text, tokens, given, location))
    return tuple(spans)


def _span(
    parts: Mapping[str, Any],
    field: str,
    text: str,
    tokens: tuple[Token, ...] | None,
    given: Any,
    location: SourceLocation,
) -> Span:
    if parts.get("start") is None and parts.get("end") is None and tokens:
        start, end = _offsets_of_token_range(parts, field, _numbered(given, text, tokens), location)
    else:
        start, end = _start_and_end(parts, field, location)
    label = check_label(parts.get("label"), f"{field}.label", location)
    # Offsets outside the text are reported by the importer, for every format alike.
    if 0 <= start < end <= len(text):
        _check_same_text(parts.get("text"), text[start:end], field, location)
    extra = {str(key): value for key, value in parts.items() if key not in _SPAN_KEYS}
    source = extra.pop("source") if isinstance(extra.get("source"), str) else None
    score = float(extra.pop("score")) if is_number(extra.get("score")) else None
    return Span(start, end, label, source=source, score=score, extra=extra)


def _start_and_end(
    parts: Mapping[str, Any], field: str, location: SourceLocation
) -> tuple[int, int]:
    return (
        as_int(parts.get("start"), f"{field}.start", location),
        as_int(parts.get("end"), f"{field}.end", location),
    )


def _numbered(given: Any, text: str, tokens: Sequence[Token]) -> list[tuple[int, int] | None]:
    """Return the offsets of the tokens as the task numbers them, special tokens included."""
    if not isinstance(given, (list, tuple)) or not all(
        isinstance(one, Mapping) and "start" in one and "end" in one for one in given
    ):
        return [(one.start, one.end) for one in tokens]
    own = with_own_offsets(given, text, _is_same_token)
    return [(one["start"], one["end"]) if one["start"] < one["end"] else None for one in own]


def _offsets_of_token_range(
    parts: Mapping[str, Any],
    field: str,
    tokens: Sequence[tuple[int, int] | None],
    location: SourceLocation,
) -> tuple[int, int]:
    first = as_int(parts.get("token_start"), f"{field}.token_start", location)
    last = as_int(parts.get("token_end"), f"{field}.token_end", location)
    if not 0 <= first <= last < len(tokens):
        raise location.error(
            f"tokens {first} to {last} are not in a text of {len(tokens)} tokens", field=field
        )
    start, end = tokens[first], tokens[last]
    if start is None or end is None:
        raise location.error("the span begins or ends with a special token", field=field)
    return start[0], end[1]


def _check_same_text(written: Any, found: str, field: str, location: SourceLocation) -> None:
    if isinstance(written, str) and written != found:
        raise location.error(
            f"{written!r} is written here, but the text at these offsets is {found!r}",
            field=field,
            remedy="Offsets count code points, as Python does, not UTF-16 units or bytes",
        )


def _annotator(value: Any, location: SourceLocation) -> str | None:
    if value is None or value == "":
        return None
    name = annotator_name(value)
    return as_text(value, "_annotator_id", location) if name is None else name


def _timestamp(value: Any, location: SourceLocation) -> float | None:
    return None if value is None else as_time(value, "_timestamp", location)


def _is_binary(extra: Mapping[str, Any], spans: tuple[Span, ...]) -> bool:
    if isinstance(extra.get("_is_binary"), bool):
        return bool(extra["_is_binary"])
    if extra.get("_view_id") is not None:
        return bool(extra["_view_id"] == _BINARY_VIEW)
    # Old files do not name the view; a single scored proposal comes from ner.teach.
    return len(spans) == 1 and (
        spans[0].score is not None or not _SCORING_KEYS.isdisjoint(spans[0].extra)
    )


def _answer_json(example: Example, extra: Mapping[str, Any]) -> dict[str, Any]:
    view = extra.get("_view_id") or (_BINARY_VIEW if example.binary else _MANUAL_VIEW)
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
    token_range = char_to_token_range(example.tokens, span.start, span.end)
    if token_range:
        # Prodigy's end is the last token, nbner's the one after it.
        span_json |= {"token_start": token_range[0], "token_end": token_range[1] - 1}
    span_json |= {"label": span.label, "text": example.text[span.start : span.end]}
    if span.source is not None:
        span_json["source"] = span.source
    if span.score is not None:
        span_json["score"] = span.score
    return span_json
