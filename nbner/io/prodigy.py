"""Prodigy's tasks: dicts, one a line in a file; see ``objects`` for the files.

``start`` and ``end`` are code points, half-open. ``token_start`` and
``token_end`` are token indices, the end *inclusive* in the file; nbner's own
ends are exclusive. Where the two disagree, the
offsets win. See ``prodigy_writing`` for the way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbner._common.alignment import tokens_from_offsets, tokens_from_words
from nbner.io.rows import Row, SourceLocation
from nbner.io.validation import (
    as_int,
    as_list,
    as_mapping,
    as_number,
    as_text,
    check_answer,
    check_hash,
    check_label,
    is_int,
    is_number,
)
from nbner.types import Span, Token

BINARY_VIEW = "ner"

# Read into fields of their own; all other keys are kept as they are.
TASK_KEYS = {
    *("text", "tokens", "spans", "answer", "meta"),
    *("_input_hash", "_task_hash", "_annotator_id", "_timestamp"),
}
_SPAN_KEYS = {"start", "end", "token_start", "token_end", "label", "text"}
_SCORING_KEYS = {"score", "rank", "priority"}


def row_from_task(task: Mapping[str, Any], place: SourceLocation) -> Row:
    """Read one task.

    Parameters
    ----------
    task : mapping
        With ``text``, and any of the other keys.
    place : SourceLocation

    Raises
    ------
    DataError
        A key is missing or of the wrong kind, or the task contradicts itself.
    """
    text = _text(task, place)
    tokens = parse_tokens(task.get("tokens"), text, place)
    answer = check_answer(task.get("answer"), place)
    spans = _spans(task.get("spans"), text, tokens, place)
    kept = {str(key): value for key, value in task.items() if key not in TASK_KEYS}
    flagged = kept.pop("flagged") if isinstance(kept.get("flagged"), bool) else False
    note = kept.pop("note") if isinstance(kept.get("note"), str) else ""
    meta = {} if task.get("meta") is None else as_mapping(task["meta"], "meta", place)
    return Row(
        text=text,
        tokens=tokens,
        spans=() if spans is None and answer else spans,
        answer=answer,
        flagged=flagged,
        note=note,
        meta={str(key): value for key, value in meta.items()},
        extra=kept,
        input_hash=check_hash(task.get("_input_hash"), "_input_hash", place),
        task_hash=check_hash(task.get("_task_hash"), "_task_hash", place),
        annotator=_annotator(task.get("_annotator_id"), place),
        created=_when(task.get("_timestamp"), place),
        binary=answer is not None and _is_binary(kept, spans or ()),
        file=place.file,
        line=place.line,
    )


def _text(task: Mapping[str, Any], place: SourceLocation) -> str:
    if task.get("text") is None:
        keys = ", ".join(repr(str(key)) for key in list(task)[:8]) or "none"
        raise place.error(
            f"there is no text; the keys are: {keys}",
            field="text",
            remedy="Put the text under 'text'",
        )
    return as_text(task["text"], "text", place)


def parse_tokens(value: Any, text: str, place: SourceLocation) -> tuple[Token, ...] | None:
    """Read tokens: words, places, or ``Token`` values; None where there are none."""
    if value is None:
        return None
    given = as_list(value, "tokens", place)
    if all(isinstance(token, Token) for token in given):
        given = [{"start": token.start, "end": token.end} for token in given]
    if all(isinstance(token, str) for token in given):
        with place.adding_field("tokens"):
            return tokens_from_words(text, given)
    places = []
    for i, token in enumerate(given):
        field = f"tokens[{i}]"
        parts = as_mapping(token, field, place)
        start, end = _start_and_end(parts, field, place)
        _compare(parts.get("text"), text[max(start, 0) : end], field, place)
        places.append((start, end))
    with place.adding_field("tokens"):
        return tokens_from_offsets(text, places)


def _spans(
    value: Any, text: str, tokens: tuple[Token, ...] | None, place: SourceLocation
) -> tuple[Span, ...] | None:
    if value is None:
        return None
    spans = []
    for i, given in enumerate(as_list(value, "spans", place)):
        field = f"spans[{i}]"
        if isinstance(given, Span):
            spans.append(given)
        else:
            spans.append(_span(as_mapping(given, field, place), field, text, tokens, place))
    return tuple(spans)


def _span(
    given: Mapping[str, Any],
    field: str,
    text: str,
    tokens: tuple[Token, ...] | None,
    place: SourceLocation,
) -> Span:
    if given.get("start") is None and given.get("end") is None and tokens:
        start, end = _from_token_indices(given, field, tokens, place)
    else:
        start, end = _start_and_end(given, field, place)
    label = check_label(given.get("label"), f"{field}.label", place)
    # Out of the text is the intake's to say, which says it for every format.
    if 0 <= start < end <= len(text):
        _compare(given.get("text"), text[start:end], field, place)
    extra = {str(key): value for key, value in given.items() if key not in _SPAN_KEYS}
    source = extra.pop("source") if isinstance(extra.get("source"), str) else None
    score = float(extra.pop("score")) if is_number(extra.get("score")) else None
    return Span(start, end, label, source=source, score=score, extra=extra)


def _start_and_end(parts: Mapping[str, Any], field: str, place: SourceLocation) -> tuple[int, int]:
    return (
        as_int(parts.get("start"), f"{field}.start", place),
        as_int(parts.get("end"), f"{field}.end", place),
    )


def _from_token_indices(
    given: Mapping[str, Any], field: str, tokens: tuple[Token, ...], place: SourceLocation
) -> tuple[int, int]:
    first = as_int(given.get("token_start"), f"{field}.token_start", place)
    last = as_int(given.get("token_end"), f"{field}.token_end", place)
    if not 0 <= first <= last < len(tokens):
        raise place.error(
            f"tokens {first} to {last} are not in a text of {len(tokens)} tokens", field=field
        )
    return tokens[first].start, tokens[last].end


def _compare(said: Any, found: str, field: str, place: SourceLocation) -> None:
    if isinstance(said, str) and said != found:
        raise place.error(
            f"{said!r} is written here, but the text at these offsets is {found!r}",
            field=field,
            remedy="Offsets count code points, as Python does, not UTF-16 units or bytes",
        )


def _annotator(value: Any, place: SourceLocation) -> str | None:
    if value is None or value == "":
        return None
    return str(value) if is_int(value) else as_text(value, "_annotator_id", place)


def _when(value: Any, place: SourceLocation) -> float | None:
    return None if value is None else as_number(value, "_timestamp", place)


def _is_binary(kept: Mapping[str, Any], spans: tuple[Span, ...]) -> bool:
    if isinstance(kept.get("_is_binary"), bool):
        return bool(kept["_is_binary"])
    if kept.get("_view_id") is not None:
        return bool(kept["_view_id"] == BINARY_VIEW)
    # Old files do not name the view; a lone proposal with its score is teach's.
    return len(spans) == 1 and (
        spans[0].score is not None or not _SCORING_KEYS.isdisjoint(spans[0].extra)
    )
