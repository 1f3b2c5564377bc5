"""Labelling by hand: the widgets in the cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbner.analysis.choosing import Order
from nbner.errors import DataError, ModelError
from nbner.faces.choosing import Choosing
from nbner.labelling import LabellingDesk, Suggest
from nbner.types import Example, Span

if TYPE_CHECKING:
    from nbner.data.store import Dataset
    from nbner.widgets.annotator import Annotator


class Hand(Choosing):
    """Label by hand, and correct what the model suggests."""

    def manual(self, split: str = "train") -> Annotator:
        """Label by hand: the widget, empty, at the first open example.

        Raises
        ------
        DataError
            There is no label to give.
        """
        return self._annotator(split, None)

    def make_gold(
        self, split: str = "train", *, order: Order = "given", aside: float | None = None
    ) -> Annotator:
        """Correct suggestions: the widget, holding the model's.

        Until a model has been trained, the suggestions that came with the data
        are shown.

        Parameters
        ----------
        split : str
        order : {"given", "random", "least sure", "diverse", "disagreeing"}
            Which example comes next: as they were added; at random; the one
            with the highest entropy over its exact analyses; the one that is
            least like all that is labelled; the one on which the last two
            models disagree most. Examples that are chosen together are not
            alike, and a new model makes a new order.
        aside : float, optional
            Share of examples that are drawn at random and kept aside: training
            does not learn from them, and measures on them. By default a tenth
            where the order chooses, since the chosen ones are not like the
            rest.

        Raises
        ------
        ModelError
            There is no trained model, and no suggestion came with the data; or
            the order needs a model that is not there.
        DataError
            There is no such order.
        """
        from nbner.model.pipeline import is_trained

        if not is_trained(self._nlp) and not self._has_suggestions(split):
            raise ModelError(
                "there is nothing to suggest yet: the model is not trained. Label some examples "
                "with session.manual() and call session.train(), or give a trained pipeline: "
                "Session(..., model=...)."
            )
        return self._annotator(split, self._suggest, self._in_order(order, aside))

    def _annotator(
        self, split: str, suggest: Suggest | None, dataset: Dataset | None = None
    ) -> Annotator:
        if not self.labels:
            raise DataError(
                "there is no label to give",
                remedy='Name them: Session(..., labels=["PERSON", "ORG"])',
            )
        from nbner.widgets.annotator import Annotator

        desk = LabellingDesk(
            dataset or self._dataset,
            split=split,
            annotator=self.annotator,
            key=self._store.key,
            tokenize=self._tokenize,
            suggest=suggest,
            switchboard=self._switchboard,
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
