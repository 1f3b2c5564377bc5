"""The texts that the model in use has learnt from, by the record of its training run."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbner._common.format import plural
from nbner._common.times import is_time
from nbner.active_learning.ranked_dataset import held_out_examples, is_held_out
from nbner.session.context import SessionContext
from nbner.training.model_places import FORMER_KEY
from nbner.types import Example

if TYPE_CHECKING:
    from nbner.training.records import TrainingResult

#: Key of a run's record: the split, and the time up to which its answers were learnt from.
LEARNT_KEY = "learnt_from"


def with_learnt_split(result: TrainingResult, split: str, answered_by: float) -> TrainingResult:
    """Return the result of a run with a record of the answers that it has learnt from.

    Parameters
    ----------
    result : TrainingResult
        A finished run.
    split : str
        The split that it was trained on.
    answered_by : float
        When its examples were read; seconds since the epoch.
    """
    learnt = {"split": split, "answered_by": answered_by}
    return replace(result, record={**result.record, LEARNT_KEY: learnt})


def learnt_record(context: SessionContext) -> dict[str, Any]:
    """Return the entry of the model in use, for the record of one that is made from it.

    Parameters
    ----------
    context : SessionContext
        Empty for a model without a record of a training, as one that the session
        was given.
    """
    model = context.trained_fingerprint
    for run in reversed(context.dataset.runs()):
        record = run["record"]
        if not isinstance(record, Mapping):
            continue
        if model in (run["fingerprint"], *record.get(FORMER_KEY, ())):
            return {LEARNT_KEY: record[LEARNT_KEY]} if LEARNT_KEY in record else {}
    return {}


def warn_of_learnt_texts(
    context: SessionContext, gold: Iterable[Example], consequence: str, *, stacklevel: int = 5
) -> None:
    """Warn where something is fitted or studied on texts that the model was trained on.

    Parameters
    ----------
    context, gold
        As for `learnt_text_warnings`.
    consequence : str
        What that does, such as "for new texts the sets are too small".
    stacklevel : int
        As for `warnings.warn`: by default the line that calls a session's method, behind
        the two checks of its arguments.
    """
    for one in learnt_text_warnings(context, gold, consequence):
        warnings.warn(f"{one}.", stacklevel=stacklevel)


def learnt_text_warnings(
    context: SessionContext, gold: Iterable[Example], consequence: str = "F is too high"
) -> list[str]:
    """Return a sentence where the model in use was trained on texts that it is measured on.

    Parameters
    ----------
    context : SessionContext
        Its records of training runs name the split.
    gold : iterable of Example
        The texts that the model is measured on.
    consequence : str
        What that does.
    """
    match learnt_record(context).get(LEARNT_KEY):
        case {"split": str(split), "answered_by": int() | float() as answered_by}:
            is_known = is_time(answered_by) and split in context.dataset.splits()
        case _:
            return []
    if not is_known:
        return []
    aside = held_out_examples(context.dataset, split)
    then = context.dataset.at(answered_by).examples(split, answer="accept")
    learnt = {one.text for one in then if not is_held_out(one, aside)}
    texts = [one.text for one in gold]
    n = sum(one in learnt for one in texts)
    if not n:
        return []
    some = f"{n:,} of {plural(len(texts), 'text')} {'is' if n == 1 else 'are'}"
    by = f"trained on, or selected by (split {split!r})"
    return [f"{some} among those that the model was {by}: {consequence}"]
