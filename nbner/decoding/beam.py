"""spaCy's beam search, as the alternative to the exact one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nbner.decoding.spans import TokenOffsets
from nbner.types import Parse, Span

if TYPE_CHECKING:
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

DOCS_PER_CALL = 64  # docs in one call


def beam_parses(
    recognizer: EntityRecognizer, docs: Sequence[Doc], width: int
) -> Iterator[tuple[Parse, ...]]:
    """Search with spaCy's beam over raw scores.

    Parameters
    ----------
    recognizer : EntityRecognizer
        The trained component.
    docs : sequence of Doc
        As the recognizer receives them.
    width : int
        Analyses that are kept after each token and returned at the end.

    Yields
    ------
    tuple of Parse
        For each doc, best first. The probabilities are a softmax over the final
        beam: 1 at width 1, and not comparable between widths.
    """
    for at in range(0, len(docs), DOCS_PER_CALL):
        part = docs[at : at + DOCS_PER_CALL]
        filled = [doc for doc in part if len(doc)]
        # A density above 0 would cap the list.
        beams = recognizer.beam_parse(filled, beam_width=width, beam_density=0.0) if filled else []
        found = iter(zip(filled, beams, strict=True))
        for doc in part:
            yield _parses(recognizer.moves, *next(found)) if len(doc) else (Parse(1.0, 0.0, ()),)


def _parses(moves: Any, doc: Doc, beam: Any) -> tuple[Parse, ...]:
    places = TokenOffsets.from_doc(doc)
    analyses = moves.get_beam_parses(beam)
    return tuple(
        Parse(float(probability), float(score), _spans(entities, places))
        for (probability, entities), score in zip(analyses, beam.scores, strict=True)
    )


def _spans(entities: Sequence[tuple[int, int, str]], places: TokenOffsets) -> tuple[Span, ...]:
    # A blocked token stands in the beam as an entity without a label.
    return tuple(
        Span(int(places.starts[start]), int(places.ends[end - 1]), label)
        for start, end, label in entities
        if label
    )
