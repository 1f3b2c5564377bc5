"""Several people at one dataset: decide between them, and measure how far they agree."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from nbner.errors import DataError
from nbner.faces.foundation import Foundation
from nbner.types import IMPORT_ANNOTATOR

if TYPE_CHECKING:
    from nbner.quality.agreement.report import Agreement
    from nbner.quality.progress.report import Stats
    from nbner.widgets.annotator import Annotator


class Team(Foundation):
    """Review, agreement and progress."""

    def review(self, split: str = "train", *, reviewer: str | None = None) -> Annotator:
        """Decide where annotators differ: the widget, with their versions below the text.

        It starts with the spans on which all agree; a key takes a version as a
        whole, and any span can be changed. The decision is an answer of the
        reviewer and stands from then on; the others' answers stay.

        Parameters
        ----------
        split : str
        reviewer : str, optional
            Under whose name the decisions are stored. By default the session's
            annotator, with "(review)" behind the name where they are one of
            those who differ.

        Raises
        ------
        DataError
            The reviewer is one of those whose answers differ.
        """
        from nbner.queues.adjudication import ReviewDesk
        from nbner.widgets.annotator import Annotator

        people = set(self._dataset.team.annotators(split))
        name = reviewer or self.annotator
        if reviewer is None and name in people:
            name = f"{name} (review)"
        if name in people:
            raise DataError(
                f"{name!r} is one of those whose answers are reviewed",
                field="reviewer",
                remedy=f"Give the decisions another name: reviewer={f'{name} (review)'!r}",
            )
        desk = ReviewDesk(
            self._dataset,
            split=split,
            annotator=name,
            key=self._store.key,
            tokenize=self._tokenize,
            adviser=None,
            switchboard=self._switchboard,
        )
        widget = Annotator(desk)
        self._annotators.add(widget)
        return widget

    def agreement(
        self,
        split: str | None = None,
        *,
        annotators: Collection[str] | None = None,
        samples: int = 1000,
    ) -> Agreement:
        """Measure how far annotators agree, over what at least two of them accepted.

        Parameters
        ----------
        split : str, optional
            By default all.
        annotators : collection of str, optional
            By default all but reviewers and imported gold ("import").
        samples : int
            Bootstrap samples behind the intervals.

        Returns
        -------
        Agreement
            ``f`` (exact), ``relaxed``, ``kappa``, ``alpha``; ``frame`` (a row a
            pair), ``labels``, ``disputed`` and ``plot()``. What they are
            defined over stands in ``nbner.quality.agreement.scores``.

        Raises
        ------
        DataError
            No text was accepted by two of them.
        """
        from nbner.quality.agreement.report import Agreement
        from nbner.quality.agreement.scores import Rated, measure

        team = self._dataset.team
        versions = {
            id_: {
                one.annotator: one.spans
                for one in found
                if one.answer == "accept" and _is_wanted(one.annotator, annotators)
            }
            for id_, found in team.versions(split)
        }
        shared = {id_: spans for id_, spans in versions.items() if len(spans) >= 2}
        if not shared:
            raise DataError(
                "no text was accepted by two annotators",
                field="annotators",
                remedy='Let several people label the same: session.manual(overlap="all")',
            )
        examples = {id_: self._tokenized(one) for id_, one in team.examples(shared).items()}
        rated = tuple(
            Rated(examples[id_].text, examples[id_].tokens, spans) for id_, spans in shared.items()
        )
        return Agreement(measure(rated, samples=samples, seed=self.seed), rated, split)

    def stats(self, split: str | None = None, *, idle: float = 120.0) -> Stats:
        """Count what there is and the time that it took, and estimate the rest.

        Parameters
        ----------
        split : str, optional
            By default all.
        idle : float
            Seconds. Whoever looks at one example for longer has left the desk:
            the time beyond is not counted.

        Returns
        -------
        Stats
            ``frame`` (a row a split, annotator and answer), ``labels``,
            ``time``, ``rest`` and ``plot()``.
        """
        from nbner.quality.progress.effort import Work
        from nbner.quality.progress.report import Stats

        dataset = self._dataset
        sizes: dict[tuple[str, int], int] = {}
        waiting: list[tuple[str, int]] = []
        for example in dataset.examples(split):
            size = len(self._tokenized(example).tokens)
            sizes[example.split, example.input_hash] = size
            if example.answer is None:
                waiting.append((example.split, size))
        current = {one.id for one in dataset.answers(split)}
        works = [
            Work(
                example=(one.split, one.input_hash),
                annotator=one.annotator,
                answer=one.answer,
                tokens=sizes.get((one.split, one.input_hash), 0),
                labels=tuple(span.label for span in one.spans),
                seconds=one.extra.get("seconds"),
                is_current=one.id in current,
            )
            for one in dataset.answers(split, current=False)
        ]
        return Stats(tuple(works), tuple(waiting), self.labels, idle)


def _is_wanted(annotator: str, wanted: Collection[str] | None) -> bool:
    return annotator != IMPORT_ANNOTATOR if wanted is None else annotator in wanted
