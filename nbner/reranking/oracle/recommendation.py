"""Recommendation from an oracle study: whether to rerank, and at which width.

The rules, in their order:

1. Fewer texts than `MIN_TEXTS` are not enough to decide.
2. A reranker is *not* worthwhile if a perfect one would gain less than
   `MIN_GAIN` at the widest list, or if the lower end of the gain's interval is
   below `MIN_GAIN_LOW`: real rerankers reach only a part of that.
3. Otherwise it is, at the smallest width with at least `GAIN_FRACTION` of the
   gain of the widest list: each doubling from there costs twice as much, makes
   the choice harder, and all of them together gain less.
4. If the last step still gains more than `STILL_RISES`, the text mentions it.
5. Where the exact list over normalized scores, the one over raw scores and the
   beam were studied, the text says what the objective and what the search is worth
   (`oracle.differences`), at the widest list.

The rules are applied to the exact decoder if it was studied, else to the first
decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nbner._common.format import plural
from nbner.reranking.oracle.differences import DecoderDifference
from nbner.reranking.oracle.study import OraclePoint

MIN_TEXTS = 30  # texts
MIN_GAIN = 0.02  # F, between 0 and 1
MIN_GAIN_LOW = 0.01
GAIN_FRACTION = 0.5
STILL_RISES = 0.01


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Whether to rerank, and at which width.

    Parameters
    ----------
    worthwhile : bool, optional
        None if the texts are not enough to decide.
    width : int, optional
        Recommended length of the lists; None if not worthwhile.
    text : str
        The recommendation with its figures.
    """

    worthwhile: bool | None
    width: int | None
    text: str


def recommend(
    points: Sequence[OraclePoint],
    *,
    unreachable: int = 0,
    differences: Sequence[DecoderDifference] = (),
    gold_unit: str = "texts",
) -> Recommendation:
    """Derive the recommendation from the points of a study.

    Parameters
    ----------
    points : sequence of OraclePoint
        At least one.
    unreachable : int
        Number of texts whose gold cannot be in any list.
    differences : sequence of DecoderDifference
        Between the decoders of the study.
    gold_unit : str
        Unit of the counts, in the plural.
    """
    chosen = points_of_decoder(points)
    last = chosen[-1]
    if last.n < MIN_TEXTS or last.gain.value != last.gain.value:
        verdict = _too_few(last, gold_unit)
    elif last.gain.value < MIN_GAIN or last.gain.low < MIN_GAIN_LOW:
        verdict = _not_worthwhile(last, gold_unit)
    else:
        verdict = _worthwhile(chosen, gold_unit)
    notes = [
        *_beam_note(points, chosen),
        *_difference_notes(differences, last.width),
        *_unreachable_note(unreachable, last.n, gold_unit),
    ]
    return Recommendation(verdict.worthwhile, verdict.width, " ".join([verdict.text, *notes]))


def points_of_decoder(points: Sequence[OraclePoint]) -> list[OraclePoint]:
    """Return the points of the decoder that the recommendation is about.

    Parameters
    ----------
    points : sequence of OraclePoint
        Points of one or more decoders.
    """
    decoders = [one.decoder for one in points]
    decoder = "exact" if "exact" in decoders else decoders[0]
    return [one for one in points if one.decoder == decoder]


def format_f_points(value: float) -> str:
    """Format a difference of F in points: 0.088 is "8.8 F".

    Parameters
    ----------
    value : float
        Difference of F, between -1 and 1.
    """
    return f"{100 * value:.1f} F"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _too_few(last: OraclePoint, unit: str) -> Recommendation:
    what = f"{last.n:,} {unit}" if last.n < MIN_TEXTS else f"{last.n:,} {unit} without any entity"
    return Recommendation(
        worthwhile=None,
        width=None,
        text=f"{what} cannot tell whether a reranker is worthwhile. Add gold until there are at "
        f"least {MIN_TEXTS} texts, with entities, and ask again.",
    )


def _not_worthwhile(last: OraclePoint, unit: str) -> Recommendation:
    gain, first = last.gain, last.first_is_best
    why = (
        f"a perfect choice among the {plural(last.width, 'best analysis', 'best analyses')} "
        f"would gain only "
        f"{format_f_points(gain.value)} over the first one"
        if gain.value < MIN_GAIN
        else f"a perfect choice among the "
        f"{plural(last.width, 'best analysis', 'best analyses')} would gain "
        f"{format_f_points(gain.value)}, but over these {last.n:,} {unit} that is uncertain"
    )
    return Recommendation(
        worthwhile=False,
        width=None,
        text=f"A reranker is not worthwhile: {why} ({_from_to(last)}; 95 % interval of the gain "
        f"{100 * gain.low:.1f} to {100 * gain.high:.1f}), and the first analysis is the best one "
        f"for {_percent(first.value)} of {last.n:,} {unit}. More or better training data will "
        "do more.",
    )


def _worthwhile(points: Sequence[OraclePoint], unit: str) -> Recommendation:
    last = points[-1]
    best = next(one for one in points if one.gain.value >= GAIN_FRACTION * last.gain.value)
    sentences = [
        f"A reranker is worthwhile: rerank the top {best.width}.",
        (
            f"A perfect choice there would gain {format_f_points(best.gain.value)} "
            f"({_from_to(best)}; 95 % interval of the gain {100 * best.gain.low:.1f} to "
            f"{100 * best.gain.high:.1f}), and the first analysis is the best one for only "
            f"{_percent(best.first_is_best.value)} of {best.n:,} {unit}."
        ),
    ]
    if best.width < last.width:
        held = best.gain.value / last.gain.value
        sentences.append(
            f"That is {_percent(held)} of what a list of {last.width} holds; from {best.width} to "
            f"{last.width} a perfect choice gains another "
            f"{format_f_points(last.gain.value - best.gain.value)}."
        )
    if len(points) > 1:
        step = last.oracle_f.value - points[-2].oracle_f.value
        if step > STILL_RISES:
            sentences.append(
                f"The curve still rises at its end (by {format_f_points(step)} from "
                f"{points[-2].width} to {last.width})."
            )
    return Recommendation(worthwhile=True, width=best.width, text=" ".join(sentences))


def _from_to(point: OraclePoint) -> str:
    return f"F {point.top1_f.value:.3f} to {point.oracle_f.value:.3f}"


def _beam_note(points: Sequence[OraclePoint], chosen: Sequence[OraclePoint]) -> list[str]:
    others = [one for one in points if one.decoder == "beam" and one.width == chosen[-1].width]
    if chosen[-1].decoder == "beam" or not others:
        return []
    beam, exact = others[0].oracle_f.value, chosen[-1].oracle_f.value
    note = (
        f"Among the {others[0].width} analyses of spaCy's beam a perfect choice reaches F "
        f"{beam:.3f}, among the exact ones {exact:.3f}."
    )
    return [note]


_MEANINGS = {
    "objective": "The objective is worth {gain}: normalized against raw scores, both searched "
    "exactly",
    "search": "The search is worth {gain}: exact search against spaCy's beam, both over raw scores",
    "temperature": "The fitted temperature of the states is worth {gain}: the exact list at it "
    "against the one without",
}
_HELPFUL_ERRORS = (
    "The beam's search errors help: they keep it from analyses that raw scores overrate."
)


def _difference_notes(differences: Sequence[DecoderDifference], width: int) -> list[str]:
    """Describe the value of the objective and of the search, at one width."""
    notes: list[str] = []
    for one in differences:
        gain = one.gain
        if one.width != width or gain.value != gain.value:
            continue
        notes.append(
            _MEANINGS[one.name].format(gain=f"{100 * gain.value:+.1f} F")
            + f" (at {width}; 95 % interval {100 * gain.low:+.1f} to {100 * gain.high:+.1f})."
        )
        if one.name == "search" and gain.high < 0:
            notes.append(_HELPFUL_ERRORS)
    return notes


def _unreachable_note(unreachable: int, n: int, unit: str) -> list[str]:
    if not unreachable:
        return []
    note = (
        f"For {unreachable:,} of {n:,} {unit} no list can hold the gold: it has a label that the "
        "model does not know, or a span off the tokens."
    )
    return [note]
