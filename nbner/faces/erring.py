"""What the model has wrong: the error explorer, and what it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbner.errors import DataError
from nbner.faces.confidence import LONGEST
from nbner.faces.modelling import Modelling
from nbner.queues.error_review import Backing, MendingDesk
from nbner.types import Example, Span

if TYPE_CHECKING:
    from nbner.evaluation.diff.report import Differences
    from nbner.evaluation.errors.report import Errors
    from nbner.evaluation.errors.span_features import Training
    from nbner.evaluation.pairing import Pair
    from nbner.widgets.error_explorer import ErrorExplorer


class Erring(Modelling):
    """See what is wrong, and mend it where it stands."""

    def errors(
        self,
        split: str | Sequence[str] = "dev",
        *,
        training: str = "train",
        confidence: bool = True,
        progress: bool = True,
    ) -> ErrorExplorer:
        """Show what the model has wrong on accepted examples: the error explorer.

        Every number of the confusion matrix, and every bar, opens its
        examples, gold over prediction. There the gold is corrected, or the
        model is called wrong; the matrix follows, and every change can be
        undone.

        Parameters
        ----------
        split : str or sequence of str
            Its accepted examples are the gold.
        training : str
            Where the model has learnt: a span is "seen" if its words have the
            same label there.
        confidence : bool
            Ask for the exact probability of every span that is predicted or
            missed, which takes another pass over the texts.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        ErrorExplorer
            ``frame`` (a row a finding), ``confusion``, ``attribution()``,
            ``plot()``, ``where(...)``, ``show(...)``, ``to_html(path)``.

        Raises
        ------
        DataError
            Nothing is accepted in the split.
        ModelError
            The model has not been trained.
        """
        splits = [split] if isinstance(split, str) else list(split)
        if not splits:
            raise DataError("there is no split to look at", remedy='Name one: split="dev"')
        gold = [one for name in splits for one in self._gold(name)]
        from nbner.nlp.pipeline import recognizer_of

        errors = self._errors_on(
            gold,
            self._training(training),
            title=", ".join(splits),
            # A pipeline of rules alone has no probabilities.
            confidence=confidence and recognizer_of(self._nlp) is not None,
            progress=progress,
        )
        explorer = self._explorer(errors)
        self._explorers.add(explorer)
        return explorer

    def _errors_on(
        self,
        gold: Sequence[Example],
        training: Training,
        *,
        title: str,
        confidence: bool,
        progress: bool,
    ) -> Errors:
        from nbner._common.progress import Bar
        from nbner.evaluation.errors.report import Errors
        from nbner.evaluation.warnings import oddities
        from nbner.nlp.pipeline import labels_of
        from nbner.nlp.prediction import predict

        passes = 2 if confidence else 1
        with Bar(passes * len(gold), "looking for errors", "texts", shown=progress) as bar:
            predicted = list(bar.over(predict(self._nlp, gold)))
            known = list(bar.over(self._known_of(gold, predicted))) if confidence else None
        return Errors(
            gold,
            predicted,
            training=training,
            probabilities=known,
            labels=self.labels,
            title=title,
            notices=oddities(gold, predicted, known=labels_of(self._nlp)),
            seed=self.seed,
        )

    def _training(self, split: str) -> Training:
        from nbner.evaluation.errors.span_features import Training

        return Training(self._dataset.examples(split, answer="accept"))

    def _known_of(
        self, gold: Sequence[Example], predicted: Sequence[Sequence[Span]]
    ) -> Iterator[Mapping[Span, float]]:
        """Give for each text the model's probability of the spans of both sides."""
        from nbner.decoding.api import span_probabilities

        found = span_probabilities(self._nlp, gold, longest=LONGEST)
        for example, said, known in zip(gold, predicted, found, strict=True):
            sure = self._confident(known)
            yield {span: sure(span) for span in {*example.spans, *said}}

    def _explorer(self, errors: Errors) -> ErrorExplorer:
        """Put findings in a widget whose changes go to the store."""
        from nbner.widgets.error_explorer import ErrorExplorer

        backing = Backing(
            self._dataset, self.annotator, self._store.key, self._tokenize, self._switchboard
        )
        return ErrorExplorer(errors, MendingDesk(errors, backing=backing, labels=self.labels))

    def _versus(
        self,
        gold: Sequence[Example],
        before: Sequence[Sequence[Span]],
        after: Sequence[Sequence[Span]],
        names: tuple[str, str] = ("before", "after"),
    ) -> ErrorExplorer:
        """Show two models' spans against each other where they differ, with the gold."""
        from nbner.evaluation.errors.report import Errors

        differing = [i for i in range(len(gold)) if set(before[i]) != set(after[i])]
        errors = Errors(
            [gold[i] for i in differing],
            [after[i] for i in differing],
            first=[before[i] for i in differing],
            labels=self.labels,
            names=names,
            title=f"{names[0]} and {names[1]}",
            seed=self.seed,
        )
        return self._explorer(errors)


def explored(found: Differences) -> ErrorExplorer:
    """Show the texts on which two sides differ; without a store nothing can be changed."""
    from nbner.evaluation.errors.report import Errors
    from nbner.widgets.error_explorer import ErrorExplorer

    examples = [
        replace(one.pair.a, meta={**one.pair.a.meta, "cause": one.cause.name})
        for one in found.found
    ]
    carried = [_carried(one.pair) for one in found.found]
    labels = sorted({s.label for one in (*found.pairs,) for side in one for s in side.spans})
    errors = Errors(
        examples,
        carried,
        first=[one.spans for one in examples],
        labels=labels,
        names=(found.a, found.b),
        title=f"{found.a} and {found.b}",
    )
    return ErrorExplorer(errors, MendingDesk(errors, labels=labels))


def _carried(pair: Pair) -> list[Span]:
    """Give the second side's spans where they lie in the first side's text."""
    from nbner._common.text_alignment import carried

    found = []
    for span in pair.b.spans:
        place = carried(pair.a.text, pair.b.text, span.start, span.end)
        if place is not None:
            found.append(replace(span, start=place[0], end=place[1]))
    return found
