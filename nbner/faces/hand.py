"""Labelling by hand: the widgets in the cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbner.errors import DataError, ModelError
from nbner.faces.foundation import Foundation
from nbner.labelling import LabellingDesk, Suggest
from nbner.types import Example, Span

if TYPE_CHECKING:
    from nbner.model.patterns import Source
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.desk import Mode


class Hand(Foundation):
    """Label by hand, and correct what the model suggests."""

    def manual(self, split: str = "train", *, patterns: Source | None = None) -> Annotator:
        """Label by hand: the widget at the first open example, empty or with patterns' finds.

        Parameters
        ----------
        split : str
        patterns : str, Path or iterable of mappings, optional
            A pattern file in Prodigy's format, or its lines. What they find is
            suggested; where two finds overlap, the longer one is marked and the
            other one on offer below the text.

        Raises
        ------
        DataError
            There is no label to give, or a line of the file is no pattern.
        """
        return self._annotator(split, "manual", self._suggesting(patterns, model=False))

    def make_gold(self, split: str = "train", *, patterns: Source | None = None) -> Annotator:
        """Correct suggestions: the widget, holding the model's.

        Until a model has been trained, the suggestions that came with the data
        are shown.

        Parameters
        ----------
        split : str
        patterns : str, Path or iterable of mappings, optional
            A pattern file in Prodigy's format, or its lines: what they find is
            suggested beside what the model suggests, each with its source.

        Raises
        ------
        ModelError
            There is no trained model, no pattern, and no suggestion came with
            the data.
        DataError
            A line of the file is no pattern.
        """
        from nbner.model.pipeline import is_trained

        if patterns is None and not is_trained(self._nlp) and not self._has_suggestions(split):
            raise ModelError(
                "there is nothing to suggest yet: the model is not trained. Label some examples "
                "with session.manual() and call session.train(), give a trained pipeline: "
                "Session(..., model=...), or patterns: session.make_gold(patterns=...)."
            )
        suggest = self._suggesting(patterns, model=True)
        return self._annotator(split, "make-gold", suggest or self._suggest)

    def _suggesting(self, source: Source | None, *, model: bool) -> Suggest | None:
        """Make the way to suggest with patterns; None where there are none."""
        if source is None:
            return None
        from nbner.model.patterns import check, load_patterns, suggest_with

        patterns = load_patterns(self._nlp, source, self.labels)
        check(self._nlp, patterns, model=model)

        def suggest(examples: Sequence[Example]) -> list[tuple[Span, ...]]:
            nonlocal patterns
            known = set(self.labels)
            # The model may have been trained anew since.
            patterns = patterns.on(self._nlp)
            proposed = suggest_with(self._nlp, patterns, examples, model=model)
            return [tuple(span for span in spans if span.label in known) for spans in proposed]

        return suggest

    def _annotator(self, split: str, mode: Mode, suggest: Suggest | None) -> Annotator:
        if not self.labels:
            raise DataError(
                "there is no label to give",
                remedy='Name them: Session(..., labels=["PERSON", "ORG"])',
            )
        from nbner.widgets.annotator import Annotator

        desk = LabellingDesk(
            self._dataset,
            split=split,
            annotator=self.annotator,
            key=self._store.key,
            tokenize=self._tokenize,
            suggest=suggest,
            switchboard=self._switchboard,
            mode=mode,
        )
        widget = Annotator(desk)
        self._annotators.add(widget)
        return widget

    def _suggest(self, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        """Suggest with the last finished model; before there is one, what came with the data."""
        from nbner.model.pipeline import is_trained
        from nbner.model.prediction import predict

        nlp, known = self._nlp, set(self.labels)
        proposed = (
            predict(nlp, examples) if is_trained(nlp) else (example.spans for example in examples)
        )
        return [tuple(span for span in spans if span.label in known) for spans in proposed]

    def _has_suggestions(self, split: str) -> bool:
        return any(one.spans for one in self._dataset.examples(split) if one.answer is None)
