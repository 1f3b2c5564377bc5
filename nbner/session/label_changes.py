"""Changes of the label set: renaming, merging, colors and order, over answers and model."""

from __future__ import annotations

import logging
import uuid
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from nbner._common.colors import check_colors
from nbner._common.format import plural
from nbner._common.serialization import is_name
from nbner._common.undoable import UndoableAct
from nbner.errors import DataError, ModelError
from nbner.nlp.calibration_meta import calibration_entry
from nbner.nlp.pipeline import entity_labels_of, is_trained
from nbner.nlp.rename_label import rename_labels
from nbner.session.context import SessionContext
from nbner.session.guidelines import rename_definition
from nbner.session.keys import rename_label_keys
from nbner.store.dataset import Dataset

_LOG = logging.getLogger(__name__)

_COLORS = "label colors"

# Setting: the order that labels had in code before a person gave them another one.
_ORDER_BEFORE = "label order before"


@dataclass(frozen=True, slots=True)
class LabelChange(UndoableAct):
    """A label that was renamed or merged, or a preview of that.

    Parameters
    ----------
    kind : {"rename", "merge"}
        What was done.
    label, into : str
        The old name and the new one.
    spans, examples, answers : int
        What it touches: spans, examples with such a span, and answers that
        became new events, also those whose annotator could have given the label.
    model : str
        What became of the model in use, as a sentence; empty where it does not
        know the label.
    is_preview : bool
        Whether nothing has been changed.
    """

    kind: Literal["rename", "merge"]
    label: str
    into: str
    spans: int
    examples: int
    answers: int
    model: str = ""
    is_preview: bool = False

    def undo(self) -> int:
        """Undo the change; what was answered since stays.

        Returns
        -------
        int
            Number of answers that have changed back.

        Raises
        ------
        DataError
            This is a preview, or the labels have changed since.
        """
        if self._undo is None:
            raise DataError("nothing was changed, so there is nothing to undo", field="undo")
        # The class with slots is another one than super() would find.
        return UndoableAct.undo(self)

    def __str__(self) -> str:
        verb = {"rename": "rename", "merge": "merge"}[self.kind]
        done = f"Would {verb}" if self.is_preview else f"{verb.capitalize()}d"
        to = "to" if self.kind == "rename" else "into"
        where = f"{plural(self.spans, 'span')} in {plural(self.examples, 'example')}"
        said = f"{done} {self.label!r} {to} {self.into!r}: {where}"
        return f"{said}. {self.model}" if self.model else said


def rename_label(context: SessionContext, old: str, new: str, *, preview: bool) -> LabelChange:
    """Rename a label over all answers, with its color, key and definition, and in the model.

    Parameters
    ----------
    context : SessionContext
        The session.
    old, new : str
        The names.
    preview : bool
        Change nothing.

    Raises
    ------
    DataError
        There is no such label, or the new name is none or taken.
    """
    _check_label(context, old)
    if not is_name(new) or new != new.strip():
        raise DataError(f"{new!r} is not the name of a label", field="new")
    if new in context.dataset.labels:
        raise DataError(
            f"{new!r} is a label already",
            field="new",
            remedy=f"session.labels.merge({old!r}, {new!r}) makes them one",
        )
    return _change(context, "rename", old, new, preview=preview)


def merge_label(context: SessionContext, label: str, into: str, *, preview: bool) -> LabelChange:
    """Merge a label into another one over all answers.

    Parameters
    ----------
    context : SessionContext
        The session.
    label, into : str
        The label that goes, and the one that its spans get.
    preview : bool
        Change nothing.

    Raises
    ------
    DataError
        One of the two is no label, or both are the same.
    """
    _check_label(context, label)
    _check_label(context, into, "into")
    if label == into:
        raise DataError(f"{label!r} cannot be merged into itself", field="into")
    return _change(context, "merge", label, into, preview=preview)


def recolor_label(context: SessionContext, label: str, color: str) -> None:
    """Store a color of a label, and show it in every open widget.

    Parameters
    ----------
    context : SessionContext
        The session.
    label, color : str
        The label, and its color as ``#rrggbb``.

    Raises
    ------
    DataError
        There is no such label, or this is no color.
    """
    _check_label(context, label)
    chosen = check_colors({label: color})
    context.dataset.settings.set(_COLORS, {**stored_colors(context.dataset), **chosen})
    _set_colors(context, {**context.chosen_colors, **chosen})
    context.update_labels()


def stored_colors(dataset: Dataset) -> dict[str, str]:
    """Return the colors that were chosen for labels of a dataset.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    """
    found = dataset.settings.get(_COLORS, {})
    try:
        return check_colors(found)
    except DataError:
        _LOG.debug("stored colors are damaged", exc_info=True)
        return {}


def reorder_labels(context: SessionContext, labels: Iterable[str]) -> tuple[str, ...]:
    """Store the labels in another order, and show it in every open widget.

    Parameters
    ----------
    context : SessionContext
        The session.
    labels : iterable of str
        Those that come first.

    Raises
    ------
    DataError
        One of them is no label, or is given twice.
    """
    if isinstance(labels, str):
        raise DataError(f"this is a text and not a list: {labels!r}", field="labels")
    first = list(labels)
    for one in first:
        _check_label(context, one, "labels")
    twice = [one for one in first if first.count(one) > 1]
    if twice:
        raise DataError(f"the label {twice[0]!r} is given twice", field="labels")
    stored = context.dataset.labels or context.labels
    _keep_order(context.dataset, dict.fromkeys((*first, *stored)))
    context.update_labels()
    return context.labels


def _keep_order(dataset: Dataset, labels: Iterable[str]) -> None:
    """Store labels in an order that a person has given them."""
    if dataset.settings.get(_ORDER_BEFORE) is None:
        dataset.settings.set(_ORDER_BEFORE, list(dataset.labels))
    dataset.set_labels(labels)


def in_kept_order(dataset: Dataset, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels that code says in the order that a person has given them since.

    A cell that is run again says nothing new; a new order in code ends the person's.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    labels : tuple of str
        The labels as code says them, under their present names.
    """
    stored = dataset.settings.get(_ORDER_BEFORE)
    if stored is None:
        return labels
    renamed = dataset.renamed_labels
    before = [renamed.get(one, one) for one in stored]
    if [one for one in before if one in labels] == [one for one in labels if one in before]:
        kept = [one for one in dataset.labels if one in labels and one in before]
        return tuple(dict.fromkeys((*kept, *labels)))
    dataset.settings.set(_ORDER_BEFORE, None)
    return labels


def rename_model_labels(context: SessionContext, names: Mapping[str, str]) -> str:
    """Rename labels in the model in use and in the pipeline that training starts from.

    Parameters
    ----------
    context : SessionContext
        Its pipelines are replaced by copies.
    names : mapping
        Old name to new name.

    Returns
    -------
    str
        What became of the model in use, as a sentence; empty where it is not
        trained or does not know the labels.
    """
    nlp = context.nlp
    if not is_trained(nlp) or not set(entity_labels_of(nlp)) & set(names):
        return ""
    try:
        renamed = rename_labels(nlp, names)
    except ModelError as error:
        return f"The model in use keeps the old name: {error}"
    if context.base_nlp is nlp:
        context.base_nlp = renamed
    context.note_renamed(nlp, renamed)
    context.activate(renamed)
    return "The model in use gives the new name"


def _change(
    context: SessionContext,
    kind: Literal["rename", "merge"],
    old: str,
    new: str,
    *,
    preview: bool,
) -> LabelChange:
    dataset = context.dataset
    before = dataset.labels
    if preview:
        counts = dataset.count_relabelled({old: new})
        numbers = (counts.spans, counts.examples, counts.answers)
        return LabelChange(kind, old, new, *numbers, is_preview=True)
    context.store_labels()
    batch_id = uuid.uuid4().hex
    counts = dataset.relabel(old, new, batch_id, merges=kind == "merge")
    _move_settings(context, old, new, keeps_old=kind == "merge")
    model = rename_model_labels(context, {old: new})
    keep_calibration(context)
    _show(context)

    def undo() -> int:
        if kind == "rename":
            return rename_label(context, new, old, preview=False).answers
        done = dataset.restore_label(batch_id, before)
        _show(context)
        return done

    return LabelChange(
        kind, old, new, counts.spans, counts.examples, counts.answers, model, _undo=undo
    )


def keep_calibration(context: SessionContext) -> None:
    """Write the calibration of the model in use to its file, after its fingerprint has changed.

    Parameters
    ----------
    context : SessionContext
        The session; nothing is written where its model has no calibration.
    """
    entry = calibration_entry(context.nlp)
    if entry is None:
        return
    try:
        context.model_store.save_calibration(entry)
    except ModelError as error:
        # What was asked for is done all the same.
        warnings.warn(
            f"The model in use keeps its calibration in this session alone: {error}", stacklevel=5
        )


def _move_settings(context: SessionContext, old: str, new: str, *, keeps_old: bool) -> None:
    """Move to the new name the color, the key and the definition of the old one."""
    context.hidden_labels = tuple(one for one in context.hidden_labels if one != new)
    if keeps_old:
        # The label that stays has its own, and the other one gets its own again if it comes back.
        return
    bus = context.answer_bus
    chosen = dict(context.chosen_colors)
    if old in chosen:
        chosen[new] = chosen.pop(old)
    _set_colors(context, chosen)
    stored = stored_colors(context.dataset)
    if old in stored:
        stored[new] = stored.pop(old)
        context.dataset.settings.set(_COLORS, stored)
    bus.guidelines = rename_definition(context.dataset, old, new)
    bus.keys = rename_label_keys(context.dataset, context.annotator, old, new)


def _set_colors(context: SessionContext, chosen: Mapping[str, str]) -> None:
    context.chosen_colors = chosen
    context.answer_bus.colors = chosen


def _show(context: SessionContext) -> None:
    """Have every open widget load labels and examples again."""
    context.answer_bus.renamed_labels = context.dataset.renamed_labels
    context.lattice_cache.clear()
    context.update_labels()
    context.refresh_annotators()


def _check_label(context: SessionContext, label: object, name: str = "label") -> None:
    if label in context.labels:
        return
    renamed = context.dataset.renamed_labels.get(label) if isinstance(label, str) else None
    now = f" any more: it is {renamed!r} now" if renamed else ""
    raise DataError(
        f"{label!r} is not one of the labels{now}; they are "
        f"{', '.join(context.labels) or '(none)'}",
        field=name,
        remedy="Name one of them",
    )
