"""Compute oracle curves: F with a perfect choice among the k best analyses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from nbner._common.progress import ProgressBar
from nbner.decoding import api
from nbner.decoding.batching import trained_recognizer
from nbner.decoding.calibration.apply import MAX_SPAN_LENGTH
from nbner.errors import DataError
from nbner.evaluation import k_best_scores
from nbner.nlp.calibration_meta import load_list_temperature
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.gold_docs import is_expressible
from nbner.reranking.oracle import study
from nbner.reranking.oracle.differences import decoder_differences
from nbner.reranking.oracle.report import OracleCurve, OracleData

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.types import Answer, Example, Span


def oracle_curve(
    nlp: Language,
    gold: Sequence[Example],
    *,
    widths: Sequence[int] = study.WIDTHS,
    decoders: Sequence[study.Decoder] | None = None,
    labels: Sequence[str],
    gold_name: str = "gold",
    seed: int = 0,
    progress: bool = False,
) -> OracleCurve:
    """Compute the oracle curve of a pipeline against gold.

    Parameters
    ----------
    nlp : Language
        A trained pipeline; it decodes the texts.
    gold : sequence of Example
        Tokenized examples with complete gold.
    widths : sequence of int
        Numbers of analyses per text, in rising order.
    decoders : sequence of str, optional
        One curve for each; by default those of `decoders_of`.
    labels : sequence of str
        Entity types of the counts per label.
    gold_name : str
        Name of the gold in the result.
    seed : int
        Of the bootstrap.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    DataError
        The widths do not rise or exceed 1,024, or there is no such decoder.
    ModelError
        The pipeline has not been trained, or has no such list: a conditional
        random field has its exact list alone.
    """
    checked = study.check_widths(widths)
    named = decoders_of(nlp) if decoders is None else study.check_decoders(decoders)
    runs = study.plan_passes(checked, named)
    right, known = [one.spans for one in gold], [one.labels for one in gold]
    points: list[study.OraclePoint] = []
    studies: dict[tuple[str, int], study.OracleStudy] = {}
    for run, lists in zip(runs, _lists(nlp, gold, runs, progress=progress), strict=True):
        done = study.run_study(
            lists,
            right,
            widths=run.widths,
            decoder=run.decoder,
            allowed_labels=known,
            seed=seed,
        )
        points += done.points
        studies |= {(run.decoder, width): done for width in run.widths}
    return OracleCurve(
        points=tuple(points),
        source=gold_name,
        unreachable=sum(not is_expressible(nlp, one) for one in gold),
        data=OracleData(right, known, tuple(labels), studies),
        fingerprint=fingerprint(nlp),
        differences=tuple(decoder_differences(studies, seed=seed)),
    )


def decoders_of(nlp: Language) -> tuple[study.Decoder, ...]:
    """Return the decoders whose lists a pipeline has, for a study of all of them.

    Parameters
    ----------
    nlp : Language
        A trained pipeline.

    Returns
    -------
    tuple of str
        `study.DECODERS`, with "exact_calibrated" where a temperature of the states
        has been fitted for the model; of a conditional random field "exact" alone: it is
        normalized over whole analyses, so that raw scores order them alike, and
        has no actions that spaCy's beam could follow.

    Raises
    ------
    ModelError
        The pipeline has not been trained.
    """
    if isinstance(trained_recognizer(nlp), CrfRecognizer):
        return ("exact",)
    fitted = load_list_temperature(nlp) is not None
    return (*study.DECODERS, *(("exact_calibrated",) if fitted else ()))


def oracle_curve_of_answers(
    answers: Iterable[Answer], *, widths: Sequence[int] = study.WIDTHS, seed: int = 0
) -> OracleCurve:
    """Compute the oracle curve from the ranks stored with accepted make-gold answers.

    Parameters
    ----------
    answers : iterable of Answer
        Answers without a rank are left out.
    widths : sequence of int
        Numbers of analyses per text, in rising order, up to 64.
    seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        No answer has a rank, or the widths do not rise or exceed 64.
    """
    widths = study.check_widths(widths)
    kept = [
        one
        for answer in answers
        if answer.answer == "accept"
        and (one := k_best_scores.score_from_answer_extra(answer.extra)) is not None
    ]
    if not kept:
        raise DataError(
            "no accepted answer was given to a suggestion of a model yet, so there is nothing "
            "to count",
            remedy="Correct some with session.make_gold(), or study gold with "
            'session.oracle_curve(split="dev")',
        )
    widest, stored = max(widths), k_best_scores.MAX_STORED_CANDIDATES
    if widest > stored:
        raise DataError(
            f"width {widest} is wider than the {stored} analyses that answers keep",
            field="widths",
            remedy=f"Use widths up to {stored}",
        )
    points = study.oracle_points(kept, widths, "exact", seed=seed)
    return OracleCurve(points=tuple(points), source="the answers so far")


def _lists(
    nlp: Language, gold: Sequence[Example], runs: Sequence[study.DecoderPass], *, progress: bool
) -> Iterator[Iterator[list[tuple[Span, ...]]]]:
    """Yield for each run the lists of all texts, with one bar over all runs."""
    with ProgressBar(len(gold) * len(runs), "studying", "texts", visible=progress) as bar:
        for run in runs:
            bar.set_text(run.description)
            found = api.parses(
                nlp, gold, run.widths[-1], decoder=run.decoder, max_span_length=MAX_SPAN_LENGTH
            )
            yield ([parse.spans for parse in one] for one in bar.wrap(found))
