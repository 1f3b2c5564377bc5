"""A model that is trained again and again behind the widget, while somebody labels.

The learner runs in another process (`nbner.training.learner`); a thread of this
one starts it after every few answers, takes over its models, and computes the
figures of the suggestions. The thread that stores answers does none of this.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbner._common.format import plural
from nbner._common.learning_status import LearningCommand, LearningState, LearningStatus
from nbner._common.offered import LEARNED_GROUP
from nbner._common.reply_priority import REPLIES
from nbner._common.result import FigureResult
from nbner.active_learning.ranked_dataset import RankedDataset, held_out_examples, is_held_out
from nbner.decoding.decision.component import FACTORY as DECISION_FACTORY
from nbner.errors import DataError, ModelError, NbnerError, StoreError
from nbner.nlp.crf.component import FACTORY as CRF_FACTORY
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import entity_labels_of, is_trained, load_beside
from nbner.quality.suggestion_quality import (
    WINDOW,
    SuggestionQuality,
    describe_comparison,
    describe_estimate,
    suggestion_quality,
)
from nbner.queues.offers import OfferLog
from nbner.session.context import SessionContext
from nbner.session.suggestions import suggest
from nbner.store.relabel import relabelled, relabelled_extra
from nbner.training.learner import LearnedModel, LearnerProcess, LearningTask
from nbner.types import Answer, Example

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from spacy.language import Language

    from nbner.store.dataset import Dataset

_LOG = logging.getLogger(__name__)

#: The learner, as "module:function"; see `nbner.training.learner.Learner`.
LEARNER = "nbner.training.learner:learn_crf"

#: Answers between two trainings by default.
EVERY = 5

#: Accepted answers before the first training.
MIN_ACCEPTED = 5

#: Strategies that the process ranks by; the others are ranked in this one.
_RANKED_BY_PROCESS = ("uncertainty",)

#: Components of the learner's models that need nothing of a vocabulary of their own.
_LIGHT_FACTORIES = (CRF_FACTORY, DECISION_FACTORY)

#: Models of one widget that stay on disk: "disagreement" compares the last two.
_KEPT_MODELS = 2

#: Seconds after which a model that no session has recorded is no model of a live one.
_ORPHAN_AGE = 24 * 3600.0

#: Answers that the figures can go back to.
_MAX_ANSWERS = 400

#: Splits that are for measuring: a model that learns from them cannot be measured on them.
_MEASURED_SPLITS = ("dev", "test")

_POLL = 0.05  # seconds

_MODEL_COLUMNS = ("source", "created", "answers", "seconds", "in_use", "path")


@dataclass(frozen=True, slots=True)
class _Learned:
    """A model of the learner with its name in plain words."""

    source: str
    model: LearnedModel
    created: float
    newest_answer: float


class Learning(FigureResult):
    """The training behind ``make_gold(learn=True)``, as ``annotator.learning``.

    ``plot()`` draws F of the suggestions over the last answers; see `SuggestionQuality`.

    Its models come into use as those of `Session.train` do: ``session.nlp`` is
    the one that suggests, and every later session finds the last one. Where the
    session had a trained model already, that one goes on suggesting, the
    learner's models are measured beside it on the same answers, and `use`
    changes over.

    Parameters
    ----------
    context : SessionContext
        Its dataset is learnt from, and its model in use changes.
    split : str
        The split that is annotated.
    every : int
        Answers between two trainings.
    offers : OfferLog
        The suggestions that were sent.
    dataset : Dataset
        The dataset as it is annotated; a ranked one is put in order for each
        new model before that comes into use.
    """

    def __init__(
        self,
        context: SessionContext,
        split: str,
        *,
        every: int,
        offers: OfferLog,
        dataset: Dataset,
    ) -> None:
        self._context = context
        self._split = split
        self._every = every
        self._offers = offers
        self._ranked = dataset if isinstance(dataset, RankedDataset) else None
        self._process = LearnerProcess(
            context.base_nlp,
            learner=LEARNER,
            pool_texts=lambda: [one.text for one in context.dataset.examples(split)],
            output=context.model_store.folder,
            seed=context.seed,
        )
        self._changed = threading.Condition()
        self._listeners: list[Callable[[bool], None]] = []
        self._learned: list[_Learned] = []
        self._newest_nlp: Language | None = None
        self._answers: deque[Answer] = deque(maxlen=_MAX_ANSWERS)
        self._names = dict(context.answer_bus.renamed_labels)
        self._quality = SuggestionQuality()
        self._published: LearningStatus | None = None
        # All of these are guarded by the condition.
        self._is_running = True
        self._closed = threading.Event()
        self._is_idle = False
        self._has_news = True
        self._wants_switch = False
        self._n_new = every
        self._waits_for = ""
        self._failure: tuple[str, str] = ("", "")
        self._pool: Sequence[Example] = ()
        self._incumbent: Language | None = None
        self._newest_answer = 0.0
        self._gold: Sequence[Example] = ()
        self._recall_learned()
        self._note_incumbent()
        self._unsubscribe = context.answer_bus.subscribe(self._on_answers)
        self._thread = threading.Thread(target=self._follow, name="nbner-learning", daemon=True)
        self._thread.start()

    # For users.

    @property
    def state(self) -> LearningState:
        """The state: waiting (for answers), training, ready, failed, stopped or closed."""
        if self._closed.is_set():
            return "closed"
        if not self._is_running:
            return "stopped"
        if self._process.is_busy:
            return "training"
        if self._failure[0]:
            return "failed"
        return "ready" if self._learned else "waiting"

    @property
    def quality(self) -> SuggestionQuality:
        """Precision and recall of the suggestions over this annotator's last answers."""
        return self._quality

    @property
    def newest(self) -> str:
        """Name of the newest model, in use or not; empty before there is one."""
        return self._learned[-1].source if self._learned else ""

    @property
    def frame(self) -> pd.DataFrame:
        """The models so far, one row a model, the oldest first.

        Returns
        -------
        DataFrame
            ``source``, ``created`` (UTC), ``answers`` (that it has learnt
            from), ``seconds`` (of its training), ``in_use``, and ``path``,
            which exists for the last two and the one in use.
        """
        import pandas as pd

        in_use = self._context.trained_fingerprint
        rows = [
            (
                one.source,
                pd.Timestamp(one.created, unit="s", tz="UTC"),
                one.model.n_examples,
                one.model.seconds,
                one.model.fingerprint == in_use,
                str(one.model.path),
            )
            for one in self._learned
        ]
        return pd.DataFrame(rows, columns=list(_MODEL_COLUMNS))

    def _draw(self, ax: Axes | None) -> Axes:
        return self._quality.plot(ax)

    def stop(self) -> None:
        """Stop learning, also in the middle of a training; the model in use stays."""
        with self._changed:
            self._is_running = False
            self._has_news = True
            self._wake()
        self._process.stop()

    def start(self) -> None:
        """Learn again, at once, from all answers so far."""
        with self._changed:
            if self._closed.is_set():
                raise ModelError(
                    "this learning has been closed with its widget. Open another one: "
                    "session.make_gold(learn=True)."
                )
            self._is_running, self._n_new = True, self._every
            self._failure = ("", "")
            self._wake()

    def use(self, source: str = "learned") -> None:
        """Change the model that suggests, from the next example that was not shown yet.

        Parameters
        ----------
        source : {"learned", "before"}
            The newest model of the learner, or the trained model that the
            session had before.

        Raises
        ------
        DataError
            There is no such source.
        ModelError
            There is no such model yet.
        """
        if source not in ("learned", "before"):
            raise DataError(
                f"there is no source {source!r}", field="source", remedy='Use "learned" or "before"'
            )
        if source == "learned":
            if self._newest_nlp is None:
                raise ModelError("nothing has been learnt yet: label some examples first.")
            self._adopt(self._learned[-1], self._newest_nlp)
        elif self._incumbent is None:
            raise ModelError("the session had no trained model before.")
        else:
            self._activate(self._incumbent)
        self._publish(is_new=True)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing is trained and nothing is due, for scripts and simulations.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most; by default without a limit.

        Raises
        ------
        TimeoutError
            A training goes on.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_idle or self._closed.is_set(), timeout):
                msg = f"learning still goes on after {timeout:,.0f} s"
                raise TimeoutError(msg)

    def __str__(self) -> str:
        """Return the state and the figures."""
        status = self.status
        return "\n".join(one for one in (status.text, status.figures, status.offer) if one)

    # For the widget: `nbner._common.learning_status.LearningFeed`.

    @property
    def status(self) -> LearningStatus:
        """The present state of the training."""
        better = self._quality.better
        offer, choice = "", ""
        if better is not None:
            offer = describe_comparison(better) + "."
            if better.source == LEARNED_GROUP and self._learned:
                choice = f"Use the {self._learned[-1].source}"
            elif better.source.startswith("model ") and self._incumbent is not None:
                choice = "Use the model from before"
            else:
                offer += f" make_gold(suggest=[...]) without the model shows {better.source} alone."
        text, detail = self._text()
        return LearningStatus(self.state, text, self._figures(), offer, choice, detail)

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call a function when the status changes.

        Parameters
        ----------
        listener : callable
            Takes whether suggestions come from another model now.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def mark_shown(self, input_hash: int, offer: object) -> None:
        """Keep the suggestions of an example that a page shows.

        Parameters
        ----------
        input_hash : int
            Of the example.
        offer : object
            Number of the offer, as the page has said it.
        """
        self._offers.mark_shown(input_hash, offer)

    def forget_shown(self) -> None:
        """Have all examples suggested anew when they are loaded next."""
        self._offers.forget_shown()

    def run(self, command: LearningCommand) -> None:
        """Stop learning, start it again, or change the model that suggests.

        Parameters
        ----------
        command : {"start", "stop", "switch"}
            What to do.
        """
        if command == "switch":
            # Not here: the new order may take long, and a page waits for the reply.
            with self._changed:
                self._wants_switch = True
                self._wake()
        elif command == "stop":
            self.stop()
        else:
            self.start()

    def beside(self) -> Language | None:
        """Return the model that does not suggest and is measured beside the one that does."""
        self._note_incumbent()
        if self._suggests_learned:
            return self._incumbent
        return self._newest_nlp

    def close(self) -> None:
        """End the training and its process; what was learnt stays in use."""
        with self._changed:
            if self._closed.is_set():
                return
            self._closed.set()
            self._wake()
        self._unsubscribe()
        self._process.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5.0)
        self._publish(is_new=False)

    # The thread.

    def _on_answers(self, answers: Sequence[Answer]) -> None:
        given = [one for one in answers if one.split == self._split]
        if not given:
            return
        with self._changed:
            # An answer that is taken back is no news to learn from.
            self._n_new += sum(one.answer is not None for one in given)
            self._answers += [one for one in given if one.annotator == self._context.annotator]
            self._has_news = True
            self._wake()

    def _wake(self) -> None:
        self._is_idle = False
        self._changed.notify_all()

    def _has_work(self) -> bool:
        waits = self._has_news or self._wants_switch
        return waits or self._is_due() or self._process.is_done

    def _is_due(self) -> bool:
        # Below the least number of answers, every answer may be the one that suffices.
        enough = 1 if self._waits_for else self._every
        return self._is_running and not self._process.is_busy and self._n_new >= enough

    def _follow(self) -> None:
        self._load_answers()
        self._remove_orphans()
        while not self._closed.is_set():
            with self._changed:
                if not self._has_work():
                    self._is_idle = not self._process.is_busy
                    self._changed.notify_all()
                    self._changed.wait(_POLL if self._process.is_busy else None)
                if self._closed.is_set():
                    break
                has_news, self._has_news = self._has_news, False
            try:
                self._step(has_news=has_news)
            except Exception as error:  # noqa: BLE001 - shown in the widget; labelling goes on
                # A training that was stopped or closed has not failed.
                if self._is_running and not self._closed.is_set():
                    _LOG.debug("learning failed", exc_info=True)
                    self._fail(error)
        with self._changed:
            self._is_idle = True
            self._changed.notify_all()

    def _step(self, *, has_news: bool) -> None:
        # An answer wakes this thread before its reply is made.
        REPLIES.give_way()
        if has_news:
            self._follow_names()
            self._quality = suggestion_quality(
                tuple(self._answers), window=WINDOW, seed=self._context.seed
            )
            self._publish(is_new=False)
        if self._wants_switch:
            self._wants_switch = False
            self.use("before" if self._suggests_learned else "learned")
        if self._process.is_done:
            self._take_over(self._process.read())
        if self._is_due():
            self._begin()

    def _begin(self) -> None:
        with self._changed:
            self._n_new = 0
        context = self._context
        aside = held_out_examples(context.dataset, self._split)
        gold = [
            one
            for one in context.dataset.examples(self._split, answer="accept")
            if not one.binary and not is_held_out(one, aside)
        ]
        answered = context.dataset.counts(self._split).answered
        REPLIES.give_way()
        self._waits_for = _what_is_missing(answered, gold)
        newest = max((one.created or 0.0 for one in gold), default=0.0)
        if not self._waits_for and not self._has_learnt(len(gold), newest):
            self._newest_answer, self._gold = newest, gold
            ranked = self._ranked
            self._pool = () if ranked is None else ranked.pool(self._split)
            REPLIES.give_way()
            by_process = ranked is not None and ranked.strategy in _RANKED_BY_PROCESS
            self._process.start(
                LearningTask(
                    gold,
                    context.labels,
                    ranked=self._pool if by_process else (),
                    strategy=ranked.strategy if ranked is not None and by_process else None,
                    ranker="nbner.active_learning.query_strategies:rank_by_name",
                )
            )
        self._publish(is_new=False)

    def _has_learnt(self, n_examples: int, newest: float) -> bool:
        """Whether the last session has left a model of just these answers."""
        runs = self._context.dataset.runs() if not self._learned else []
        learned = runs[-1]["record"].get("learned", {}) if runs else {}
        return bool(
            learned.get("answers") == n_examples
            and learned.get("newest_answer") == newest
            and runs[-1]["fingerprint"] == fingerprint(self._context.nlp)
        )

    def _take_over(self, model: LearnedModel) -> None:
        """Load a model, and use it unless another trained model suggests."""
        now = time.time()
        # The first one has a tokenizer of its own: the session's is not to change with it.
        nlp = load_beside(model.path, self._newest_nlp, _LIGHT_FACTORIES)
        REPLIES.give_way()
        model = replace(model, fingerprint=fingerprint(nlp))
        answers = f"{model.n_examples:,} answer{'s' * (model.n_examples != 1)}"
        source = f"model of {time.strftime('%H:%M', time.localtime(now))}, {answers}"
        # A model that cannot suggest is a failure of the learner, not of every example.
        suggest(self._context, self._gold[:1], nlp=nlp)
        REPLIES.give_way()
        suggests = self._suggests_learned
        names = self._context.model_names
        source = names.setdefault(model.fingerprint, source)
        nlp = self._context.with_present_labels(nlp)
        learned = _Learned(source, model, now, self._newest_answer)
        self._failure = ("", "")
        self._learned.append(learned)
        self._newest_nlp = nlp
        if suggests:
            self._adopt(learned, nlp)
        self._remove_old_models()
        self._publish(is_new=True)

    def _adopt(self, learned: _Learned, nlp: Language) -> None:
        """Use a model of the learner from now on, and record it for the next session."""
        model = learned.model
        record = {
            "learned": {
                "source": learned.source,
                "answers": model.n_examples,
                "newest_answer": learned.newest_answer,
                "seconds": model.seconds,
                "split": self._split,
            }
        }
        # Suggestions do not wait for a store that cannot take the record now.
        try:
            self._context.model_store.record_run(model.path, model.fingerprint, record)
        except StoreError:
            _LOG.debug("a learnt model is not recorded", exc_info=True)
        self._activate(nlp, model.ranking)

    def _activate(self, nlp: Language, ranking: Sequence[int] | None = None) -> None:
        # Nobody who labels waits for the new order.
        if self._ranked is not None:
            self._ranked.prepare(fingerprint(nlp), self._pool, ranking, model=nlp)
        self._context.activate(nlp, refresh=False)

    def _fail(self, error: Exception) -> None:
        said = str(error) if isinstance(error, NbnerError) else f"{type(error).__name__}: {error}"
        with self._changed:
            self._n_new = 0
            self._failure = (said.rstrip("."), f"{type(error).__name__}: {error}")
        self._publish(is_new=False)

    def _remove_old_models(self) -> None:
        in_use = self._context.trained_fingerprint
        for one in self._learned[:-_KEPT_MODELS]:
            if one.model.fingerprint != in_use:
                shutil.rmtree(one.model.path, ignore_errors=True)

    def _remove_orphans(self) -> None:
        """Remove models that no session has used: those of kernels that were killed."""
        with suppress(StoreError, OSError):
            recorded = {run["path"] for run in self._context.model_store.runs()}
            for path in self._context.model_store.folder.glob("learned-*"):
                is_old = time.time() - path.stat().st_mtime > _ORPHAN_AGE
                if is_old and str(path) not in recorded:
                    shutil.rmtree(path, ignore_errors=True)

    def _publish(self, *, is_new: bool) -> None:
        status = self.status
        if status == self._published and not is_new:
            return
        self._published = status
        REPLIES.give_way()
        for listener in tuple(self._listeners):
            _tell(listener, is_new=is_new)

    # Models.

    @property
    def _suggests_learned(self) -> bool:
        """Whether the learner's models suggest: no other model was put in their place."""
        nlp = self._context.nlp
        return not self._is_rival(nlp)

    def _is_rival(self, nlp: Language) -> bool:
        """Whether a pipeline suggests for this session and was not trained by a learner."""
        if not is_trained(nlp) or fingerprint(nlp) in self._context.model_names:
            return False
        return bool(set(entity_labels_of(nlp)) & set(self._context.labels))

    def _note_incumbent(self) -> None:
        nlp = self._context.nlp
        if self._is_rival(nlp):
            self._incumbent = nlp

    def _recall_learned(self) -> None:
        """Know the last session's learnt model as one, by its record."""
        runs = self._context.dataset.runs()
        learned = runs[-1]["record"].get("learned") if runs else None
        if learned is None:
            return
        names, model = self._context.model_names, runs[-1]["fingerprint"]
        names.setdefault(model, learned["source"])
        if self._context.trained_fingerprint == model:
            names.setdefault(fingerprint(self._context.nlp), learned["source"])

    def _follow_names(self) -> None:
        """Have the answers so far under the present names of their labels.

        Renaming makes events of its own, which no page sends.
        """
        names = dict(self._context.answer_bus.renamed_labels)
        if names == self._names:
            return
        is_undone = not names.keys() >= self._names.keys()
        self._names = names
        if is_undone:
            with self._changed:
                self._answers.clear()
            self._load_answers()
            return
        with self._changed:
            present = [
                replace(
                    one,
                    spans=relabelled(one.spans, names),
                    extra=relabelled_extra(one.extra, names),
                )
                for one in self._answers
            ]
            self._answers.clear()
            self._answers += present

    def _load_answers(self) -> None:
        with suppress(StoreError):
            before = self._context.dataset.answers(
                self._split, self._context.annotator, current=False
            )
            with self._changed:
                known = {one.id for one in self._answers}
                later = list(self._answers)
                self._answers.clear()
                self._answers += [one for one in before if one.id not in known] + later

    # Texts.

    def _text(self) -> tuple[str, str]:
        suggests = self._who_suggests()
        state = self.state
        if state == "closed":
            return "Learning has ended here; it goes on where the widget was opened last.", ""
        if state == "stopped":
            return f"Learning is stopped. {suggests}", ""
        if self._failure[0]:
            why, detail = self._failure
            again = (
                f"Labelling goes on; it is tried again after {plural(self._every, 'more answer')}."
            )
            return f"Learning failed: {why}. {again} {suggests}".rstrip(), detail
        if self._waits_for:
            return f"{self._waits_for} {suggests}".rstrip(), ""
        if state == "training" and not self._learned:
            return f"Learning from the answers so far. {suggests}".rstrip(), ""
        return suggests, ""

    def _who_suggests(self) -> str:
        nlp = self._context.nlp
        name = self._context.model_names.get(fingerprint(nlp))
        if name is not None:
            return f"Suggestions by the {name}."
        if not self._is_rival(nlp):
            return ""
        beside = f"; the {self._learned[-1].source}, is measured beside it" if self._learned else ""
        return f"Suggestions by the trained model in use{beside}."

    def _figures(self) -> str:
        shown = self._quality.shown
        if shown is None:
            return ""
        answers = f"Last {shown.answers:,} answers" if shown.answers != 1 else "Last answer"
        return (
            f"{answers}: precision {describe_estimate(shown.precision)}, "
            f"recall {describe_estimate(shown.recall)}"
        )


def _tell(listener: Callable[[bool], None], *, is_new: bool) -> None:
    try:
        listener(is_new)
    except Exception:  # noqa: BLE001
        # The widget or the store may be closed by now.
        _LOG.debug("news of learning that nobody takes", exc_info=True)


def _what_is_missing(n_answered: int, gold: Sequence[Example]) -> str:
    """Return why nothing can be learnt yet, as a sentence; empty where something can."""
    if len(gold) < MIN_ACCEPTED:
        if n_answered >= MIN_ACCEPTED:
            return (
                f"{plural(n_answered, 'answer')}, {len(gold):,} of them accepted: the model "
                f"learns from "
                f"accepted ones, and begins with {MIN_ACCEPTED}."
            )
        return f"Learning begins after {MIN_ACCEPTED} accepted answers ({len(gold)} so far)."
    if not any(one.spans for one in gold):
        return (
            f"{plural(len(gold), 'answer')} accepted, none with an entity: the model begins "
            f"to learn "
            "with the first one that has some."
        )
    return ""


def start_learning(
    context: SessionContext, split: str, *, every: int, offers: OfferLog, dataset: Dataset
) -> Learning:
    """Start to learn behind a widget; another widget of the session ends learning.

    Parameters
    ----------
    context : SessionContext
        The session.
    split : str
        The split that is annotated.
    every : int
        Answers between two trainings.
    offers : OfferLog
        The suggestions that are sent.
    dataset : Dataset
        The dataset as it is annotated.
    """
    if context.end_learning is not None:
        context.end_learning()
    learning = Learning(context, split, every=every, offers=offers, dataset=dataset)
    context.end_learning = learning.close
    return learning


def check_learning(split: str, every: int, *, has_model: bool, is_audit: bool) -> None:
    """Raise where a session cannot learn while somebody labels.

    Parameters
    ----------
    split : str
        The split that is annotated.
    every : int
        Answers between two trainings.
    has_model : bool
        Whether the model is among the sources of suggestions.
    is_audit : bool
        Whether suggestions are perturbed for an anchoring audit.

    Raises
    ------
    DataError
        The number of answers is below 1, the split is for measuring, or learning
        contradicts another option.
    """
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise DataError(
            f"{every!r} is no number of answers between two trainings",
            field="every",
            remedy="Give 1 or more, such as every=5",
        )
    if split in _MEASURED_SPLITS:
        raise DataError(
            f"learn=True would train on the split {split!r}, which models are measured on",
            field="learn",
            remedy='Label it with make_gold() as it is, or learn on another split: split="train"',
        )
    if not has_model:
        raise DataError(
            "learn=True trains a model that the sources leave out",
            field="suggest",
            remedy='Name it among them: suggest=[..., "model"]',
        )
    if is_audit:
        raise DataError(
            "an audit changes suggestions on purpose, and learn=True would learn from what was "
            "accepted of that",
            field="learn",
            remedy="Leave out withhold= and corrupt=, or learn=",
        )
