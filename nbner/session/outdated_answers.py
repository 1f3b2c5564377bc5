"""The answers of a session that were given under an older guideline, listed and opened."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from nbner._common.format import plural
from nbner._common.guidelines import VERSION_KEY
from nbner.errors import DataError
from nbner.quality.outdated_answers import AnswerVersion, OutdatedAnswers
from nbner.queues.correction import SuspectSpans
from nbner.session.annotation import open_corrections
from nbner.session.context import SessionContext
from nbner.session.guidelines import guideline_versions, load_guidelines
from nbner.types import Answer

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator


def find_outdated_answers(
    context: SessionContext, split: str | None, annotator: str | None
) -> OutdatedAnswers:
    """List the answers that were given under an older guideline than the present one.

    Parameters
    ----------
    context : SessionContext
        Its dataset holds answers and versions.
    split : str, optional
        Split of the answers; by default all.
    annotator : str, optional
        This annotator's answers; by default the newest one to each example,
        whoever gave it.
    """
    dataset = context.dataset
    with dataset.one_state():
        versions = guideline_versions(dataset)
        newest = versions.get(load_guidelines(dataset).version)
        # In the order of storage: the last one to an example is the one that is shown.
        answers: dict[tuple[str, int], Answer] = {}
        for one in dataset.answers(split, annotator):
            if one.answer is not None:
                answers.pop((one.split, one.input_hash), None)
                answers[one.split, one.input_hash] = one
        texts = {
            (one.split, one.input_hash): one.text
            for one in (dataset.examples(split) if answers else ())
        }
    rows = tuple(
        AnswerVersion(one, texts[one.split, one.input_hash], versions.get(_version_of(one.extra)))
        for one in answers.values()
    )
    return OutdatedAnswers(
        rows,
        tuple(dict.fromkeys(versions.values())),
        newest,
        open_widget=partial(_open_outdated, context),
    )


def _open_outdated(context: SessionContext, rows: tuple[AnswerVersion, ...]) -> Annotator:
    """Open the accepted answers of the first split that has some, oldest version first."""
    splits = list(dict.fromkeys(one.answer.split for one in rows))
    if len(splits) > 1:
        named = " or ".join(f"outdated_answers({one!r})" for one in splits)
        raise DataError(
            f"the answers are in {plural(len(splits), 'split')}, and a widget shows one",
            remedy=f"Open one of them: session.quality.{named}",
        )
    split = splits[0]
    accepted = {one.input_hash for one in context.dataset.examples(split, answer="accept")}
    suspects = {
        one.answer.input_hash: SuspectSpans()
        for one in sorted(rows, key=lambda row: row.number)
        if one.answer.input_hash in accepted
    }
    if not suspects:
        raise DataError(
            "none of these answers is an accepted one that is current",
            remedy="annotator.goto(input_hash) shows an example of the frame",
        )
    return open_corrections(
        context, split, suspects, reason="guideline", source="an older guideline"
    )


def _version_of(extra: Mapping[str, Any]) -> str:
    found = extra.get(VERSION_KEY)
    return found if isinstance(found, str) else ""
