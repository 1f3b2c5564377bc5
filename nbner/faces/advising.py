"""The model's second thoughts: its best analyses under what a person has fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbner.faces.confidence import LONGEST, Confidence
from nbner.types import Example, Parse, Span

if TYPE_CHECKING:
    from nbner.decoding.lattice_view import Lattice


class Advising(Confidence):
    """Searches an example again, in the lattice that is kept of it."""

    def _analyses(
        self, example: Example, k: int, forced: Sequence[Span], forbidden: Sequence[Span]
    ) -> list[Parse]:
        """Give the k best analyses that hold some spans and not others.

        Each span has its confidence under these constraints. Spans with labels
        that the session does not have are left out, as in suggestions.
        """
        from nbner.decoding.constraints import Constraints
        from nbner.nlp.fingerprint import fingerprint

        lattice = self._lattice_of(example)
        constraints = Constraints(forced=tuple(forced), forbidden=tuple(forbidden))
        sure = self._confident(lattice.span_probabilities(constraints))
        source, known, fixed = fingerprint(self._nlp), set(self.labels), set(forced)

        def seen(span: Span) -> Span:
            return span if span in fixed else replace(span, source=source, score=sure(span))

        return [
            replace(parse, spans=tuple(seen(span) for span in parse.spans if span.label in known))
            for parse in lattice.k_best(k, constraints)
        ]

    def _lattice_of(self, example: Example) -> Lattice:
        """Take the lattice that was kept when the example was suggested, or make it."""
        from nbner.decoding.api import lattices

        key = (example.split, example.input_hash)
        lattice = self._lattices.get(key)
        if lattice is None:
            lattice = next(lattices(self._nlp, [example], longest=LONGEST))
            self._lattices.put(key, lattice)
        return lattice
