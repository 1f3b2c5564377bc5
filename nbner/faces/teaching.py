"""Demos that teach: the state machine at work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from nbner.errors import DataError
from nbner.faces.foundation import Foundation
from nbner.types import Example, Span

if TYPE_CHECKING:
    from nbner.teaching.trace.trace_viewer import StateViewer

Given: TypeAlias = "Iterable[Span | tuple[int, int, str]]"

MOST_TOKENS = 300  # of a text that is stepped through
WIDEST = 64


class Teaching(Foundation):
    """Show how the recognizer decides."""

    def explain(
        self, text: str | Example, gold: Given | None = None, *, width: int = 8
    ) -> StateViewer:
        """Step through the recognizer's decisions on a text: the widget, and its values.

        At every word: the buffer, the open entity, the distribution over the
        valid actions, what greedy search chooses, and, where gold is known,
        which actions the training oracle calls zero-cost (spaCy's own dynamic
        oracle). Beside it, what spaCy's own beam search of this width holds
        before the word, over raw scores, with the analysis that greedy search
        lost, if it lost one. For the exact k best see `parses`.

        Parameters
        ----------
        text : str or Example
            An example's own tokens are kept.
        gold : iterable of Span or (start, end, label), optional
            Complete gold in code points; ``[]`` says that there is no entity.
            By default the example's accepted answer, or the one that stands in
            this dataset for this very text.
        width : int
            Of the beam; 1 to 64.

        Returns
        -------
        StateViewer
            With ``frame`` (a row a step and action), ``beam_frame``, ``steps``,
            ``plot()`` and ``step``, the place that is shown, which can be set
            and observed.

        Raises
        ------
        ModelError
            The model has not been trained.
        DataError
            The text is empty or has more than 300 tokens, the gold does not fit
            the tokens or has a label that the model does not know, or there is
            no such width.

        Examples
        --------
        >>> trace = session.explain("Whisk the eggs.", [(10, 14, "Ingredient")])  # doctest: +SKIP
        >>> trace.steps[0].chosen.action  # doctest: +SKIP
        'U-Action'
        """
        from nbner.nlp.prediction import check_trained
        from nbner.teaching.trace.report import Trace
        from nbner.teaching.trace.trace import trace
        from nbner.teaching.trace.trace_viewer import StateViewer

        check_trained(self._nlp)
        example = self._explained(text, width)
        right, note = self._gold_for(example, gold)
        run = trace(self._nlp, example, right, width=width)
        return StateViewer(Trace(run, width, self.labels, note))

    def _explained(self, text: str | Example, width: int) -> Example:
        example = self._tokenized(Example(text) if isinstance(text, str) else text)
        if not example.text.strip():
            raise DataError(
                "the text is empty, so there is nothing to decide",
                field="text",
                remedy='Give a sentence: session.explain("Whisk the eggs.")',
            )
        if len(example.tokens) > MOST_TOKENS:
            end = example.tokens[MOST_TOKENS - 1].end
            raise DataError(
                f"a text of {len(example.tokens):,} tokens is too long to step through; "
                f"{MOST_TOKENS} are shown at most",
                field="text",
                remedy=f"Give a part of it, such as session.explain(text[:{end}])",
            )
        if not 1 <= width <= WIDEST:
            raise DataError(
                f"width={width} is no width of a beam that can be shown",
                field="width",
                remedy=f"Give a number from 1 to {WIDEST}",
            )
        return example

    def _gold_for(
        self, example: Example, gold: Given | None
    ) -> tuple[tuple[Span, ...] | None, str]:
        """Find the gold of a text, and what there is to say about it."""
        from nbner.nlp.gold_spans import stated_gold
        from nbner.nlp.pipeline import labels_of

        known = labels_of(self._nlp)
        if gold is not None:
            return stated_gold(example, gold, known), ""
        stands = self._standing(example)
        if stands is None:
            return None, "no gold is known"
        try:
            return stated_gold(example, stands, known), ""
        except DataError as error:
            # The text can be explained all the same.
            return None, f"the stored gold cannot be used: {error.problem}"

    def _standing(self, example: Example) -> tuple[Span, ...] | None:
        """Give the accepted answer to a text; None where there is none."""
        if example.answer is not None:
            return None if example.answer != "accept" or example.binary else example.spans
        for _, answer in reversed(self._dataset.history(example.text) or []):
            found = self._dataset.find(answer.input_hash, answer.split)
            if found is not None and found.answer == "accept" and not found.binary:
                return found.spans
        return None
