"""Labelling by hand: the widgets in the cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbner.active_learning.strategies import Order
from nbner.errors import DataError, ModelError
from nbner.evaluation import k_best_scores
from nbner.faces.advising import Advising
from nbner.faces.choosing import Choosing
from nbner.faces.confidence import LONGEST
from nbner.queues.labelling import Adviser, LabellingDesk, Suggest
from nbner.store.assignments import Overlap
from nbner.types import Answer, Example, Span

if TYPE_CHECKING:
    from nbner.nlp.patterns import Source
    from nbner.store.store import Dataset
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.queue_protocol import Mode


class Hand(Advising, Choosing):
    """Label by hand, and correct what the model suggests."""

    def manual(
        self,
        split: str = "train",
        *,
        patterns: Source | None = None,
        overlap: Overlap | None = None,
    ) -> Annotator:
        """Label by hand: the widget at the first open example, empty or with patterns' finds.

        Parameters
        ----------
        split : str
        patterns : str, Path or iterable of mappings, optional
            A pattern file in Prodigy's format, or its lines. What they find is
            suggested; where two finds overlap, the longer one is marked and the
            other one on offer below the text.
        overlap : int or "all", optional
            How many people are to decide each example of the split; it is kept
            in the store and holds for everybody. At first it is 1: an example
            that somebody has before them is given to nobody else until half an
            hour has gone by without a sign of them. With more, nobody sees
            what the others said.

        Raises
        ------
        DataError
            There is no label to give, or a line of the file is no pattern.
        """
        finds = self._suggesting(patterns, model=False)
        adviser = None if finds is None else Adviser(finds)
        return self._annotator(split, "manual", adviser, overlap)

    def make_gold(
        self,
        split: str = "train",
        *,
        patterns: Source | None = None,
        neighbours: bool = True,
        overlap: Overlap | None = None,
        order: Order = "given",
        aside: float | None = None,
        withhold: float = 0.0,
        corrupt: float = 0.0,
    ) -> Annotator:
        """Correct suggestions: the widget, holding the model's.

        Until a model has been trained, the suggestions that came with the data
        are shown. Each of the model's has its confidence as ``score``: its
        exact probability, calibrated once ``session.calibrate()`` has run.
        Every accepted answer keeps the rank of its spans among the model's 64
        best analyses, for ``session.oracle_curve(source="answers")``.

        Parameters
        ----------
        split : str
        patterns : str, Path or iterable of mappings, optional
            A pattern file in Prodigy's format, or its lines: what they find is
            suggested beside what the model suggests, each with its source.
        neighbours : bool
            Let a change of one span correct its neighbours: the rest of the
            text is searched again at once, with the changed span fixed.
        overlap : int or "all", optional
            As for `manual`.
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
        withhold, corrupt : float
            An anchoring audit: shares of the suggestions that are not shown,
            and that are shown with a wrong label or a wrong end. Every answer
            keeps what was done, and `anchoring` reports how far it was
            followed. Other analyses are not on offer meanwhile.

        Raises
        ------
        ModelError
            There is no trained model, no pattern, and no suggestion came with
            the data; or the order needs a model that is not there.
        DataError
            A line of the file is no pattern, there is no such order, or a
            share is none.
        """
        from nbner.nlp.pipeline import is_trained

        if patterns is None and not is_trained(self._nlp) and not self._has_suggestions(split):
            raise ModelError(
                "there is nothing to suggest yet: the model is not trained. Label some examples "
                "with session.manual() and call session.train(), give a trained pipeline: "
                "Session(..., model=...), or patterns: session.make_gold(patterns=...)."
            )
        suggest = self._suggesting(patterns, model=True) or self._suggest
        dataset = self._in_order(order, aside)
        adviser = Adviser(suggest)
        if is_trained(self._nlp):
            adviser = Adviser(suggest, self._ranked, self._analyses, redecodes=neighbours)
        if withhold or corrupt:
            adviser = self._audited(adviser, withhold, corrupt)
        return self._annotator(split, "make-gold", adviser, overlap, dataset)

    def _audited(self, adviser: Adviser, withhold: float, corrupt: float) -> Adviser:
        """Spoil some suggestions; an annotator who could leaf would see what they were."""
        from nbner.queues.anchoring_audit import Auditor

        auditor = Auditor(
            adviser.suggest,
            adviser.remark,
            self.labels,
            withhold=withhold,
            corrupt=corrupt,
            seed=self.seed,
        )
        return Adviser(auditor.suggest, auditor.remark)

    def _suggesting(self, source: Source | None, *, model: bool) -> Suggest | None:
        """Make the way to suggest with patterns; None where there are none."""
        if source is None:
            return None
        from nbner.nlp.patterns import check, load_patterns, suggest_with

        patterns = load_patterns(self._nlp, source, self.labels)
        check(self._nlp, patterns, model=model)

        def suggest(examples: Sequence[Example]) -> list[tuple[Span, ...]]:
            nonlocal patterns
            # The model may have been trained anew since.
            patterns = patterns.on(self._nlp)
            found = suggest_with(self._nlp, patterns, examples, model=model)
            return self._known(self._scored(examples, found) if model else found)

        return suggest

    def _annotator(
        self,
        split: str,
        mode: Mode,
        adviser: Adviser | None,
        overlap: Overlap | None = None,
        dataset: Dataset | None = None,
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
            dataset or self._dataset,
            split=split,
            annotator=self.annotator,
            key=self._store.key,
            tokenize=self._tokenize,
            adviser=adviser,
            switchboard=self._switchboard,
            mode=mode,
        )
        widget = Annotator(desk)
        self._annotators.add(widget)
        return widget

    def _suggest(self, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        """Suggest with the last finished model; before there is one, what came with the data."""
        from nbner.nlp.pipeline import is_trained
        from nbner.nlp.prediction import predict

        if not is_trained(self._nlp):
            return self._known(example.spans for example in examples)
        return self._known(self._scored(examples, predict(self._nlp, examples)))

    def _known(self, proposed: Iterable[Iterable[Span]]) -> list[tuple[Span, ...]]:
        """Leave out the spans whose labels cannot be given here."""
        known = set(self.labels)
        return [tuple(span for span in spans if span.label in known) for spans in proposed]

    def _scored(
        self, examples: Sequence[Example], proposed: Iterable[Iterable[Span]]
    ) -> Iterator[Iterable[Span]]:
        """Give each span the model's confidence; keep the lattices for what comes after."""
        from nbner.decoding.api import lattices
        from nbner.nlp.pipeline import is_trained

        if not is_trained(self._nlp):
            yield from proposed
            return
        found = lattices(self._nlp, examples, longest=LONGEST)
        for example, spans, lattice in zip(examples, proposed, found, strict=True):
            self._lattices.put((example.split, example.input_hash), lattice)
            sure = self._confident(lattice.span_probabilities())
            yield (replace(span, score=sure(span)) for span in spans)

    def _ranked(self, answer: Answer) -> Mapping[str, Any]:
        """Hold the list that the model had for an accepted answer's text against its spans."""
        lattice = self._lattices.get((answer.split, answer.input_hash))
        if lattice is None or answer.answer != "accept":
            return {}
        analyses = [parse.spans for parse in lattice.k_best(k_best_scores.KEPT)]
        return k_best_scores.kept(k_best_scores.judge(analyses, answer.spans, answer.labels))

    def _has_suggestions(self, split: str) -> bool:
        return any(one.spans for one in self._dataset.examples(split) if one.answer is None)
