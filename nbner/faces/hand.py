"""Labelling by hand: the widgets in the cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbner.analysis import judging
from nbner.data.team import Overlap
from nbner.errors import DataError, ModelError
from nbner.faces.confidence import LONGEST, Confidence
from nbner.labelling import LabellingDesk, Remark, Suggest
from nbner.types import Answer, Example, Span

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator


class Hand(Confidence):
    """Label by hand, and correct what the model suggests."""

    def manual(self, split: str = "train", *, overlap: Overlap | None = None) -> Annotator:
        """Label by hand: the widget, empty, at the first open example.

        Parameters
        ----------
        split : str
        overlap : int or "all", optional
            How many people are to decide each example of the split; it is kept
            in the store and holds for everybody. At first it is 1: an example
            that somebody has before them is given to nobody else until half an
            hour has gone by without a sign of them. With more, nobody sees
            what the others said.

        Raises
        ------
        DataError
            There is no label to give.
        """
        return self._annotator(split, overlap=overlap)

    def make_gold(self, split: str = "train", *, overlap: Overlap | None = None) -> Annotator:
        """Correct suggestions: the widget, holding the model's.

        Until a model has been trained, the suggestions that came with the data
        are shown. Each of the model's has its confidence as ``score``: its
        exact probability, calibrated once ``session.calibrate()`` has run.
        Every accepted answer keeps the rank of its spans among the model's 64
        best analyses, for ``session.oracle_curve(source="answers")``.

        Parameters
        ----------
        split : str
        overlap : int or "all", optional
            As for `manual`.

        Raises
        ------
        ModelError
            There is no trained model, and no suggestion came with the data.
        """
        from nbner.model.pipeline import is_trained

        if not is_trained(self._nlp) and not self._has_suggestions(split):
            raise ModelError(
                "there is nothing to suggest yet: the model is not trained. Label some examples "
                "with session.manual() and call session.train(), or give a trained pipeline: "
                "Session(..., model=...)."
            )
        return self._annotator(split, self._suggest, self._ranked, overlap=overlap)

    def _annotator(
        self,
        split: str,
        suggest: Suggest | None = None,
        remark: Remark | None = None,
        *,
        overlap: Overlap | None = None,
    ) -> Annotator:
        if not self.labels:
            raise DataError(
                "there is no label to give",
                remedy='Name them: Session(..., labels=["PERSON", "ORG"])',
            )
        from nbner.widgets.annotator import Annotator

        if overlap is not None:
            self._dataset.team.set_overlap(split, overlap)
        desk = LabellingDesk(
            self._dataset,
            split=split,
            annotator=self.annotator,
            key=self._store.key,
            tokenize=self._tokenize,
            suggest=suggest,
            switchboard=self._switchboard,
            remark=remark,
        )
        widget = Annotator(desk)
        self._annotators.add(widget)
        return widget

    def _suggest(self, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        """Suggest with the last finished model; before there is one, what came with the data."""
        from nbner.model.pipeline import is_trained

        known = set(self.labels)
        proposed = (
            self._predicted(examples)
            if is_trained(self._nlp)
            else (example.spans for example in examples)
        )
        return [tuple(span for span in spans if span.label in known) for spans in proposed]

    def _predicted(self, examples: Sequence[Example]) -> Iterator[tuple[Span, ...]]:
        """Predict, with the confidence of each span; keep the lattices for what comes after."""
        from nbner.decode.search import lattices
        from nbner.model.prediction import predict

        nlp = self._nlp
        found = lattices(nlp, examples, longest=LONGEST)
        for example, spans, lattice in zip(examples, predict(nlp, examples), found, strict=True):
            self._lattices.put((example.split, example.input_hash), lattice)
            sure = self._confident(lattice.span_probabilities())
            yield tuple(replace(span, score=sure(span)) for span in spans)

    def _ranked(self, answer: Answer) -> Mapping[str, Any]:
        """Hold the list that the model had for an accepted answer's text against its spans."""
        lattice = self._lattices.get((answer.split, answer.input_hash))
        if lattice is None or answer.answer != "accept":
            return {}
        analyses = [parse.spans for parse in lattice.k_best(judging.KEPT)]
        return judging.kept(judging.judge(analyses, answer.spans, answer.labels))

    def _has_suggestions(self, split: str) -> bool:
        return any(one.spans for one in self._dataset.examples(split) if one.answer is None)
