"""Gold that looks wrong: find it, rank it, mend it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nbner.faces.confidence import LONGEST
from nbner.faces.deciding import teller
from nbner.faces.modelling import Modelling
from nbner.quality import label_issues as issues
from nbner.queues.correction import Doubt, SettlingDesk
from nbner.store.assignments import Version
from nbner.types import Example

if TYPE_CHECKING:
    from nbner.decoding.probabilities import SpanProbabilities
    from nbner.quality.label_issues import Issue
    from nbner.quality.label_issues_report import LabelIssues
    from nbner.widgets.annotator import Annotator

UNSEEN = "models of the other folds"
IN_USE = "the model in use"


class Settling(Modelling):
    """Look for errors in gold, and open them in the annotator."""

    def label_issues(
        self,
        split: str = "train",
        *,
        folds: int = 5,
        dev: str = "dev",
        max_epochs: int | None = None,
        progress: bool = True,
    ) -> LabelIssues:
        """Rank the gold spans, and the gaps in gold, that look wrong.

        Gold is dealt into folds; each is looked at by a model that was trained
        on all the others and so cannot repeat its errors. Where its exact
        probability of what gold says is below that of something else, there is
        an issue; the widest margin comes first. It takes about ``folds`` times
        as long as `train`.

        Parameters
        ----------
        split : str
        folds : int
            0 asks the model in use instead, which takes no time; only for a
            split that it was not trained on, such as "dev".
        dev : str
            Where each fold's model is chosen; where it is ``split`` itself, or
            holds no gold, a fifth of the other folds is held out for that.
        max_epochs : int, optional
            Of each fold's training.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        LabelIssues
            ``frame``, ``plot()``, and ``annotate()``, which opens them in the
            annotator in this order.

        Raises
        ------
        DataError
            There is no gold, or too little for so many folds.
        ModelError
            ``folds=0``, and the model has not been trained.
        TrainingError
            A fold's rest cannot be trained on.
        """
        from nbner.quality.label_issues_report import LabelIssues

        gold = self._gold(split)
        found: list[Issue] = []
        fold_f: list[float | None] = []
        if folds == 0:
            found += self._issues(gold, self._known_now(gold))
        else:
            for examples, known, f in self._apart(gold, split, dev, folds, max_epochs, progress):
                found += self._issues(examples, known)
                fold_f.append(f)
        return LabelIssues(
            tuple(issues.ranked(found)),
            over=split,
            n=len(gold),
            n_spans=sum(len(one.spans) for one in gold),
            folds=folds,
            fold_f=tuple(fold_f),
            opens=lambda chosen: self._open_issues(chosen, split, UNSEEN if folds else IN_USE),
        )

    # What the models say.

    def _apart(
        self,
        gold: Sequence[Example],
        split: str,
        dev: str,
        folds: int,
        max_epochs: int | None,
        progress: bool,  # noqa: FBT001 - passed on by position within this module
    ) -> Iterator[tuple[list[Example], Iterator[SpanProbabilities], float | None]]:
        """Give each fold's examples with what a model that never saw them says."""
        from nbner._common.progress import Bar
        from nbner.reranking.cross_validation import models_apart

        held = [] if dev == split else self.examples(dev, answer="accept")
        with Bar(folds, "training on folds", "folds", shown=progress) as bar:
            models = models_apart(
                self._base,
                gold,
                held,
                labels=self.labels,
                folds=folds,
                seed=self.seed,
                max_epochs=max_epochs,
                watch=teller(bar, folds),
            )
            for one in bar.over(models):
                yield [gold[i] for i in one.positions], one.probabilities(gold), one.f

    def _known_now(self, gold: Sequence[Example]) -> Iterator[SpanProbabilities]:
        from nbner.decoding.api import span_probabilities

        return span_probabilities(self._nlp, gold, longest=LONGEST)

    @staticmethod
    def _issues(examples: Sequence[Example], known: Iterator[SpanProbabilities]) -> Iterator[Issue]:
        for example, one in zip(examples, known, strict=True):
            yield from issues.issues_in(example, one.spans, one.tokens[:, -1].tolist())

    # Mending.

    def _open_issues(self, chosen: Sequence[Issue], split: str, by: str) -> Annotator:
        grouped: dict[int, list[Issue]] = defaultdict(list)
        for one in chosen:
            grouped[one.example.input_hash].append(one)
        doubts = {
            key: Doubt(
                {one.given: one.probability for one in some if one.given is not None},
                (Version(by, "accept", issues.mended(some[0].example.spans, some)),),
            )
            for key, some in grouped.items()
        }
        return self._mender(split, doubts, "label issues", by)

    def _mender(
        self, split: str, doubts: Mapping[int, Doubt], what: str, doubter: str
    ) -> Annotator:
        from nbner.widgets.annotator import Annotator

        desk = SettlingDesk(
            self._dataset,
            split=split,
            annotator=self.annotator,
            key=self._store.key,
            tokenize=self._tokenize,
            switchboard=self._switchboard,
            doubts=doubts,
            what=what,
            doubter=doubter,
        )
        widget = Annotator(desk)
        self._annotators.add(widget)
        return widget
