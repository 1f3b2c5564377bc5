"""The choice between learners: their held-out scores side by side, and why one is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner._common.bootstrap import Estimate
from nbner._common.format import format_number, plural
from nbner.evaluation.comparison import compare_systems
from nbner.evaluation.scores import score
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd

#: What a caller may ask for.
Learner: TypeAlias = Literal["auto", "ner", "crf"]
LEARNERS: tuple[Learner, ...] = ("auto", "ner", "crf")

#: What is trained: "distilled" is a `ner` that learns from texts that the CRF has labelled, too.
Candidate: TypeAlias = Literal["crf", "distilled", "ner"]

#: Loss in F, in expectation, that is accepted for an ordinary `ner` in place of the CRF. A tie
#: over 40 sentences of the protocols costs .007, and the distilled `ner` that was level there
#: had .024 less on others: what it costs must also cover that its stopping step was chosen there.
MAX_EXPECTED_LOSS = 0.005

#: Gold spans of the held-out part below which it cannot tell the learners apart. On wnut17, 20
#: sentences have 8 to 10, of which each learner finds none or one; 100 have 61, and put a `ner`
#: .03 ahead whose F over 1,800 other sentences is .03 to .06 lower.
MIN_SPANS = 100

_ORDINARY: tuple[Candidate, ...] = ("ner", "distilled")

DESCRIPTIONS: Mapping[str, str] = {
    "ner": "ner",
    "crf": "the CRF",
    "distilled": "the distilled ner",
}


@dataclass(frozen=True, slots=True)
class CandidateScore:
    """A learner's score on the held-out examples, all of its training included.

    Parameters
    ----------
    learner : {"crf", "distilled", "ner"}
        The learner.
    f : float
        Micro-averaged F over exact spans; NaN where it is undefined, or where
        the learner was not trained.
    f_low, f_high : float
        Its 95 % interval, bootstrapped over the examples.
    precision, recall : float
        NaN where undefined.
    seconds : float
        Duration of its training.
    steps : int
        Update steps; 0 for the CRF, which has none.
    note : str
        Why it was not trained, or could not be; empty where it was.
    """

    learner: str
    f: float = nan
    f_low: float = nan
    f_high: float = nan
    precision: float = nan
    recall: float = nan
    seconds: float = 0.0
    steps: int = 0
    note: str = ""

    def __str__(self) -> str:
        if self.note:
            return f"{self.learner}: not trained; {self.note}"
        figures = " / ".join(
            "undefined" if isnan(one) else f"{one:.3f}" for one in (self.precision, self.recall)
        )
        steps = f", {plural(self.steps, 'step')}" if self.steps else ""
        f = Estimate(self.f, self.f_low, self.f_high)
        return f"{self.learner}: F {f}, P / R {figures}, {self.seconds:,.0f} s{steps}"

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON can hold them: None in place of NaN."""
        return {
            name: None if isinstance(value, float) and isnan(value) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CandidateScore:
        """Build it from the values of `to_json`.

        Parameters
        ----------
        values : mapping
            By their names.
        """
        given: dict[str, Any] = {name: nan if one is None else one for name, one in values.items()}
        return cls(**given)


@dataclass(frozen=True, slots=True)
class LearnerChoice:
    """The learner that is taken.

    Parameters
    ----------
    learner : {"crf", "distilled", "ner"}
        The learner.
    reason : str
        One sentence.
    f : mapping
        Learner to its F with its interval.
    """

    learner: Candidate
    reason: str
    f: Mapping[str, Estimate]


def choose_learner(
    gold: Sequence[Example],
    predictions: Mapping[Candidate, Sequence[Sequence[Span]]],
    *,
    is_unseen: bool = True,
    seed: int,
) -> LearnerChoice:
    """Choose the CRF, or an ordinary `ner` where that costs little in expectation.

    All of nbner and every spaCy pipeline can work with a `ner`, so that one goes
    first; of the two ordinary ones, "distilled" and "ner", the one with the
    higher F, and "ner" where they are equal. It is taken where its expected loss
    is at most `MAX_EXPECTED_LOSS`: the mean over bootstrap draws of the examples
    of how far its F lies below that of the CRF, a draw in which it does not
    counting as 0 (the expected opportunity loss of Raiffa and Schlaifer 1961,
    "Applied Statistical Decision Theory", with the bootstrap distribution in
    place of a posterior). With few examples that mean is large, since much may be
    lost, also where the `ner` is ahead by chance. With fewer gold spans than
    `MIN_SPANS` the bootstrap itself says too little, such as that a learner which
    has found none has found none in every draw: then the CRF is taken, which
    needs the fewest labels.

    Parameters
    ----------
    gold : sequence of Example
        Examples that no learner has learnt from.
    predictions : mapping
        Learner to its spans in each of them; at least one.
    is_unseen : bool
        False where there are no such examples, and these are the ones that the
        learners have learnt from: then "ner" is taken.
    seed : int
        Seed of the bootstrap.
    """
    spans, allowed = [one.spans for one in gold], [one.labels for one in gold]
    systems: dict[str, Sequence[Sequence[Span]]] = {
        str(name): found for name, found in predictions.items()
    }
    f = {
        one.name: one.f
        for one in compare_systems(spans, systems, allowed_labels=allowed, seed=seed)
    }
    if not is_unseen and "ner" in f:
        reason = (
            "Taken: ner, since all examples were learnt from and none is left to compare the "
            "learners on."
        )
        return LearnerChoice("ner", reason, f)
    ordinary = [name for name in _ORDINARY if name in f]
    if len(f) == 1 or not ordinary:
        taken = next(iter(predictions))
        return LearnerChoice(
            taken, f"Taken: {DESCRIPTIONS[taken]}, the only one that could be trained.", f
        )
    n_spans = sum(len(one.spans) for one in gold)
    if "crf" in f and n_spans < MIN_SPANS:
        reason = (
            f"Taken: the CRF, which needs the fewest labels, since the "
            f"{plural(n_spans, 'span')} of the {plural(len(gold), 'example')} are too few to tell "
            f"the learners apart: {MIN_SPANS} would be enough."
        )
        return LearnerChoice("crf", reason, f)
    best = max(ordinary, key=lambda name: _or_zero(f[name].value))
    scores = compare_systems(spans, systems, allowed_labels=allowed, baseline=best, seed=seed)
    gains = {one.name: one.gain for one in scores if one.name != best}
    loss = {one.name: one.expected_gain for one in scores}.get("crf", 0.0)
    taken = best if loss <= MAX_EXPECTED_LOSS else "crf"
    return LearnerChoice(taken, _reason(taken, best, gains, loss, len(gold)), f)


def _reason(taken: str, best: str, gains: Mapping[str, Estimate], loss: float, n: int) -> str:
    """Return why a learner is taken, and whether the examples are too few to tell.

    Parameters
    ----------
    taken, best : {"crf", "distilled", "ner"}
        The learner that is taken, and the best of the ordinary ones.
    gains : mapping
        Other learner to its F minus that of ``best``.
    loss : float
        Expected loss in F of ``best`` against the CRF; 0 without a CRF.
    n : int
        Number of examples.
    """
    are_too_few = all(isnan(one.low) or one.low <= 0 <= one.high for one in gains.values())
    if taken == "crf":
        gain = gains["crf"]
        reason = f"Taken: the CRF; in F, {DESCRIPTIONS[best]} differs by {_signed(_negated(gain))}"
        if gain.low <= 0:
            reason += (
                f", and taking it would cost {loss:.3f} in expectation, more than "
                f"{MAX_EXPECTED_LOSS}"
            )
            are_too_few = True
    else:
        others = " and ".join(
            f"{DESCRIPTIONS[name]} differs by {_signed(gain)}" for name, gain in gains.items()
        )
        reason = f"Taken: {DESCRIPTIONS[best]}; in F, {others}"
        if "crf" in gains and _or_zero(gains["crf"].value) > 0:
            reason += (
                f", and an ordinary ner goes first where it costs at most {MAX_EXPECTED_LOSS} in "
                f"expectation ({loss:.3f} here)"
            )
    if are_too_few:
        reason += f". The {plural(n, 'example is', 'examples are')} too few to tell them apart"
    return f"{reason}."


def _negated(one: Estimate) -> Estimate:
    return Estimate(-one.value, -one.high, -one.low)


def _signed(one: Estimate) -> str:
    if isnan(one.low):
        return format_number(one.value, 3)
    return f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})"


def candidate_score(
    learner: str,
    gold: Sequence[Example],
    predicted: Sequence[Sequence[Span]],
    f: Estimate,
    *,
    labels: Sequence[str],
    seconds: float,
    steps: int,
) -> CandidateScore:
    """Score one learner.

    Parameters
    ----------
    learner : {"crf", "distilled", "ner"}
        The learner.
    gold : sequence of Example
        Examples with gold.
    predicted : sequence of sequences of Span
        Its spans in each of them.
    f : Estimate
        Its F with its interval.
    labels : sequence of str
        All labels.
    seconds : float
        Duration of its training.
    steps : int
        Update steps.
    """
    scores = score(
        [one.spans for one in gold],
        list(predicted),
        labels=labels,
        allowed_labels=[one.labels for one in gold],
    )
    figures = (scores.exact.precision, scores.exact.recall)
    precision, recall = (nan if one is None else one for one in figures)
    return CandidateScore(learner, f.value, f.low, f.high, precision, recall, seconds, steps)


def candidate_frame(scores: Sequence[CandidateScore]) -> pd.DataFrame:
    """Build the table of the candidates: one row a learner.

    Parameters
    ----------
    scores : sequence of CandidateScore
        In the order of their training.
    """
    import pandas as pd

    return pd.DataFrame([asdict(one) for one in scores])


def _or_zero(value: float) -> float:
    return 0.0 if isnan(value) else value
