"""Causes of differences between two annotations of one text, found by reproducing them.

Where one side of a pair equals the predictions of a known pipeline, the other
side is predicted under one changed condition after the other, the simplest
first. The condition that yields exactly the other side's spans is the cause.
Where no pipeline is known, or none yields either side, the two sides are
compared with each other instead, and the cause counts as not reproduced.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from nbner.evaluation.pairing import TextPair, TextRange, span_keys
from nbner.types import Example, Span, Token

if TYPE_CHECKING:
    from nbner.evaluation.diff.variants import Phrase, PipelineVariants

SENTENCE_SPLITTING = "sentence_splitting"
LABEL_FILTER = "label_filter"
OTHER_TOKENIZER = "other_tokenizer"
ALTERED_TEXT = "altered_text"
OTHER_MODEL = "other_model"
ENTITY_RULER = "entity_ruler"
PRESET_ENTITIES = "preset_entities"
HUMAN_CORRECTION = "human_correction"
UNEXPLAINED = "unexplained"
CAUSES = (
    SENTENCE_SPLITTING,
    LABEL_FILTER,
    OTHER_TOKENIZER,
    ALTERED_TEXT,
    OTHER_MODEL,
    ENTITY_RULER,
    PRESET_ENTITIES,
    HUMAN_CORRECTION,
    UNEXPLAINED,
)

# A cause that is only plausible must account for nearly all cases.
_NEARLY_ALL = 0.9
_MIN_RECURRENCE = 2

Spans: TypeAlias = Sequence[Span]
#: From cases to the predictions for their unexplained sides under a changed condition.
Trial: TypeAlias = Callable[[Sequence["UnexplainedSide"]], Sequence[Spans]]


@dataclass(frozen=True, slots=True)
class Cause:
    """Cause of the difference between two annotations.

    Parameters
    ----------
    name : str
        One of `CAUSES`.
    detail : str
        The label, model, component or alteration.
    reproduced : bool
        Whether a pipeline was run under this condition and yielded the result.
    """

    name: str
    detail: str = ""
    reproduced: bool = True


@dataclass(frozen=True, slots=True)
class UnexplainedSide:
    """The side of a pair that the reference pipeline does not predict.

    Parameters
    ----------
    position : int
        Position of the pair.
    target, counterpart : Example
        The side that the pipeline does not predict, and the one that it does.
    segments : tuple of (int, int)
        Segments in which the target's side had its text.
    predicted : sequence of Span
        The pipeline's predictions for the target's text.
    labels : frozenset of str
        All labels of the target's side, over all its texts.
    """

    position: int
    target: Example
    counterpart: Example
    segments: tuple[TextRange, ...]
    predicted: Spans
    labels: frozenset[str]


@dataclass
class DifferenceExplainer:
    """Finds the causes of the differences between two sides.

    Parameters
    ----------
    pairs : sequence of TextPair
        All pairs, also those that are equal: they are evidence against causes.
    labels_a, labels_b : frozenset of str
        All labels of each side.
    reference : PipelineVariants, optional
        The pipeline that one of the sides comes from.
    others : sequence of PipelineVariants
        Other pipelines that a side may come from.
    found : dict of int to Cause
        Causes found so far, by position among the pairs.
    """

    pairs: Sequence[TextPair]
    labels_a: frozenset[str]
    labels_b: frozenset[str]
    reference: PipelineVariants | None = None
    others: Sequence[PipelineVariants] = ()
    found: dict[int, Cause] = field(default_factory=dict)

    def explain(self) -> dict[int, Cause]:
        """Find a cause for each pair that differs.

        Returns
        -------
        dict of int to Cause
            By position among the pairs.
        """
        differing = [i for i, pair in enumerate(self.pairs) if pair.differs]
        if self.reference is not None and differing:
            self._run_trials(self._cases(differing, self.reference), self.reference)
        for position in differing:
            if position not in self.found:
                self.found[position] = self._cause_from_sides(self.pairs[position])
        return self.found

    def _cases(
        self, differing: Sequence[int], reference: PipelineVariants
    ) -> list[UnexplainedSide]:
        """Find the side that the pipeline predicts; if it predicts both, their input differs."""
        predicted_a = reference.predict([self.pairs[i].a for i in differing])
        predicted_b = reference.predict([self.pairs[i].b for i in differing])
        cases = []
        for i, spans_a, spans_b in zip(differing, predicted_a, predicted_b, strict=True):
            pair = self.pairs[i]
            is_a = span_keys(spans_a) == span_keys(pair.a.spans)
            is_b = span_keys(spans_b) == span_keys(pair.b.spans)
            if is_a and is_b:
                self.found[i] = _input_difference(pair)
            elif is_b:
                cases.append(
                    UnexplainedSide(i, pair.a, pair.b, pair.segments_a, spans_a, self.labels_a)
                )
            elif is_a:
                cases.append(
                    UnexplainedSide(i, pair.b, pair.a, pair.segments_b, spans_b, self.labels_b)
                )
        return cases

    def _run_trials(self, cases: list[UnexplainedSide], reference: PipelineVariants) -> None:
        for cause, trial in _trials(reference):
            cases = self._run_trial(cases, trial, cause)
        for other in self.others:
            cases = self._try_pipeline(cases, reference, other)
        for cause, trial in _likely_trials(reference):
            cases = self._run_trial(cases, trial, cause)
        # Spans that name another model as their source need no guess of a phrase list.
        self._try_phrases(
            [c for c in cases if not self._unknown_sources(self.pairs[c.position])], reference
        )

    def _run_trial(
        self, cases: list[UnexplainedSide], trial: Trial, cause: Cause, *, min_fraction: float = 0.0
    ) -> list[UnexplainedSide]:
        """Run a trial, record the cause where it yields the target, and return the other cases."""
        if not cases:
            return cases
        results = trial(cases)
        hits = [
            case
            for case, spans in zip(cases, results, strict=True)
            if span_keys(spans) == span_keys(case.target.spans)
        ]
        if len(hits) < min_fraction * len(cases):
            return cases
        for case in hits:
            self.found[case.position] = _with_detail(cause, case)
        return [case for case in cases if case.position not in self.found]

    def _try_pipeline(
        self, cases: list[UnexplainedSide], reference: PipelineVariants, other: PipelineVariants
    ) -> list[UnexplainedSide]:
        """Test whether another pipeline yields the target, and which part of it is the cause."""
        if not cases:
            return cases
        predictions = other.predict([case.target for case in cases])
        mine = [
            c
            for c, spans in zip(cases, predictions, strict=True)
            if span_keys(spans) == span_keys(c.target.spans)
        ]
        taken = {case.position for case in mine}
        left = [case for case in cases if case.position not in taken]
        for cause, names in (
            (ENTITY_RULER, other.rulers),
            (SENTENCE_SPLITTING, other.sentence_splitters),
        ):
            if names:
                without = other.predict_without([case.target for case in mine], names)
                detail = ", ".join(names)
                mine = self._same_as_plain(mine, without, Cause(cause, detail))
        mine = self._run_trial(
            mine,
            lambda some: reference.predict_with_tokens([c.target for c in some], other.tokenize),
            Cause(OTHER_TOKENIZER),
        )
        for case in mine:
            self.found[case.position] = Cause(OTHER_MODEL, other.fingerprint)
        return left

    def _same_as_plain(
        self, cases: list[UnexplainedSide], predictions: Sequence[Spans], cause: Cause
    ) -> list[UnexplainedSide]:
        for case, spans in zip(cases, predictions, strict=True):
            if span_keys(spans) == span_keys(case.predicted):
                self.found[case.position] = cause
        return [case for case in cases if case.position not in self.found]

    def _try_phrases(self, cases: list[UnexplainedSide], reference: PipelineVariants) -> None:
        """Test whether a list of phrases explains the spans that only one side has."""
        side = {case.position for case in cases}
        answered = sum(case.target.answer is not None for case in cases)
        for is_a in (True, False):
            mine = [c for c in cases if c.position in side and self._is_a(c) == is_a]
            if not mine:
                continue
            examples = [pair.a if is_a else pair.b for pair in self.pairs]
            min_count = _MIN_RECURRENCE if answered else 1
            phrases = _phrases(mine, examples, min_count)
            if phrases:
                mine = self._try_rulers(mine, reference, phrases)
            if not answered:
                self._run_trial(
                    mine,
                    lambda some: reference.predict_with_preset(
                        [c.target for c in some], [_own(c) for c in some]
                    ),
                    Cause(PRESET_ENTITIES),
                    min_fraction=_NEARLY_ALL,
                )

    def _try_rulers(
        self, cases: list[UnexplainedSide], reference: PipelineVariants, phrases: list[Phrase]
    ) -> list[UnexplainedSide]:
        for after in (False, True):
            where = "after" if after else "before"
            cause = Cause(ENTITY_RULER, f"{len(phrases):,} phrases {where} the recognizer")

            def trial(some: Sequence[UnexplainedSide], *, after: bool = after) -> Sequence[Spans]:
                return reference.predict_with_rules([c.target for c in some], phrases, after=after)

            cases = self._run_trial(cases, trial, cause)
        return cases

    def _is_a(self, case: UnexplainedSide) -> bool:
        return self.pairs[case.position].a is case.target

    def _cause_from_sides(self, pair: TextPair) -> Cause:
        """Infer the cause from the two sides, without a pipeline that yields either."""
        filtered = _filtered(pair, self.labels_a, self.labels_b)
        if filtered:
            return Cause(LABEL_FILTER, _listed(filtered), reproduced=False)
        if pair.alterations:
            return Cause(ALTERED_TEXT, ", ".join(pair.alterations), reproduced=False)
        unknown = self._unknown_sources(pair)
        if unknown:
            return Cause(OTHER_MODEL, _listed(unknown), reproduced=False)
        person = next((one for one in (pair.a, pair.b) if one.answer is not None), None)
        if person is not None:
            return Cause(HUMAN_CORRECTION, person.annotator or "", reproduced=False)
        if pair.segments_a or pair.segments_b:
            return Cause(SENTENCE_SPLITTING, reproduced=False)
        return Cause(UNEXPLAINED, reproduced=False)

    def _unknown_sources(self, pair: TextPair) -> set[str]:
        """Return the models that only one side names as the source of its spans."""
        known = {self.reference.fingerprint} if self.reference else set()
        a, b = _sources(pair.a), _sources(pair.b)
        return set(a | b) - known if a != b else set()


def _trials(reference: PipelineVariants) -> Iterator[tuple[Cause, Trial]]:
    """Yield the trials whose success is not accidental."""

    def by_segment(cases: Sequence[UnexplainedSide]) -> Sequence[Spans]:
        return reference.predict_segments([c.target for c in cases], [_segments(c) for c in cases])

    def kept(cases: Sequence[UnexplainedSide]) -> Sequence[Spans]:
        return [_kept(case) for case in cases]

    def with_tokens(cases: Sequence[UnexplainedSide]) -> Sequence[Spans]:
        return reference.predict_with_tokens([c.target for c in cases], _tokens_of_either(cases))

    yield Cause(SENTENCE_SPLITTING), by_segment
    yield Cause(LABEL_FILTER), kept
    yield Cause(OTHER_TOKENIZER), with_tokens
    for name, components in (
        (ENTITY_RULER, reference.rulers),
        (SENTENCE_SPLITTING, reference.sentence_splitters),
    ):
        if components:
            trial = partial(_without, reference, components)
            yield Cause(name, f"without {', '.join(components)}"), trial


def _likely_trials(reference: PipelineVariants) -> Iterator[tuple[Cause, Trial]]:
    from nbner.evaluation.diff.variants import common_tokenizers, sentence_ranges

    lang = str(reference.nlp.lang)

    def at_sentences(cases: Sequence[UnexplainedSide]) -> Sequence[Spans]:
        cuts = sentence_ranges(lang, [c.target.text for c in cases])
        return reference.predict_segments([c.target for c in cases], cuts)

    yield Cause(SENTENCE_SPLITTING, "at the marks that end a sentence"), at_sentences
    for name, tokenize in common_tokenizers(lang).items():
        yield Cause(OTHER_TOKENIZER, name), partial(_with_tokenizer, reference, tokenize)


def _without(
    reference: PipelineVariants, components: Sequence[str], cases: Sequence[UnexplainedSide]
) -> Sequence[Spans]:
    return reference.predict_without([c.target for c in cases], components)


def _with_tokenizer(
    reference: PipelineVariants,
    tokenize: Callable[[str], tuple[Token, ...]],
    cases: Sequence[UnexplainedSide],
) -> Sequence[Spans]:
    return reference.predict_with_tokens([c.target for c in cases], tokenize)


def _filtered(pair: TextPair, labels_a: frozenset[str], labels_b: frozenset[str]) -> set[str]:
    """Return the labels that one side never has, if their spans are the whole difference."""
    a, b = pair.span_keys
    for one, other, kept in ((a, b, labels_a), (b, a, labels_b)):
        left_out = {key[2] for key in other} - kept
        if left_out and one == {key for key in other if key[2] in kept}:
            return left_out
    return set()


def _input_difference(pair: TextPair) -> Cause:
    if pair.alterations:
        return Cause(ALTERED_TEXT, ", ".join(pair.alterations))
    return Cause(OTHER_TOKENIZER, "the tokens that came with the text")


def _with_detail(cause: Cause, case: UnexplainedSide) -> Cause:
    if cause.name != LABEL_FILTER:
        return cause
    return Cause(LABEL_FILTER, _listed({span.label for span in case.predicted} - case.labels))


def _segments(case: UnexplainedSide) -> tuple[TextRange, ...]:
    return case.segments or ((0, len(case.target.text)),)


def _kept(case: UnexplainedSide) -> list[Span]:
    return [span for span in case.predicted if span.label in case.labels]


def _tokens_of_either(cases: Sequence[UnexplainedSide]) -> Callable[[str], tuple[Token, ...]]:
    """Return the function from a text to the tokens with which it came on either side."""
    known = {
        side.text: side.tokens
        for case in cases
        for side in (case.counterpart, case.target)
        if side.pretokenized
    }
    return lambda text: known.get(text, ())


def _own(case: UnexplainedSide) -> tuple[Span, ...]:
    predicted = span_keys(case.predicted)
    return tuple(s for s in case.target.spans if (s.start, s.end, s.label) not in predicted)


def _phrases(
    cases: Sequence[UnexplainedSide], side: Sequence[Example], min_count: int
) -> list[Phrase]:
    """Find phrases that a side labels almost everywhere, and the pipeline alone does not.

    Parameters
    ----------
    cases : sequence of UnexplainedSide
        The cases whose additional spans are candidates.
    side : sequence of Example
        All texts of the side, in which the phrases are counted.
    min_count : int
        Minimum number of labelled occurrences of a phrase.
    """
    wanted = {
        (case.target.text[span.start : span.end], span.label)
        for case in cases
        for span in _own(case)
    }
    labelled: Counter[Phrase] = Counter(
        (one.text[span.start : span.end], span.label) for one in side for span in one.spans
    )
    by_phrase: dict[str, list[str]] = defaultdict(list)
    for phrase, label in sorted(wanted):
        by_phrase[phrase].append(label)
    texts = [one.text for one in side]
    return [
        (phrase, labels[0])
        for phrase, labels in by_phrase.items()
        if len(labels) == 1
        and labelled[phrase, labels[0]] >= min_count
        and labelled[phrase, labels[0]] >= _NEARLY_ALL * _count_occurrences(phrase, texts)
    ]


def _count_occurrences(phrase: str, texts: Sequence[str]) -> int:
    """Count the occurrences of a phrase that no letter or digit adjoins."""
    found = 0
    for text in texts:
        at = text.find(phrase)
        while at >= 0:
            around = text[max(0, at - 1) : at] + text[at + len(phrase) : at + len(phrase) + 1]
            found += not any(letter.isalnum() for letter in around)
            at = text.find(phrase, at + len(phrase))
    return found


def _sources(example: Example) -> frozenset[str]:
    return frozenset(span.source for span in example.spans if span.source)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
