"""The keys of one's own: kept in the store for each annotator of a dataset.

A hand's habits and a keyboard are a person's, not a dataset's: two annotators of one
dataset have keys of their own, and each finds them again in every session.
"""

from __future__ import annotations

from collections.abc import Sequence

from nbner.store.dataset import Dataset
from nbner.widgets.key_bindings import KeyBindings, bindings_from_json, parse_bindings

_PREFIX = "keys/"


def load_keys(dataset: Dataset, annotator: str) -> KeyBindings:
    """Return the keys that an annotator has chosen in a dataset.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    annotator : str
        Name of the annotator.
    """
    return bindings_from_json(dataset.settings.get(_PREFIX + annotator))


def read_keys(keys: object, labels: Sequence[str]) -> KeyBindings | None:
    """Return the checked keys of ``Session(keys=...)``; None where none were given.

    Parameters
    ----------
    keys : mapping, optional
        Act or label to the name of a key, unchecked.
    labels : sequence of str
        The labels of the session, in their order.

    Raises
    ------
    DataError
        An act is unknown, or a key is reserved or clashes.
    """
    return None if keys is None else parse_bindings(keys, labels)


def update_keys(dataset: Dataset, annotator: str, chosen: KeyBindings | None) -> KeyBindings:
    """Store the keys that an annotator has chosen, and return those that hold.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    annotator : str
        Name of the annotator.
    chosen : KeyBindings, optional
        In place of all that were chosen before; None keeps those.
    """
    before = load_keys(dataset, annotator)
    if chosen is None or chosen == before:
        return before
    dataset.settings.set(_PREFIX + annotator, chosen.to_json())
    return chosen


def rename_label_keys(dataset: Dataset, annotator: str, old: str, new: str) -> KeyBindings:
    """Move every annotator's key of a label to its new name, and return one annotator's keys.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    annotator : str
        Name of the annotator whose keys are returned.
    old, new : str
        Names of the label.
    """
    for name in dataset.settings.names(_PREFIX):
        before = load_keys(dataset, name.removeprefix(_PREFIX))
        after = before.renamed(old, new)
        if after != before:
            dataset.settings.set(name, after.to_json())
    return load_keys(dataset, annotator)
