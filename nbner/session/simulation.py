"""Simulated annotation through the real widget: its cost, and F of the models trained on it.

The simulated annotator sends the messages that a browser's page sends; session,
store, suggestions and training are the real ones.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner._common.format import plural
from nbner._common.progress import ProgressBar
from nbner.active_learning.strategies import STRATEGIES, shuffled
from nbner.errors import DataError
from nbner.nlp.pipeline import is_trained
from nbner.session.arguments import check_session_function
from nbner.session.learning import EVERY
from nbner.session.session import Session
from nbner.simulation.annotator import SimulatedAnnotator
from nbner.simulation.cost_curve import CostPoint, Simulation
from nbner.simulation.headless_client import annotate_with
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.widgets.annotator import Annotator

#: Mode and query strategy of each condition.
DEFAULT_CONDITIONS = (("manual", "random"), ("make_gold", "random"), ("make_gold", "uncertainty"))


@check_session_function
def simulate(
    session: Session,
    annotator: SimulatedAnnotator | None = None,
    *,
    conditions: Sequence[tuple[str, str]] = DEFAULT_CONDITIONS,
    split: str = "train",
    dev: str = "dev",
    batch: int = 50,
    rounds: int = 4,
    max_epochs: int | None = None,
    every: int = EVERY,
    progress: bool = True,
) -> Simulation:
    """Annotate the gold of a session again with a simulated annotator, under several conditions.

    Each condition has a session of its own, which starts from the same base
    model with the same texts and no gold. A round is ``batch`` examples and a
    training; under "learn" the model is trained behind the widget meanwhile,
    from the first examples on, and a round ends with its F. Where the base
    model is not trained, the first round is manual in all other conditions,
    since nothing can be suggested yet; where it is, round 0 is its own F. The
    given session is not changed.

    Parameters
    ----------
    session : Session
        Its accepted examples are the gold; its labels, base model and seed are used.
    annotator : SimulatedAnnotator, optional
        By default one that makes no errors, with 1.5 s an action.
    conditions : sequence of (str, str)
        "manual", "make_gold" or "learn", and the query strategy: "random" for
        "manual", otherwise one of those of `Session.make_gold` but "given".
    split : str
        Split that is annotated.
    dev : str
        Split on which F is computed.
    batch : int
        Number of examples of a round.
    rounds : int
        Largest number of rounds.
    max_epochs : int, optional
        Of each training.
    every : int
        Answers between two trainings under "learn".
    progress : bool
        Show a progress bar. An interrupt discards everything.

    Returns
    -------
    Simulation
        ``frame``, ``plot()``, ``summary``.

    Raises
    ------
    DataError
        There is no gold, too little of it, or no such condition.
    TrainingError
        The examples of the first round contain no entity.
    """
    annotator = SimulatedAnnotator() if annotator is None else annotator
    _check_conditions(conditions)
    gold, measured = _gold_of(session, split), _gold_of(session, dev)
    if batch < 1 or rounds < 1 or batch > len(gold):
        raise DataError(
            f"{rounds} rounds of {batch} cannot be had from "
            f"{plural(len(gold), 'accepted example')}",
            field="batch",
            remedy="Use a batch from 1 up to the number of accepted examples, and 1 round or more",
        )
    full_rounds = min(rounds, len(gold) // batch)
    points: list[CostPoint] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nbner-")))
        plan = _Plan(session, annotator, gold, batch, max_epochs, every)
        texts, first = folder / "texts", folder / "first"
        plan.add_texts(texts, measured)
        shutil.copytree(texts, first)
        # Nothing is labelled by hand for those who learn from the first example on.
        learns = all(mode == "learn" for mode, _ in conditions)
        begun = NOTHING if learns and not is_trained(plan.base) else plan.begin(first)
        rounds_left = [
            full_rounds - (0 if mode == "learn" else begun.round) for mode, _ in conditions
        ]
        bar = stack.enter_context(
            ProgressBar(sum(rounds_left), "simulating", "rounds", visible=progress)
        )
        for mode, strategy in conditions:
            name = mode if (mode, strategy) == ("manual", "random") else f"{mode}, {strategy}"
            own = folder / uuid.uuid4().hex
            if mode == "learn":
                shutil.copytree(texts, own)
                if is_trained(plan.base):
                    points.append(replace(begun, condition=name))
                points += bar.wrap(plan.learn(own, name, strategy, full_rounds))
                continue
            points.append(replace(begun, condition=name))
            shutil.copytree(first, own)
            points += bar.wrap(plan.go_on(own, name, (mode, strategy), begun, full_rounds))
    return Simulation(tuple(points), annotator, dev)


#: Before anything is annotated.
NOTHING = CostPoint("", 0, 0, 0, 0, 0.0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Settings that all conditions of a simulation share."""

    session: Session
    annotator: SimulatedAnnotator
    gold: Sequence[Example]
    batch: int
    max_epochs: int | None

    every: int

    def add_texts(self, folder: Path, measured: Sequence[Example]) -> None:
        """Store the texts without their gold, and the examples to measure on."""
        folder.mkdir()
        order = shuffled(len(self.gold), self.session.seed)
        with self._session(folder) as own:
            own.add([_unanswered(self.gold[i]) for i in order])
            own.add([replace(one, split="dev") for one in measured], split="dev")

    def begin(self, folder: Path) -> CostPoint:
        """Without a trained model, annotate the first batch manually."""
        with self._session(folder) as own:
            if is_trained(own.nlp):
                return replace(NOTHING, f=own.evaluate("dev").f or 0.0)
            return self._round(own, own.manual(), NOTHING)

    @property
    def base(self) -> Language:
        """The pipeline that every condition starts from."""
        return self.session.context.base_nlp

    def learn(self, folder: Path, name: str, strategy: str, rounds: int) -> Iterator[CostPoint]:
        """Annotate all batches in one widget that learns."""
        so_far = replace(NOTHING, condition=name)
        order: Any = "given" if strategy == "random" else strategy
        with self._session(folder) as own:
            widget = own.make_gold(strategy=order, holdout=0.0, learn=True, every=self.every)
            for _ in range(rounds):
                so_far = self._annotated(own, widget, so_far)
                yield so_far

    def go_on(
        self, folder: Path, name: str, condition: tuple[str, str], begun: CostPoint, rounds: int
    ) -> Iterator[CostPoint]:
        """Annotate the other batches under one condition, with a training after each."""
        mode, strategy = condition
        so_far = replace(begun, condition=name)
        with self._session(folder) as own:
            for number in range(begun.round, rounds):
                # The texts were added in random order; two models disagree once there are two.
                is_random = strategy == "random" or (strategy == "disagreement" and number < 2)
                order: Any = "given" if is_random else strategy
                widget = (
                    own.manual() if mode == "manual" else own.make_gold(strategy=order, holdout=0.0)
                )
                so_far = self._round(own, widget, so_far)
                yield so_far

    def _round(self, own: Session, widget: Annotator, so_far: CostPoint) -> CostPoint:
        def train() -> None:
            widget.close()
            own.train(max_epochs=self.max_epochs, margin=None, progress=False)

        return self._annotated(own, widget, so_far, train)

    def _annotated(
        self,
        own: Session,
        widget: Annotator,
        so_far: CostPoint,
        train: Callable[[], None] | None = None,
    ) -> CostPoint:
        done = annotate_with(widget, self.annotator, self.gold, limit=self.batch)
        if train is not None:
            train()
        return replace(
            so_far,
            round=so_far.round + 1,
            examples=so_far.examples + len(done),
            spans=so_far.spans + sum(len(one.spans) for one in done),
            actions=so_far.actions + sum(one.actions for one in done),
            seconds=so_far.seconds + sum(one.seconds for one in done),
            n_wrong=so_far.n_wrong + sum(one.n_wrong for one in done),
            f=(own.evaluate("dev").f or 0.0) if is_trained(own.nlp) else 0.0,
        )

    def _session(self, folder: Path) -> Session:
        return clone_into_store(self.session, folder / "nbner.db")


def clone_into_store(session: Session, store: str | Path) -> Session:
    """Build a session with the same dataset name, labels, base pipeline and seed in another store.

    Parameters
    ----------
    session : Session
        The session to clone; it is not changed. Its examples are not copied.
    store : str or Path
        The store of the clone. A model trained there stays in use.

    Returns
    -------
    Session
        The clone. It shares the base pipeline of the session.
    """
    context = session.context
    clone = Session(
        context.dataset.name,
        labels=context.labels,
        store=store,
        annotator=context.annotator,
        seed=context.seed,
    )
    own = clone.context
    if own.nlp is own.base_nlp:
        own.nlp = context.base_nlp
    own.base_nlp = context.base_nlp
    return clone


def _unanswered(example: Example) -> Example:
    """Return an example without spans and answer."""
    return Example(
        example.text,
        tokens=example.tokens if example.pretokenized else (),
        pretokenized=example.pretokenized,
        meta=example.meta,
    )


def _gold_of(session: Session, split: str) -> list[Example]:
    gold = [
        one
        for one in session.examples(split, answer="accept")
        if not one.binary and not one.accepted_unseen
    ]
    if not gold:
        raise DataError(
            f"nothing is accepted in split {split!r}, so the simulated annotator has no gold there",
            remedy=f"Add some with session.add(..., split={split!r}); nbner.sample() has a corpus",
        )
    return gold


def _check_conditions(conditions: Sequence[tuple[str, str]]) -> None:
    for one in conditions:
        mode, strategy = one if isinstance(one, (tuple, list)) and len(one) == 2 else (one, "")
        fits = strategy == "random" or (
            mode in ("make_gold", "learn") and strategy in STRATEGIES and strategy != "given"
        )
        fits = fits and mode in ("manual", "make_gold", "learn")
        if not fits:
            raise DataError(
                f"there is no way {one!r} to annotate",
                field="conditions",
                remedy='Give pairs such as ("manual", "random") and ("make_gold", "uncertainty")',
            )
    if not conditions:
        raise DataError(
            "there is no way to annotate in conditions=[]", field="conditions", remedy="Give one"
        )
