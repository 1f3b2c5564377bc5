"""Paired differences of oracle F between decoders: what the search costs, and what the objective.

Lists of one model differ in one way each:

- *search*: the exact list over raw scores against spaCy's beam. Both maximize the
  sum of the raw scores of the actions, so that the difference is the beam's search
  error.
- *objective*: the exact list over normalized scores against the exact list over raw
  ones. Neither has a search error, so that the difference is what the scores are
  worth: raw scores of different states are not comparable, log-probabilities are
  (label bias and all; Lafferty, McCallum and Pereira 2001).

- *temperature*: the exact list at the temperature of the states that was fitted for
  the model, where there is one, against the one at temperature 1.

Rank by rank, no analysis of the beam has a higher score than that of the exact list
over raw scores. Oracle F is not that score: where raw scores overrate wrong analyses,
a beam that loses them on its way holds better ones, and the difference of the search
is negative. It is reported as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from nbner._common.bootstrap import Bootstrap, Estimate, FloatArray, difference, micro_f_at
from nbner.reranking.oracle.study import OracleStudy

#: Name of a difference to the decoder whose oracle F counts for it, and the one against it.
DIFFERENCES = {
    "objective": ("exact", "exact_raw"),
    "search": ("exact_raw", "beam"),
    "temperature": ("exact_calibrated", "exact"),
}


@dataclass(frozen=True, slots=True)
class DecoderDifference:
    """Oracle F of one decoder minus that of another, over lists of one length.

    Parameters
    ----------
    name : str
        A key of `DIFFERENCES`.
    decoder, against : str
        The two decoders.
    width : int
        Length of the lists.
    gain : Estimate
        Difference of oracle F, between -1 and 1, with its paired 95 % interval.
    """

    name: str
    decoder: str
    against: str
    width: int
    gain: Estimate


def decoder_differences(
    studies: Mapping[tuple[str, int], OracleStudy], *, seed: int = 0
) -> list[DecoderDifference]:
    """Compute the differences between the decoders of a study, at every width that both have.

    Parameters
    ----------
    studies : mapping
        (decoder, width) to its study; all are of the same texts.
    seed : int
        Seed of the bootstrap.
    """
    widths = sorted({width for _, width in studies})
    return [
        DecoderDifference(
            name,
            decoder,
            against,
            width,
            _paired_gain(studies[decoder, width], studies[against, width], width, seed),
        )
        for name, (decoder, against) in DIFFERENCES.items()
        for width in widths
        if {(decoder, width), (against, width)} <= studies.keys()
    ]


def _paired_gain(left: OracleStudy, right: OracleStudy, width: int, seed: int) -> Estimate:
    counts = np.concatenate([_best_counts(one, width) for one in (left, right)], axis=1)
    sides = partial(micro_f_at, 0), partial(micro_f_at, 3)
    return Bootstrap(counts, seed=seed).estimate(partial(difference, *sides))


def _best_counts(study: OracleStudy, width: int) -> FloatArray:
    """Return true and false positives and false negatives of each text's best analysis."""
    rows = [one.improvements[one.best_within(width)][1:] for one in study.judgements]
    return np.array(rows, np.float64).reshape(-1, 3)
