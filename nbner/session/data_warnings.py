"""Checks the examples that training and evaluation would use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nbner.quality.data_warnings import find_data_warnings
from nbner.quality.data_warnings_report import DataWarnings
from nbner.session.context import SessionContext
from nbner.types import Example


def session_data_warnings(
    context: SessionContext,
    split: str,
    dev: str,
    learnt: Sequence[Example],
    held: Sequence[Example],
) -> DataWarnings:
    """Find weaknesses of training data and contradictions between its accepted answers.

    Parameters
    ----------
    context : SessionContext
        Its dataset provides the answers of the single annotators.
    split, dev : str
        The splits that the examples are from.
    learnt : sequence of Example
        Examples to train on, in any state.
    held : sequence of Example
        Examples to evaluate on, in any state.

    Returns
    -------
    DataWarnings
        The warnings. Only accepted examples with complete gold are checked.
    """
    train, measured = (
        [one for one in some if one.answer == "accept" and not one.binary]
        for some in (learnt, held)
    )
    by_key = {(one.split, one.input_hash): one for one in (*train, *measured)}
    answers = [
        replace(by_key[key], spans=answer.spans)
        for name in (split, dev)
        for answer in context.dataset.answers(name)
        if answer.answer == "accept" and (key := (answer.split, answer.input_hash)) in by_key
    ]
    return DataWarnings(tuple(find_data_warnings(train, measured, context.labels, answers=answers)))
