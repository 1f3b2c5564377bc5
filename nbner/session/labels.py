"""The label set of a session: a tuple of names, with methods that change it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from nbner._common.format import plural
from nbner._common.guidelines import Guidelines
from nbner._common.serialization import is_name
from nbner.errors import DataError
from nbner.nlp.pipeline import entity_labels_of, is_trained
from nbner.session.context import SessionContext
from nbner.session.guidelines import define_labels
from nbner.session.label_changes import (
    LabelChange,
    in_kept_order,
    merge_label,
    recolor_label,
    rename_label,
    reorder_labels,
)
from nbner.store.dataset import Dataset

if TYPE_CHECKING:
    from spacy.language import Language

_Values = TypeVar("_Values")


class LabelSet(tuple[str, ...]):
    """The entity types of a session, in the order of their keys: a tuple with methods.

    Parameters
    ----------
    context : SessionContext
        The session.
    """

    _context: SessionContext

    def __new__(cls, context: SessionContext) -> LabelSet:  # noqa: PYI034
        """Read the labels of a session."""
        self = super().__new__(cls, context.labels)
        self._context = context
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, as in another process, is a plain tuple.
        return tuple, (tuple(self),)

    def define(self, definitions: Mapping[str, str]) -> Guidelines:
        """Define labels by texts, which open widgets show at once.

        Parameters
        ----------
        definitions : mapping
            Label to its definition; an empty text takes a definition away.

        Returns
        -------
        Guidelines
            The new version of guideline and definitions.

        Raises
        ------
        DataError
            A label is not one of the session's, or a definition is no text.
        """
        return define_labels(self._context, definitions)

    def rename(self, old: str, new: str, *, preview: bool = False) -> LabelChange:
        """Rename a label in every answer of every annotator, as one act that can be undone.

        Each current answer becomes a new event; the old ones stay in the history.
        The model in use gives the new name from then on, where it can be renamed.
        An answer that a session stores under the old name later gets the new one.

        Parameters
        ----------
        old, new : str
            The names.
        preview : bool
            Count what would change, and change nothing.

        Returns
        -------
        LabelChange
            ``spans``, ``examples`` and ``answers`` that it touches, ``model``
            (what became of the model), and ``undo()``.

        Raises
        ------
        DataError
            There is no such label, as after a renaming in another session, or
            the new name is that of a label.
        """
        return rename_label(self._context, old, new, preview=preview)

    def merge(self, label: str, into: str, *, preview: bool = False) -> LabelChange:
        """Make a label one with another, in every answer, as one act that can be undone.

        An answer is complete for the merged label where it was complete for both.
        A model that tells the two apart must be trained again.

        Parameters
        ----------
        label : str
            The label that goes.
        into : str
            The label that its spans get.
        preview : bool
            Count what would change, and change nothing.

        Returns
        -------
        LabelChange
            ``spans``, ``examples`` and ``answers`` that it touches, ``model``
            (what became of the model), and ``undo()``.

        Raises
        ------
        DataError
            One of the two is no label.
        """
        return merge_label(self._context, label, into, preview=preview)

    def recolor(self, label: str, color: str) -> None:
        """Set the color of a label, in every widget, plot and report, for every session.

        Parameters
        ----------
        label : str
            The label.
        color : str
            As ``#rrggbb``.

        Raises
        ------
        DataError
            There is no such label, or this is no color.
        """
        recolor_label(self._context, label, color)

    def reorder(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Set the order of the labels, which is that of their keys.

        Parameters
        ----------
        labels : iterable of str
            Those that come first; the others follow in their present order.

        Returns
        -------
        tuple of str
            All labels.

        Raises
        ------
        DataError
            One of them is no label, or is given twice.
        """
        return reorder_labels(self._context, labels)


def trained_labels(nlp: Language) -> tuple[str, ...]:
    """Return the labels of a trained pipeline; none for an untrained one.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    return entity_labels_of(nlp) if is_trained(nlp) else ()


def present_names(dataset: Dataset, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return labels under their present names; warn where some were renamed.

    Parameters
    ----------
    dataset : Dataset
        The dataset, which knows former names.
    labels : tuple of str
        The labels that a session is opened with.
    """
    renamed = dataset.renamed_labels
    former = [one for one in labels if one in renamed]
    if former:
        named = ", ".join(f"{one!r} is {renamed[one]!r}" for one in former)
        warnings.warn(
            f"{plural(len(former), 'label')} of dataset {dataset.name!r} renamed since: {named}. "
            "The present names are used; session.add_labels() adds a label of the old name.",
            stacklevel=5,
        )
    return tuple(dict.fromkeys(renamed.get(one, one) for one in labels))


def under_present_names(dataset: Dataset, values: _Values) -> _Values:
    """Return a mapping by label, or what it is else, under the labels' present names.

    Parameters
    ----------
    dataset : Dataset
        The dataset, which knows former names.
    values : mapping, optional
        Values by label; what is no mapping is returned as it is.
    """
    if not isinstance(values, Mapping):
        return values
    renamed = dataset.renamed_labels
    return {renamed.get(one, one): value for one, value in values.items()}  # type: ignore[return-value]


def set_labels(dataset: Dataset, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Store the labels of a dataset in their order; return those it had that are left out.

    An order that a person has given them since stays, where code says them in the same
    order as before: a cell that is run again says nothing new.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    labels : tuple of str
        The labels that a session is opened with.
    """
    hidden = tuple(one for one in dataset.labels if one not in labels)
    dataset.set_labels((*in_kept_order(dataset, labels), *hidden))
    if hidden:
        named = ", ".join(repr(one) for one in hidden)
        warnings.warn(
            f"{plural(len(hidden), 'label')} of dataset {dataset.name!r} left out of labels=: "
            f"{named}. Hidden in this session, and kept in the store with every span; "
            "name them all, or leave labels= out, to see them again.",
            # The caller of Session(...), whose arguments are checked before.
            stacklevel=5,
        )
    return hidden


def validated_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return labels as a tuple, without their definitions.

    Parameters
    ----------
    labels : sequence of str or mapping
        As ``Session(labels=...)`` takes them.

    Raises
    ------
    DataError
        A label is empty or given twice, or this is a text and not a list.
    """
    if isinstance(labels, str):
        raise DataError(
            f"labels= takes a list, not the text {labels!r}", remedy=f"labels=[{labels!r}]"
        )
    checked = tuple(labels)
    bad = [one for one in checked if not is_name(one)]
    if bad:
        raise DataError(f"{bad[0]!r} is not the name of a label", field="labels")
    twice = sorted({one for one in checked if checked.count(one) > 1})
    if twice:
        raise DataError(f"the label {twice[0]!r} is given twice", field="labels")
    return checked
