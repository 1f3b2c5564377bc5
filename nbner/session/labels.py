"""The label set of a session: a tuple of names, with methods that change it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nbner._common.format import plural
from nbner._common.guidelines import Guidelines
from nbner.errors import DataError
from nbner.nlp.pipeline import entity_labels_of, is_trained
from nbner.session.context import SessionContext
from nbner.session.guidelines import define_labels
from nbner.store.dataset import Dataset

if TYPE_CHECKING:
    from spacy.language import Language


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
        """Give labels definitions, which open widgets show at once.

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


def trained_labels(nlp: Language) -> tuple[str, ...]:
    """Return the labels of a trained pipeline; none for an untrained one.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    return entity_labels_of(nlp) if is_trained(nlp) else ()


def set_labels(dataset: Dataset, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Store the labels of a dataset in their order; return those it had that are left out.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    labels : tuple of str
        The labels that a session is opened with.
    """
    hidden = tuple(one for one in dataset.labels if one not in labels)
    dataset.set_labels((*labels, *hidden))
    if hidden:
        named = ", ".join(repr(one) for one in hidden)
        warnings.warn(
            f"{plural(len(hidden), 'label')} of dataset {dataset.name!r} left out of labels=: "
            f"{named}. Hidden in this session, and kept in the store with every span; "
            "name them all, or leave labels= out, to see them again.",
            # The caller of Session(...), whose arguments are checked before.
            stacklevel=4,
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
    bad = [one for one in checked if not isinstance(one, str) or not one.strip()]
    if bad:
        raise DataError(f"{bad[0]!r} is not the name of a label", field="labels")
    twice = sorted({one for one in checked if checked.count(one) > 1})
    if twice:
        raise DataError(f"the label {twice[0]!r} is given twice", field="labels")
    return checked
