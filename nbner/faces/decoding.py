"""The model's analyses: the k best, and the probability of every span."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from nbner.errors import DataError
from nbner.faces.material import Material
from nbner.io import formats
from nbner.io.rows import as_example
from nbner.types import Example, Parse, Span

if TYPE_CHECKING:
    from nbner.decoding.api import Decoder
    from nbner.decoding.probabilities_report import TextProbabilities


class Decoding(Material):
    """Look behind the model's first choice."""

    @overload
    def parses(
        self,
        source: str | Example,
        k: int = ...,
        decoder: Decoder = ...,
        *,
        longest: int | Literal["data"] | None = ...,
        forced: Sequence[Span] = ...,
        forbidden: Sequence[Span] = ...,
        progress: bool = ...,
    ) -> list[Parse]: ...

    @overload
    def parses(
        self,
        source: Any,
        k: int = ...,
        decoder: Decoder = ...,
        *,
        longest: int | Literal["data"] | None = ...,
        forced: Sequence[Span] = ...,
        forbidden: Sequence[Span] = ...,
        progress: bool = ...,
    ) -> list[list[Parse]]: ...

    def parses(
        self,
        source: Any,
        k: int = 8,
        decoder: Decoder = "exact",
        *,
        longest: int | Literal["data"] | None = None,
        forced: Sequence[Span] = (),
        forbidden: Sequence[Span] = (),
        progress: bool = False,
    ) -> list[Parse] | list[list[Parse]]:
        """Give the k best analyses of a text, or of each of several.

        Parameters
        ----------
        source : str, Example, path, DataFrame, or iterable of them
            A single text gives a single list.
        k : int
            Analyses a text at most.
        decoder : {"exact", "beam"}
            The exact k best, whose probabilities are the model's own, or what
            spaCy's beam of width k holds, whose probabilities are shares of the
            beam.
        longest : int or "data", optional
            Tokens of the longest entity that the exact search looks for;
            "data" takes it from the accepted examples. By default any length.
        forced, forbidden : sequence of Span
            Spans that every analysis of the text holds, and that none does; for
            one text and the exact decoder. Probabilities are those given these.
        progress : bool
            Show a bar.

        Returns
        -------
        list of Parse, or list of list of Parse
            Best first; fewer than k where a text has no more.

        Raises
        ------
        DataError
            k is below 1, a text is empty, there is no such decoder, or the
            forced and forbidden spans contradict each other or the entities
            that an earlier component sets.
        ModelError
            The pipeline has no entity recognizer, or an untrained one.
        """
        from nbner._common.progress import counted
        from nbner.decoding.api import parses

        single = isinstance(source, (str, Example))
        limit = self._longest(longest)
        if forced or forbidden:
            return self._constrained(source, k, decoder, limit, forced, forbidden)
        found = parses(self._nlp, _filled(source), k, decoder=decoder, longest=limit)
        lists = [list(one) for one in (counted(found, "searching") if progress else found)]
        return lists[0] if single else lists

    def span_probabilities(
        self, text: str | Example, *, longest: int | Literal["data"] | None = None
    ) -> TextProbabilities:
        """Give the exact probability of every span of a text, and of every token's label.

        Parameters
        ----------
        text : str or Example
        longest : int or "data", optional
            As for `parses`.

        Returns
        -------
        TextProbabilities
            With ``frame`` (a row a span), ``tokens`` (a row a token) and ``plot()``.

        Raises
        ------
        DataError
            The text is empty.
        ModelError
            The pipeline has no entity recognizer, or an untrained one.
        """
        from nbner.decoding.api import span_probabilities
        from nbner.decoding.probabilities_report import TextProbabilities

        limit = self._longest(longest)
        (known,) = span_probabilities(self._nlp, _filled(text), longest=limit)
        return TextProbabilities(known, labels=self.labels)

    def _constrained(
        self,
        source: Any,
        k: int,
        decoder: str,
        longest: int | None,
        forced: Sequence[Span],
        forbidden: Sequence[Span],
    ) -> list[Parse]:
        from nbner.decoding.api import lattices
        from nbner.decoding.constraints import Constraints

        if decoder != "exact" or not isinstance(source, (str, Example)):
            raise DataError(
                "spans are forced or forbidden in one text at a time, and by the exact decoder",
                remedy='Give one text, and decoder="exact"',
            )
        (lattice,) = lattices(self._nlp, _filled(source), longest=longest)
        return list(lattice.k_best(k, Constraints(tuple(forced), tuple(forbidden))))

    def _longest(self, longest: int | Literal["data"] | None) -> int | None:
        if longest != "data":
            return longest
        from nbner.decoding.batching import longest_entity

        found = longest_entity(self.examples(answer="accept"))
        if found is None:
            raise DataError(
                'longest="data": no accepted example holds a span to measure',
                remedy="Give a number of tokens, or None for any",
            )
        return found


def _filled(source: Any) -> Iterable[Example | str]:
    """Take a text or a source of texts, none of them empty."""
    if isinstance(source, (str, Example)):
        rows: Iterable[Example] = [Example(source) if isinstance(source, str) else source]
    else:
        rows = (as_example(row) for row in formats.read(source))
    for line, example in enumerate(rows, start=1):
        if not example.text:
            raise DataError(
                "the text is empty, so it has no analyses to choose among",
                line=None if isinstance(source, (str, Example)) else line,
                field="text",
                remedy="Leave it out",
            )
        yield example
