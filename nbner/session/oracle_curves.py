"""Oracle curves: F with a perfect choice among the k best analyses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nbner.decoding import api
from nbner.errors import DataError
from nbner.evaluation import k_best_scores
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.gold_docs import is_expressible
from nbner.reranking.oracle import study
from nbner.reranking.oracle.report import OracleCurve, OracleData
from nbner.session.suggestions import LONGEST

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.session.context import SessionContext
    from nbner.types import Example, Span


def curve_of_gold(
    context: SessionContext,
    widths: tuple[int, ...],
    decoders: Sequence[study.Decoder],
    split: str,
    *,
    progress: bool,
) -> OracleCurve:
    """Compute the oracle curve of the model in use against accepted examples.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use decodes.
    widths : tuple of int
        Lengths of the lists; they rise.
    decoders : sequence of {"exact", "beam"}
        A curve each.
    split : str
        Holds the gold.
    progress : bool
        Show a bar.

    Raises
    ------
    DataError
        Nothing is accepted in the split.
    ModelError
        The model has not been trained.
    """
    gold = context.gold(split)
    right, known = [one.spans for one in gold], [one.labels for one in gold]
    runs = study.plan_passes(widths, decoders)
    points: list[study.OraclePoint] = []
    studies: dict[tuple[str, int], study.OracleStudy] = {}
    for run, lists in zip(runs, _lists(context.nlp, gold, runs, progress=progress), strict=True):
        done = study.run_study(
            lists,
            right,
            widths=run.widths,
            decoder=run.decoder,
            allowed_labels=known,
            seed=context.seed,
        )
        points += done.points
        studies |= {(run.decoder, width): done for width in run.widths}
    return OracleCurve(
        points=tuple(points),
        source=split,
        unreachable=sum(not is_expressible(context.nlp, one) for one in gold),
        data=OracleData(right, known, context.labels, studies),
        fingerprint=fingerprint(context.nlp),
    )


def curve_of_answers(context: SessionContext, widths: tuple[int, ...]) -> OracleCurve:
    """Compute the oracle curve from the ranks stored with accepted make-gold answers.

    Parameters
    ----------
    context : SessionContext
        Its dataset holds the answers.
    widths : tuple of int
        Lengths of the list, up to 64; they rise.

    Raises
    ------
    DataError
        No answer has a rank, or a width is above 64.
    """
    kept = [
        judgement
        for answer in context.dataset.answers()
        if answer.answer == "accept"
        and (judgement := k_best_scores.score_from_answer_extra(answer.extra)) is not None
    ]
    if not kept:
        raise DataError(
            "no accepted answer was given to a suggestion of a model yet, so there is nothing "
            "to count",
            remedy="Correct some with session.make_gold(), or study gold with "
            'session.oracle_curve(split="dev")',
        )
    longest = max(widths)
    if longest > k_best_scores.MAX_STORED_CANDIDATES:
        raise DataError(
            f"width {longest} is wider than the {k_best_scores.MAX_STORED_CANDIDATES} kept",
            field="widths",
            remedy=f"Ask for widths up to {k_best_scores.MAX_STORED_CANDIDATES}",
        )
    points = study.oracle_points(kept, widths, "exact", seed=context.seed)
    return OracleCurve(points=tuple(points), source="the answers so far")


def _lists(
    nlp: Language, gold: Sequence[Example], runs: Sequence[study.DecoderPass], *, progress: bool
) -> Iterator[Iterator[list[tuple[Span, ...]]]]:
    """Yield for each run the lists of all texts, with one bar over all runs."""
    from nbner._common.progress import ProgressBar

    with ProgressBar(len(gold) * len(runs), "studying", "texts", visible=progress) as bar:
        for run in runs:
            bar.set_text(run.description)
            found = api.parses(
                nlp, gold, run.widths[-1], decoder=run.decoder, max_span_length=LONGEST
            )
            yield ([parse.spans for parse in one] for one in bar.wrap(found))
