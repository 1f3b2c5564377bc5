"""Why two annotations of one text differ: causes, each named because trying it gave the result.

Where one side of a pair is what a known pipeline says, the other side is
rebuilt under one changed condition after the other, the simplest first. The
condition that gives exactly the other side's spans is the cause. Where no
pipeline is known, or none gives either side, what the two sides show is
compared instead, and the cause counts as not tried.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from nbner.evaluation.pairing import Cut, Pair, keys
from nbner.types import Example, Span, Token

if TYPE_CHECKING:
    from nbner.evaluation.diff.variants import Phrase, Variants

SENTENCES = "sentence splitting"
LABELS = "label filter"
TOKENS = "another tokenizer"
TEXT = "text altered"
MODEL = "another model"
RULES = "entity ruler"
PRESET = "preset entities"
PERSON = "a person corrected it"
UNEXPLAINED = "unexplained"
CAUSES = (SENTENCES, LABELS, TOKENS, TEXT, MODEL, RULES, PRESET, PERSON, UNEXPLAINED)

# What is only likely counts only where it accounts for nearly everything.
_NEARLY_ALL = 0.9
_RECURS = 2

Spans: TypeAlias = Sequence[Span]
#: From cases to what their odd side would then be, and a word on what was tried.
Trial: TypeAlias = Callable[[Sequence["Case"]], Sequence[Spans]]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a pair differs.

    Parameters
    ----------
    name : str
        One of `CAUSES`.
    detail : str
        Which label, model, component or alteration.
    tried : bool
        Whether a pipeline was run under this condition and gave the result.
    """

    name: str
    detail: str = ""
    tried: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One side of a pair that is to be explained.

    Parameters
    ----------
    position : int
        Of the pair.
    odd, other : Example
        The side that the pipeline does not give, and the one that it does.
    cuts : tuple of (int, int)
        The pieces in which the odd side held its text.
    plain : sequence of Span
        What the pipeline says of the odd side's text.
    labels : frozenset of str
        All labels of the odd side, over all its texts.
    """

    position: int
    odd: Example
    other: Example
    cuts: tuple[Cut, ...]
    plain: Spans
    labels: frozenset[str]


@dataclass
class Inquiry:
    """What is known, and what has been found so far.

    Parameters
    ----------
    pairs : sequence of Pair
        All that are the same on both sides too: they bear witness.
    labels_a, labels_b : frozenset of str
        All labels of a side.
    reference : Variants, optional
        The pipeline that one of the sides comes from.
    others : sequence of Variants
        Other pipelines that a side may come from.
    """

    pairs: Sequence[Pair]
    labels_a: frozenset[str]
    labels_b: frozenset[str]
    reference: Variants | None = None
    others: Sequence[Variants] = ()
    found: dict[int, Cause] = field(default_factory=dict)

    def run(self) -> dict[int, Cause]:
        """Name a cause for each pair that differs.

        Returns
        -------
        dict of int to Cause
            By position among the pairs.
        """
        differing = [i for i, pair in enumerate(self.pairs) if pair.differ]
        if self.reference is not None and differing:
            self._try(self._cases(differing, self.reference), self.reference)
        for position in differing:
            if position not in self.found:
                self.found[position] = self._compared(self.pairs[position])
        return self.found

    def _cases(self, differing: Sequence[int], reference: Variants) -> list[Case]:
        """Find which side the pipeline gives; where it gives both, what went in is the cause."""
        says_a = reference.plain([self.pairs[i].a for i in differing])
        says_b = reference.plain([self.pairs[i].b for i in differing])
        cases = []
        for i, plain_a, plain_b in zip(differing, says_a, says_b, strict=True):
            pair = self.pairs[i]
            is_a = keys(plain_a) == keys(pair.a.spans)
            is_b = keys(plain_b) == keys(pair.b.spans)
            if is_a and is_b:
                self.found[i] = _what_went_in(pair)
            elif is_b:
                cases.append(Case(i, pair.a, pair.b, pair.cuts_a, plain_a, self.labels_a))
            elif is_a:
                cases.append(Case(i, pair.b, pair.a, pair.cuts_b, plain_b, self.labels_b))
        return cases

    def _try(self, cases: list[Case], reference: Variants) -> None:
        for cause, trial in _trials(reference):
            cases = self._settle(cases, trial, cause)
        for other in self.others:
            cases = self._another(cases, reference, other)
        for cause, trial in _likely_trials(reference):
            cases = self._settle(cases, trial, cause)
        # Who names another model has said where the spans are from; no list is to be guessed.
        self._induced([c for c in cases if not self._strangers(self.pairs[c.position])], reference)

    def _settle(
        self, cases: list[Case], trial: Trial, cause: Cause, *, least: float = 0.0
    ) -> list[Case]:
        """Run a trial, name the cause where it gives the odd side, and return what is left."""
        if not cases:
            return cases
        results = trial(cases)
        hits = [
            case
            for case, spans in zip(cases, results, strict=True)
            if keys(spans) == keys(case.odd.spans)
        ]
        if len(hits) < least * len(cases):
            return cases
        for case in hits:
            self.found[case.position] = _with_detail(cause, case)
        return [case for case in cases if case.position not in self.found]

    def _another(self, cases: list[Case], reference: Variants, other: Variants) -> list[Case]:
        """See whether another pipeline gives the odd side, and what in it makes the difference."""
        if not cases:
            return cases
        said = other.plain([case.odd for case in cases])
        mine = [c for c, spans in zip(cases, said, strict=True) if keys(spans) == keys(c.odd.spans)]
        taken = {case.position for case in mine}
        left = [case for case in cases if case.position not in taken]
        for cause, names in ((RULES, other.rulers), (SENTENCES, other.splitters)):
            if names:
                without = other.without([case.odd for case in mine], names)
                detail = ", ".join(names)
                mine = self._same_as_plain(mine, without, Cause(cause, detail))
        mine = self._settle(
            mine,
            lambda some: reference.with_tokens([c.odd for c in some], other.tokenize),
            Cause(TOKENS),
        )
        for case in mine:
            self.found[case.position] = Cause(MODEL, other.fingerprint)
        return left

    def _same_as_plain(self, cases: list[Case], said: Sequence[Spans], cause: Cause) -> list[Case]:
        for case, spans in zip(cases, said, strict=True):
            if keys(spans) == keys(case.plain):
                self.found[case.position] = cause
        return [case for case in cases if case.position not in self.found]

    def _induced(self, cases: list[Case], reference: Variants) -> None:
        """Look for a list of phrases that would explain what one side has and the other has not."""
        side = {case.position for case in cases}
        answered = sum(case.odd.answer is not None for case in cases)
        for is_a in (True, False):
            mine = [c for c in cases if c.position in side and self._is_a(c) == is_a]
            if not mine:
                continue
            examples = [pair.a if is_a else pair.b for pair in self.pairs]
            least = _RECURS if answered else 1
            phrases = _phrases(mine, examples, least)
            if phrases:
                mine = self._ruled(mine, reference, phrases)
            if not answered:
                self._settle(
                    mine,
                    lambda some: reference.preset([c.odd for c in some], [_own(c) for c in some]),
                    Cause(PRESET),
                    least=_NEARLY_ALL,
                )

    def _ruled(self, cases: list[Case], reference: Variants, phrases: list[Phrase]) -> list[Case]:
        for after in (False, True):
            where = "after" if after else "before"
            cause = Cause(RULES, f"{len(phrases):,} phrases {where} the recognizer")

            def trial(some: Sequence[Case], *, after: bool = after) -> Sequence[Spans]:
                return reference.with_rules([c.odd for c in some], phrases, after=after)

            cases = self._settle(cases, trial, cause)
        return cases

    def _is_a(self, case: Case) -> bool:
        return self.pairs[case.position].a is case.odd

    def _compared(self, pair: Pair) -> Cause:
        """Name the cause from what the two sides show, without a pipeline that gives either."""
        filtered = _filtered(pair, self.labels_a, self.labels_b)
        if filtered:
            return Cause(LABELS, _listed(filtered), tried=False)
        if pair.altered:
            return Cause(TEXT, ", ".join(pair.altered), tried=False)
        strangers = self._strangers(pair)
        if strangers:
            return Cause(MODEL, _listed(strangers), tried=False)
        person = next((one for one in (pair.a, pair.b) if one.answer is not None), None)
        if person is not None:
            return Cause(PERSON, person.annotator or "", tried=False)
        if pair.cuts_a or pair.cuts_b:
            return Cause(SENTENCES, tried=False)
        return Cause(UNEXPLAINED, tried=False)

    def _strangers(self, pair: Pair) -> set[str]:
        """Find models that only one side names as the source of its spans."""
        known = {self.reference.fingerprint} if self.reference else set()
        a, b = _sources(pair.a), _sources(pair.b)
        return set(a | b) - known if a != b else set()


def _trials(reference: Variants) -> Iterator[tuple[Cause, Trial]]:
    """Give the trials that cannot come out right by chance."""

    def in_pieces(cases: Sequence[Case]) -> Sequence[Spans]:
        return reference.in_pieces([c.odd for c in cases], [_pieces(c) for c in cases])

    def kept(cases: Sequence[Case]) -> Sequence[Spans]:
        return [_kept(case) for case in cases]

    def with_tokens(cases: Sequence[Case]) -> Sequence[Spans]:
        return reference.with_tokens([c.odd for c in cases], _tokens_of_either(cases))

    yield Cause(SENTENCES), in_pieces
    yield Cause(LABELS), kept
    yield Cause(TOKENS), with_tokens
    for name, components in ((RULES, reference.rulers), (SENTENCES, reference.splitters)):
        if components:
            trial = partial(_without, reference, components)
            yield Cause(name, f"without {', '.join(components)}"), trial


def _likely_trials(reference: Variants) -> Iterator[tuple[Cause, Trial]]:
    from nbner.evaluation.diff.variants import other_tokenizers, sentences

    lang = str(reference.nlp.lang)

    def at_sentences(cases: Sequence[Case]) -> Sequence[Spans]:
        cuts = sentences(lang, [c.odd.text for c in cases])
        return reference.in_pieces([c.odd for c in cases], cuts)

    yield Cause(SENTENCES, "at the marks that end a sentence"), at_sentences
    for name, tokenize in other_tokenizers(lang).items():
        yield Cause(TOKENS, name), partial(_with_tokenizer, reference, tokenize)


def _without(
    reference: Variants, components: Sequence[str], cases: Sequence[Case]
) -> Sequence[Spans]:
    return reference.without([c.odd for c in cases], components)


def _with_tokenizer(
    reference: Variants, tokenize: Callable[[str], tuple[Token, ...]], cases: Sequence[Case]
) -> Sequence[Spans]:
    return reference.with_tokens([c.odd for c in cases], tokenize)


def _filtered(pair: Pair, labels_a: frozenset[str], labels_b: frozenset[str]) -> set[str]:
    """Name the labels that one side never has, if they are all that the other has more."""
    a, b = pair.keys
    for one, other, kept in ((a, b, labels_a), (b, a, labels_b)):
        left_out = {key[2] for key in other} - kept
        if left_out and one == {key for key in other if key[2] in kept}:
            return left_out
    return set()


def _what_went_in(pair: Pair) -> Cause:
    if pair.altered:
        return Cause(TEXT, ", ".join(pair.altered))
    return Cause(TOKENS, "the tokens that came with the text")


def _with_detail(cause: Cause, case: Case) -> Cause:
    if cause.name != LABELS:
        return cause
    return Cause(LABELS, _listed({span.label for span in case.plain} - case.labels))


def _pieces(case: Case) -> tuple[Cut, ...]:
    return case.cuts or ((0, len(case.odd.text)),)


def _kept(case: Case) -> list[Span]:
    return [span for span in case.plain if span.label in case.labels]


def _tokens_of_either(cases: Sequence[Case]) -> Callable[[str], tuple[Token, ...]]:
    """Look tokens up that came with a text on one side and not on the other."""
    known = {
        side.text: side.tokens
        for case in cases
        for side in (case.other, case.odd)
        if side.given_tokens
    }
    return lambda text: known.get(text, ())


def _own(case: Case) -> tuple[Span, ...]:
    said = keys(case.plain)
    return tuple(s for s in case.odd.spans if (s.start, s.end, s.label) not in said)


def _phrases(cases: Sequence[Case], side: Sequence[Example], least: int) -> list[Phrase]:
    """Find phrases that a side has always labelled, where the pipeline alone has not.

    Parameters
    ----------
    cases : sequence of Case
    side : sequence of Example
        All of the side: each time that a phrase stands there must bear witness.
    least : int
        Times that a phrase must stand there.
    """
    wanted = {
        (case.odd.text[span.start : span.end], span.label) for case in cases for span in _own(case)
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
        and labelled[phrase, labels[0]] >= least
        and labelled[phrase, labels[0]] >= _NEARLY_ALL * _times(phrase, texts)
    ]


def _times(phrase: str, texts: Sequence[str]) -> int:
    """Count where a phrase stands with no letter or digit beside it."""
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
