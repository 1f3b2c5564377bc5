"""Events that repeat an earlier answer, or give it under other names of its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbner.store.relabel import RELABEL_KEY
from nbner.store.snapshot import RESTORED_KEY
from nbner.store.undo import undone_answer_id
from nbner.types import Answer


def names_since(events: Sequence[Answer]) -> dict[str, str]:
    """Return the present names of the labels that have another one since an answer.

    A suggestion that was made under the old name of a label is compared with the
    present spans under the new one: nobody has changed anything but a name.

    Parameters
    ----------
    events : sequence of Answer
        That answer and all later ones of the same annotator to the same example,
        the oldest first. An undo, or a restoration, brings the names back that its
        answer had.

    Returns
    -------
    dict of str to str
        Old name to present name; empty where no label was renamed.
    """
    names: dict[str, str] = {}
    before: dict[str, dict[str, str]] = {}
    after: dict[str, dict[str, str]] = {}
    for i, event in enumerate(events):
        undone = undone_answer_id(event.id)
        relabelled = event.extra.get(RELABEL_KEY)
        before[event.id] = names
        if undone is not None:
            names = before.get(undone, {})
        elif (restored := event.extra.get(RESTORED_KEY)) is not None:
            names = after.get(restored, {})
        elif i and isinstance(relabelled, Mapping):
            names = {
                **{old: new for old, new in relabelled.items() if old not in names},
                **{old: relabelled.get(now, now) for old, now in names.items()},
            }
        after[event.id] = names
    return names


def repeats_an_answer(event: Answer) -> bool:
    """Return whether an event stores an earlier answer again, as an undo or a restoration does.

    It has the ``extra`` of that answer, whose time was spent once.

    Parameters
    ----------
    event : Answer
        The event.
    """
    return undone_answer_id(event.id) is not None or RESTORED_KEY in event.extra
