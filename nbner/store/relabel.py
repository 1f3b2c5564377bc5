"""Renaming and merging of labels over all answers of a dataset: new events, nothing overwritten.

A relabelled answer says the same as before under another name: it is a new event of its
annotator, with the decision, note and time of the old one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Table, Text, cast, insert, literal, select, update

from nbner._common.batch_ids import batch_answer_id
from nbner._common.guidelines import VERSION_KEY
from nbner._common.serialization import (
    dump_json,
    dump_spans,
    load_json,
    load_labels,
    load_spans,
)
from nbner.store.answers import ensure_label_set
from nbner.store.schema import annotator_answers, answers, example_answers, label_sets, splits
from nbner.types import Span

#: Key in an answer's ``extra`` with the old names and the new ones.
RELABEL_KEY = "relabelled"

# What still holds of an answer under another name. The seconds that it took, and the
# suggestions that it was given to, were counted with the old event.
_KEPT = ("binary", "task", "review", VERSION_KEY)
# The rank of its spans in the model's list: analyses that differ in two labels are one after
# those were merged, and the ranks are others.
_KEPT_BY_RENAMING = ("gold_rank", "list_size", "list_steps")

# Keys with suggested spans as [start, end, label]; see `nbner._common.offered` and
# `nbner.quality.anchoring.audit`.
_SUGGESTED = ("suggestions", "audit")

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class RelabelCounts:
    """Numbers of spans and examples that a change of labels touches.

    Parameters
    ----------
    spans, examples, answers : int
        Spans that change, examples that hold one, and answers that become new events:
        also those without such a span whose annotator could have given the label.
    """

    spans: int = 0
    examples: int = 0
    answers: int = 0


def relabel(
    connection: Connection,
    dataset_id: int,
    mapping: Mapping[str, str],
    batch_id: str,
    now: float,
    *,
    merges: bool,
) -> RelabelCounts:
    """Rename labels in every current answer and draft of a dataset.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    dataset_id : int
        Row id of the dataset, whose splits are locked.
    mapping : mapping
        Old name to new name.
    batch_id : str
        Prefix of the new events' ids.
    now : float
        Present time by the store's clock, in seconds since the epoch.
    merges : bool
        Whether the new name is that of a label already. An answer counts as complete
        for it then if it was complete for both, or if it holds a span of it.
    """
    counts, rows = _changed(connection, dataset_id, mapping, merges=merges)
    sets: dict[tuple[str, ...], int] = {}
    ids = [row["old_id"] for row in rows]
    for at in range(0, len(rows), _CHUNK):
        events = []
        for row in rows[at : at + _CHUNK]:
            labels = row.pop("labels")
            if labels not in sets:
                sets[labels] = ensure_label_set(connection, labels)
            uid = batch_answer_id(batch_id, row.pop("old_id"))
            events.append({**row, "uid": uid, "label_set_id": sets[labels], "stored": now})
        connection.execute(insert(answers), events)
    for table in (annotator_answers, example_answers):
        _point_to_batch(connection, table, ids, batch_id)
    return counts


def count_relabelled(
    connection: Connection, dataset_id: int, mapping: Mapping[str, str], *, merges: bool
) -> RelabelCounts:
    """Count what `relabel` would change.

    Parameters
    ----------
    connection : Connection
        With a read transaction.
    dataset_id : int
        Row id of the dataset.
    mapping : mapping
        Old name to new name.
    merges : bool
        Whether the new name is that of a label already.
    """
    return _changed(connection, dataset_id, mapping, merges=merges)[0]


def relabelled(spans: Sequence[Span], mapping: Mapping[str, str]) -> tuple[Span, ...]:
    """Return spans under the new names.

    Parameters
    ----------
    spans : sequence of Span
        Spans.
    mapping : mapping
        Old name to new name.
    """
    return tuple(
        replace(one, label=mapping[one.label]) if one.label in mapping else one for one in spans
    )


def relabelled_extra(extra: Mapping[str, Any], mapping: Mapping[str, str]) -> Mapping[str, Any]:
    """Return an answer's ``extra`` with what was suggested before it under the new names.

    Parameters
    ----------
    extra : mapping
        As JSON can hold it.
    mapping : mapping
        Old name to new name.
    """

    def renamed(value: Any) -> Any:
        match value:
            case [int(start), int(end), str(label)]:
                return [start, end, mapping.get(label, label)]
            case list() | tuple():
                return [renamed(one) for one in value]
            case Mapping():
                return {key: renamed(one) for key, one in value.items()}
        return value

    return {key: renamed(one) if key in _SUGGESTED else one for key, one in extra.items()}


def relabelled_set(
    labels: Sequence[str], mapping: Mapping[str, str], spans: Sequence[Span], *, merges: bool
) -> tuple[str, ...]:
    """Return the labels for which an answer is complete, under the new names.

    Parameters
    ----------
    labels : sequence of str
        The labels for which it was complete.
    mapping : mapping
        Old name to new name.
    spans : sequence of Span
        Its spans, under the new names.
    merges : bool
        Whether the new name was that of a label already.
    """
    after = dict.fromkeys(mapping.get(one, one) for one in labels)
    if merges:
        held = {span.label for span in spans}
        for old, new in mapping.items():
            if (old in labels) != (new in labels) and new not in held:
                after.pop(new, None)
    return tuple(after)


def _changed(
    connection: Connection, dataset_id: int, mapping: Mapping[str, str], *, merges: bool
) -> tuple[RelabelCounts, list[dict[str, Any]]]:
    """Return the counts, and the values of the new events with the ids of the old ones."""
    of_dataset = select(splits.c.id).where(splits.c.dataset_id == dataset_id).scalar_subquery()
    query = (
        select(answers, label_sets.c.labels)
        .join(annotator_answers, annotator_answers.c.answer_id == answers.c.id)
        .join(label_sets, label_sets.c.id == answers.c.label_set_id)
        .where(answers.c.split_id.in_(of_dataset))
        .order_by(answers.c.id)
    )
    n_spans = 0
    touched: set[int] = set()
    rows: list[dict[str, Any]] = []
    for row in connection.execute(query):
        spans = load_spans(row.spans)
        n_changed = sum(one.label in mapping for one in spans)
        labels = load_labels(row.labels)
        new_spans = relabelled(spans, mapping)
        new_labels = relabelled_set(labels, mapping, new_spans, merges=merges)
        if not n_changed and new_labels == tuple(labels):
            continue
        n_spans += n_changed
        if n_changed:
            touched.add(row.example_id)
        extra = load_json(row.extra)
        keys = _KEPT if merges else (*_KEPT, *_KEPT_BY_RENAMING)
        kept = {key: extra[key] for key in keys if key in extra}
        names = ("example_id", "split_id", "annotator", "answer", "flagged", "note", "created")
        rows.append(
            {
                **{name: getattr(row, name) for name in names},
                "spans": dump_spans(new_spans),
                "extra": dump_json({**kept, RELABEL_KEY: dict(mapping)}),
                "labels": new_labels,
                "old_id": row.id,
            }
        )
    return RelabelCounts(n_spans, len(touched), len(rows)), rows


def _point_to_batch(
    connection: Connection, table: Table, ids: Sequence[int], batch_id: str
) -> None:
    """Have a derived table refer to the new events in place of the old ones."""
    uid = literal(batch_answer_id(batch_id, "")).concat(cast(table.c.answer_id, Text))
    new_id = select(answers.c.id).where(answers.c.uid == uid).correlate(table).scalar_subquery()
    for at in range(0, len(ids), _CHUNK):
        chunk = ids[at : at + _CHUNK]
        connection.execute(
            update(table).where(table.c.answer_id.in_(chunk)).values(answer_id=new_id)
        )
