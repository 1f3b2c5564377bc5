"""The same examples through plain spaCy: what suggestions and predictions are held against."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from spacy.tokens import Doc
from spacy.util import get_words_and_spaces

from nbner.evaluation.diff.variants import sentence_ranges
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

Spans: TypeAlias = tuple[Span, ...]

WHOLE = "texts"
SENTENCE = "sentences"


@dataclass(frozen=True, slots=True)
class SpacyRun:
    """One pass of plain ``nlp.pipe``.

    Parameters
    ----------
    description : str
        Batch size, order and processes, in words.
    spans : tuple of tuples of Span
        In the order of the examples, whatever the order of the pass.
    """

    description: str
    spans: tuple[Spans, ...]

    def differing(
        self, suggested: Sequence[Spans], *, without: Collection[str] = ()
    ) -> tuple[int, ...]:
        """Return the positions at which something else was suggested.

        Parameters
        ----------
        suggested : sequence of tuples of Span
            The suggestions for each example.
        without : collection of str
            Labels that are not compared.
        """
        pairs = enumerate(zip(self.spans, suggested, strict=True))
        return tuple(
            i
            for i, (plain, mine) in pairs
            if {one for one in plain if one.label not in without} != set(mine)
        )

    def labels(self) -> set[str]:
        """Return the labels of all spans."""
        return {span.label for spans in self.spans for span in spans}


def text_units(nlp: Language, examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Give the examples as they are, and every sentence of theirs as an example of its own."""
    cuts = sentence_ranges(str(nlp.lang), [one.text for one in examples])
    single = [
        Example(one.text[start:end])
        for one, pieces in zip(examples, cuts, strict=True)
        for start, end in pieces
    ]
    return {WHOLE: list(examples), SENTENCE: single}


def run_spacy(
    nlp: Language, examples: Sequence[Example], batch_sizes: Sequence[int], processes: Sequence[int]
) -> Iterator[SpacyRun]:
    """Run plain ``nlp.pipe`` in several ways.

    Yields
    ------
    SpacyRun
    """
    for count in processes:
        for size in batch_sizes:
            how = f"batches of {size:,}, {count} process{'es' if count > 1 else ''}"
            yield SpacyRun(how, _piped(nlp, examples, size, count))
    backwards = _piped(nlp, examples[::-1], batch_sizes[-1], 1)
    yield SpacyRun("in reverse", backwards[::-1])


def _piped(
    nlp: Language, examples: Sequence[Example], batch_size: int, n_process: int
) -> tuple[Spans, ...]:
    # Written apart from `prediction` on purpose: it is what that is held against.
    docs = nlp.pipe(
        [_doc(nlp, one) for one in examples], batch_size=batch_size, n_process=n_process
    )
    return tuple(
        tuple(Span(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents) for doc in docs
    )


def _doc(nlp: Language, example: Example) -> Doc:
    plain = nlp.make_doc(example.text)
    words = [token.text for token in example.tokens]
    if not example.pretokenized or words == [t.text for t in plain if not t.is_space]:
        return plain
    words, spaces = get_words_and_spaces(words, example.text)
    return Doc(nlp.vocab, words=words, spaces=spaces)
