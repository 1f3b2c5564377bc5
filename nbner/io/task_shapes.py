"""Rows of any tool, brought into the keys of a Prodigy task or of a token row.

Every reader of objects goes through ``read_task``. Values that look like spans
are read as spans, or stop the source with an error that names them: a row with
such a value never becomes an example without spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nbner.errors import DataError
from nbner.io.annotators import annotator_in, annotator_key
from nbner.io.iob import is_tag
from nbner.io.label_keys import find_labelled, is_labelled_text
from nbner.io.literals import looks_like_literal, value_of
from nbner.io.offsets import UnclearOffsetsError
from nbner.io.options import ReadOptions
from nbner.io.own_frames import rename_own_frame
from nbner.io.plain_rows import (
    PLAIN_KEYS,
    is_broken,
    is_compact,
    is_offset_key,
    is_plain_row,
    is_plain_span,
)
from nbner.io.row_remedies import text_remedy, word_hint
from nbner.io.rows import Row, SourceLocation
from nbner.io.span_parsing import Keys, UnreadableSpanError, parse_span
from nbner.io.span_shapes import SpanLayer, find_layers, layer_of, shorten
from nbner.io.tag_shapes import TagLayer, find_tags
from nbner.io.word_offsets import unread_of_document, with_characters
from nbner.types import Span

# Keys of nbner's own tasks, in which no other spans are looked for.
_TASK_KEYS = frozenset((*PLAIN_KEYS, "spans", "tokens", "meta"))
_META_KEYS = ("meta", "metadata")
_WORD_TAG = re.compile(r"[BIESLUM]-[A-Z][A-Z_0-9]*")
_TAG_NAME = re.compile(r"ner|tag|label|iob|bio|entity", re.IGNORECASE)
# CAS JSON, of INCEpTION for instance, has the text in this list, beside the annotations.
_CAS_KEY = "%FEATURE_STRUCTURES"
# An empty list under one of these is an annotation without spans.
_EMPTY_KEYS = ("label", "labels", "entities", "ents", "annotation", "annotations", "ner")


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A row in the keys of a Prodigy task, or of a token row.

    Parameters
    ----------
    task : mapping
        The keys.
    annotator : str, optional
        The author of the answer, where the row names it under another key than
        ``_annotator_id``.
    unread : tuple of str
        Annotations that were recognized and not read.
    """

    task: Mapping[str, Any]
    annotator: str | None = None
    unread: tuple[str, ...] = ()

    def complete(self, row: Row) -> Row:
        """Add the author and what was not read to the row of the task.

        Parameters
        ----------
        row : Row
            Read from ``task``.
        """
        if self.annotator is None and not self.unread:
            return row
        return replace(row, annotator=row.annotator or self.annotator, unread=self.unread)


def read_task(task: Mapping[str, Any], location: SourceLocation, options: ReadOptions) -> ReadTask:
    """Find the text, the spans and the author of a row.

    Parameters
    ----------
    task : mapping
        A row of any tool.
    location : SourceLocation
        File and line of the row, for messages.
    options : ReadOptions
        ``text``, ``spans_key`` and ``tag_column`` name what is to be read.

    Raises
    ------
    DataError
        A value looks like spans and cannot be read, several do and none is
        named, or the row is one span and not a text.
    """
    if options.names_nothing and is_plain_row(task, options.labels):
        author = _author(task)
        return ReadTask(task if author is None else _without_author(task), author)
    if _CAS_KEY in task:
        raise location.error(
            "this is a file of UIMA's CAS JSON, which is not read",
            field=_CAS_KEY,
            remedy='Export it as "CoNLL 2002"',
        )
    own = rename_own_frame(task, location)
    return _TaskReader(own, location, options, is_own=own is not task).read()


def refuse_missed(
    value: Mapping[str, Any], keys: Keys, text: str | None, location: SourceLocation
) -> None:
    """Raise where a part of a row that is not read as spans looks like spans.

    Parameters
    ----------
    value : mapping
        The part.
    keys : tuple of str or int
        The keys that lead to it.
    text : str, optional
        The text of the row.
    location : SourceLocation
        File and line of the row, for messages.

    Raises
    ------
    DataError
        It names the first of them.
    """
    for layer in find_layers(value, keys, text):
        raise location.error(
            f"this looks like spans, and is not read: {layer.shown}",
            field=layer.path,
            remedy=_conversion(layer),
        )


def _author(task: Mapping[str, Any]) -> str | None:
    if task.get("_annotator_id") not in (None, "") or not (task.get("answer") or task.get("spans")):
        return None
    return annotator_in(task)


def _without_author(task: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the key of the author, which the row keeps in a field of its own."""
    key = annotator_key(task)
    is_kept = key is None or key[:1] == "_" or isinstance(task[key], Mapping)
    return {name: value for name, value in task.items() if is_kept or name != key}


@dataclass
class _TaskReader:
    """The reading of one row."""

    task: Mapping[str, Any]
    location: SourceLocation
    options: ReadOptions
    is_own: bool = False
    unread: list[str] = field(default_factory=list)
    author: str | None = None

    def read(self) -> ReadTask:
        """Return the row with its text, spans and tags under the usual keys."""
        text, text_keys = self._text()
        rest = (
            dict(self.task) if text_keys in (None, ("text",)) else _without(self.task, [text_keys])
        )
        if text is not None:
            rest["text"] = text
        elif (converted := with_characters(rest, self.location)) is not None:
            self.unread.extend(unread_of_document(rest))
            rest, text = converted, converted["text"]
        self._check_single_span(rest)
        spans = self._spans(rest, text)
        if spans is not None:
            rest = {**_without(rest, [spans[0]]), "spans": spans[1]}
        tags = None if spans is not None and spans[1] else self._tags(rest, text)
        if tags is not None:
            rest = self._with_tags(rest, tags)
        elif text is not None:
            self._check_compact(rest, text)
            if spans is None and self.options.spans_key is None and not self.is_own:
                self._check_labelled(rest, text)
        is_token_row = "tokens" in rest and not {"ner_tags", "tags"}.isdisjoint(rest)
        if text is None and tags is None and "text" not in rest and not is_token_row:
            keys = ", ".join(repr(str(key)) for key in list(rest)[:8]) or "none"
            raise self.location.error(
                f"there is no text; the keys are: {keys}", field="text", remedy=text_remedy(rest)
            )
        author = self.author or _author({**rest, **({"answer": "accept"} if tags else {})})
        if author is not None:
            rest = _without_author(rest)
        return ReadTask(rest, author, tuple(self.unread))

    # The text.

    def _text(self) -> tuple[str | None, Keys | None]:
        wanted = self.options.text
        if wanted is not None:
            found = _at(self.task, wanted)
            if found is None or not isinstance(found[1], str):
                keys = ", ".join(repr(str(key)) for key in list(self.task)[:8]) or "none"
                raise self.location.error(
                    f"there is no text under {wanted!r}; the keys are: {keys}", field="text"
                )
            return found[1], found[0]
        value = self.task.get("text")
        if isinstance(value, str):
            return value, ("text",)
        nested = list(_nested_texts(self.task)) if "text" not in self.task else []
        if len(nested) == 1:
            return nested[0][1], nested[0][0]
        return None, None

    # Rows that are one span.

    def _check_single_span(self, rest: Mapping[str, Any]) -> None:
        bare = {key: one for key, one in rest.items() if isinstance(one, (str, int, float))}
        if not any(is_offset_key(str(key)) for key in bare):
            return
        try:
            span = parse_span({key: one for key, one in bare.items() if key != "meta"}, None)
        except UnreadableSpanError:
            span = None
        if span is None or "spans" in rest:
            return
        kept = f"{span.start} to {span.end}, {span.label!r}"
        raise self.location.error(
            f"this row is a span ({kept}), not a text with its spans",
            remedy="Give one row for each text, with all of its spans as "
            '[{"start": 0, "end": 4, "label": "ORG"}] under \'spans\'; to compare a frame of '
            "session.predict, use nbner.evaluate(gold, frame)",
        )

    # The spans.

    def _spans(self, rest: Mapping[str, Any], text: str | None) -> tuple[Keys, list[Any]] | None:
        if self.options.spans_key is not None:
            return self._chosen_spans(rest, text, self.options.spans_key)
        own = rest.get("spans")
        if isinstance(own, str) and looks_like_literal(own):
            own = value_of(own)
        if own == {} and {"ents", "tokens"} & rest.keys():
            own = None  # the groups of a doc
        if own is not None:
            found = self._own_spans(own, text)
            others = self._layers(rest, text)
            # Beside spans, metadata may hold any pairs of numbers: counted, and no error.
            if found or all(one.keys[0] in _META_KEYS for one in others):
                self.unread.extend(_unread(one) for one in others)
                return ("spans",), found
            if isinstance(own, Mapping) or not any(one.is_prediction for one in others):
                raise self._several([*others], empty=True)
        layers = self._layers(rest, text)
        if own is not None and layers:
            self.unread.extend(_unread(one) for one in layers)
            return ("spans",), []
        return self._read_layers(layers, rest, text)

    def _own_spans(self, own: Any, text: str | None) -> Any:
        """Read what stands under ``spans``: offsets are code points there by definition."""
        if isinstance(own, (list, tuple)) and not own:
            return []
        if isinstance(own, (list, tuple)) and all(_is_task_span(one) for one in own):
            return list(own)
        groups = own if isinstance(own, Mapping) else {}
        if isinstance(own, Mapping) and not own:
            return own  # the reader of tasks says what is wrong
        layer = layer_of(own, ("spans",), text)
        if layer is not None and layer.problem is None and text is not None:
            return self._resolved(layer, text, certain=self.is_own)
        named = {str(key): one for key, one in groups.items() if one}
        if named and layer is None:
            found = [
                one
                for key, part in named.items()
                for one in find_layers(part, ("spans", key), text)
            ]
            if found:
                raise self._several(found, empty=False)
        is_own = isinstance(own, (list, tuple)) and all(
            isinstance(one, Mapping) and {"start", "end"} <= one.keys() for one in own
        )
        if layer is not None and not is_own:
            raise self._unreadable(layer)
        if isinstance(own, Mapping) and not named:
            return []
        return own  # the reader of tasks says what is wrong

    def _layers(self, rest: Mapping[str, Any], text: str | None) -> list[SpanLayer]:
        layers: list[SpanLayer] = []
        for key, value in rest.items():
            if key not in _TASK_KEYS or key == "meta":
                layers.extend(find_layers(value, (str(key),), text))
        return layers

    def _read_layers(
        self, layers: Sequence[SpanLayer], rest: Mapping[str, Any], text: str | None
    ) -> tuple[Keys, list[Any]] | None:
        if not layers:
            return self._empty(rest)
        predicted = [one for one in layers if one.is_prediction]
        chosen = [one for one in layers if not one.is_prediction] or predicted
        if len(chosen) < len(layers):
            self.unread.extend(_unread(one) for one in predicted)
        readable = [one for one in chosen if one.problem is None]
        if not readable:
            raise self._unreadable(chosen[0])
        siblings = {one.keys[0] for one in readable}
        broken = [one for one in chosen if one.problem is not None]
        for one in broken:
            if one.keys[0] in siblings and len(one.keys) > 1:
                raise self._unreadable(one)  # of one value, only a part would be read
        self.unread.extend(map(_unread, broken))
        if text is None:
            raise self.location.error(
                f"there are spans under {readable[0].path!r} ({readable[0].shown}), and no text",
                field="text",
                remedy=text_remedy(rest) + word_hint(rest),
            )
        resolved = [self._resolved(one, text) for one in readable]
        distinct = {tuple(sorted(map(_key_of, one))) for one in resolved}
        people = {self._author_of(one, rest) for one in readable}
        if len(distinct) > 1 or len(people) > 1:
            raise self._several(readable, empty=False)
        self.author = self.author or next(iter(people))
        self._check_one_text(readable[0], rest, text)
        return readable[0].keys, resolved[0]

    def _author_of(self, layer: SpanLayer, rest: Mapping[str, Any]) -> str | None:
        """Return the author of a layer: of its spans, or of the annotation that they lie in."""
        if layer.annotators:
            return layer.annotators[0]
        for depth in range(len(layer.keys) - 1, 0, -1):
            part = _at_keys(rest, layer.keys[:depth])
            author = annotator_in(part) if isinstance(part, Mapping) else None
            if author is not None:
                return author
        return None

    def _empty(self, rest: Mapping[str, Any]) -> tuple[Keys, list[Any]] | None:
        for key in _EMPTY_KEYS:
            value = value_of(rest.get(key))
            if isinstance(value, (list, tuple)) and not value:
                return (key,), []
        return None

    def _chosen_spans(
        self, rest: Mapping[str, Any], text: str | None, key: str
    ) -> tuple[Keys, list[Any]] | None:
        found = _at(rest, key) or _at(rest, f"spans.{key}")
        if found is None or found[1] is None or found[1] == "":
            return None
        keys, value = found
        value = value_of(value)
        if isinstance(value, (list, tuple)) and not value:
            return keys, []
        if keys == ("spans",):
            return keys, self._own_spans(value, text)
        layers = list(find_layers(value, keys, text))
        if len(layers) > 1:
            raise self._several(layers, empty=False)
        if not layers or text is None:
            raise self.location.error(
                f"there are no spans under {key!r}, but {shorten(value)}", field=key
            )
        if layers[0].problem is not None:
            raise self._unreadable(layers[0])
        return keys, self._resolved(layers[0], text)

    def _resolved(self, layer: SpanLayer, text: str, *, certain: bool = False) -> list[Span]:
        people = layer.annotators
        if len(people) > 1:
            raise self.location.error(
                f"the spans are of several people: {', '.join(people)}",
                field=layer.path,
                remedy="Give one row for each person, with the name under '_annotator_id'",
            )
        self.author = self.author or next(iter(people), None)
        try:
            return layer.resolve(text, certain=certain)
        except UnclearOffsetsError as error:
            raise self.location.error(
                f"these look like spans ({layer.shown}), but {error}",
                field=layer.path,
                remedy=_conversion(layer),
            ) from None

    def _check_one_text(self, layer: SpanLayer, rest: Mapping[str, Any], text: str) -> None:
        """Raise where the spans lie beside another text than the row's."""
        for depth in range(1, len(layer.keys)):
            part = _at_keys(rest, layer.keys[:depth])
            if not isinstance(part, Mapping):
                continue
            for key in ("text", "content"):
                other = part.get(key)
                if isinstance(other, str) and other != text:
                    raise self.location.error(
                        f"the spans under {layer.path!r} belong to another text: {other[:40]!r}",
                        field=layer.path,
                        remedy="Give one row for each text, with its spans under 'spans'",
                    )

    def _unreadable(self, layer: SpanLayer) -> DataError:
        return self.location.error(
            f"this looks like spans ({layer.shown}), but {layer.problem}",
            field=layer.path,
            remedy=_conversion(layer),
        )

    def _several(self, layers: Sequence[SpanLayer], *, empty: bool) -> DataError:
        paths = list(dict.fromkeys(one.path for one in layers))
        named = " and ".join(map(repr, paths[:4]))
        lead = "'spans' is empty, and spans are" if empty else "spans are"
        choice = paths[0].removeprefix("spans.")
        return self.location.error(
            f"{lead} under {named} ({layers[0].shown})",
            field=paths[0],
            remedy=f"Choose: spans_key={choice!r}"
            + ('; spans_key="spans" keeps the empty list' if empty else ""),
        )

    # The tags.

    def _tags(self, rest: Mapping[str, Any], text: str | None) -> TagLayer | None:
        if self.options.spans_key is not None and self.options.tag_column is None:
            return None
        self._check_tagged_word(rest, text)
        looked_at = {key: one for key, one in rest.items() if key not in PLAIN_KEYS}
        return find_tags(looked_at, text, self.location, self.options)

    def _check_tagged_word(self, rest: Mapping[str, Any], text: str | None) -> None:
        words = (
            [text]
            if text is not None
            else [
                str(one)
                for key, one in rest.items()
                if str(key).lower() in ("word", "token", "form")
            ]
        )
        if len(words) != 1 or len(words[0].split()) != 1:
            return
        for key, value in rest.items():
            if not isinstance(value, str) or key == "text":
                continue
            is_named = _TAG_NAME.search(str(key)) is not None and is_tag(value)
            if _WORD_TAG.fullmatch(value) or is_named:
                raise self.location.error(
                    f"this row is a word ({words[0]!r}) with its tag ({value!r}), not a text",
                    field=str(key),
                    remedy="Give a DataFrame or a .csv with a column for the sentence, the word "
                    "and the tag, or one row for each sentence with lists under 'tokens' and "
                    "'ner_tags'",
                )

    def _with_tags(self, rest: Mapping[str, Any], layer: TagLayer) -> dict[str, Any]:
        drop = [layer.keys, *([layer.word_keys] if layer.word_keys is not None else [])]
        pruned = _without(rest, [keys for keys in drop if 0 not in keys] or drop)
        for keys in drop:
            pruned.pop(str(keys[0]), None) if len(keys) == 1 or 0 in keys else None
        if not pruned.get("spans"):
            pruned.pop("spans", None)
        pruned.pop("tags", None)
        return {**pruned, "tokens": list(layer.words), "ner_tags": list(layer.tags)}

    # Text that looks like spans.

    def _check_compact(self, rest: Mapping[str, Any], text: str) -> None:
        for key, value in rest.items():
            if key in _TASK_KEYS:
                continue
            for one in _strings_in(value):
                if is_compact(one, len(text)) or is_broken(one) or is_labelled_text(one, text):
                    raise self.location.error(
                        f"this looks like spans in a text of its own: {shorten(one)}",
                        field=str(key),
                        remedy="Write them with json.dumps, as "
                        '[{"start": 0, "end": 4, "label": "ORG"}], under \'spans\'',
                    )

    # Keys that are labels, and words that have one.

    def _check_labelled(self, rest: Mapping[str, Any], text: str) -> None:
        found = find_labelled(rest, text, self.options.labels, _TASK_KEYS)
        if found is None:
            return
        if found.is_certain:
            raise self.location.error(found.problem, field=found.key, remedy=found.remedy)
        self.unread.append(found.problem)


def _is_task_span(span: Any) -> bool:
    if isinstance(span, Span):
        return True
    return isinstance(span, Mapping) and is_plain_span(span)


def _strings_in(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        yield from (one for one in value if isinstance(one, str))


def _unread(layer: SpanLayer) -> str:
    return f"spans under {layer.path!r} are not read; spans_key={layer.path!r} reads them"


def _conversion(layer: SpanLayer) -> str:
    return (
        "Write them as row['spans'] = [{'start': s, 'end': e, 'label': label} for s, e, label in "
        f"row[{str(layer.keys[0])!r}]], in code points with exclusive ends; if they are no "
        'entities, say spans_key="spans"'
    )


def _key_of(span: Any) -> tuple[int, int, str]:
    return span.start, span.end, span.label


def _nested_texts(value: Mapping[str, Any], keys: Keys = ()) -> Iterable[tuple[Keys, str]]:
    for key, one in value.items():
        if key == "text" and isinstance(one, str) and keys:
            yield (*keys, key), one
        elif isinstance(one, Mapping) and len(keys) < 4 and key != "meta":
            yield from _nested_texts(one, (*keys, str(key)))


def _at(value: Mapping[str, Any], path: str) -> tuple[Keys, Any] | None:
    """Return the keys and the value of a path such as ``fields.text``."""
    if path in value:
        return (path,), value[path]
    keys: list[str | int] = []
    found: Any = value
    for part in re.findall(r"[^.\[\]]+", path):
        key: str | int = part
        found = value_of(found)
        if isinstance(found, (list, tuple)) and part.isdecimal() and int(part) < len(found):
            key = int(part)
            found = found[key]
        elif isinstance(found, Mapping) and part in found:
            found = found[part]
        else:
            return None
        keys.append(key)
    return tuple(keys), found


def _at_keys(value: Any, keys: Keys) -> Any:
    for key in keys:
        value = value_of(value)
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _without(value: Mapping[str, Any], paths: Sequence[Keys]) -> dict[str, Any]:
    """Return a copy without the values at some keys, and without what is empty then."""
    result: dict[str, Any] = dict(value)
    for keys in paths:
        _drop(result, keys)
    return result


def _drop(value: dict[str, Any], keys: Keys) -> None:
    first = str(keys[0])
    inner = value.get(first)
    if len(keys) == 1 or not isinstance(inner, Mapping):
        value.pop(first, None)
        return
    copy = dict(inner)
    _drop(copy, keys[1:])
    if copy:
        value[first] = copy
    else:
        value.pop(first, None)
