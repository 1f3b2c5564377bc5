"""A learner that trains again and again in a process of its own while somebody labels.

The process is started once and keeps its imports and the base pipeline. It ends
when its standard input is closed: by ``close``, and by the death of whoever
started it. Nothing that it holds is needed afterwards: the answers are in the
store, and a finished model is a folder.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from nbner._common.reply_priority import REPLIES
from nbner.decoding.decision.without_gold import fit_for_corrections
from nbner.errors import NbnerError, TrainingError
from nbner.nlp import subprocess_job
from nbner.nlp.entity_swap import swap_entities
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import choose_recognizer, load_base, loadable_from, recognizer_of
from nbner.training.background import example_from_json, example_to_json
from nbner.training.crf import cluster_texts, train_crf
from nbner.types import Example

if TYPE_CHECKING:
    import subprocess

    from spacy.language import Language

    from nbner.nlp.crf.clusters import WordClusters

_LOG = logging.getLogger(__name__)

#: A learner: from a base pipeline and accepted examples, with ``labels``,
#: ``pool_texts`` and ``seed``, to a trained pipeline. It raises `TrainingError`
#: where it cannot learn from the examples.
Learner: TypeAlias = Callable[..., "Language"]

# Chosen on parts of the training sets of protocols and wnut17 with 100 and 200 sentences. 30 steps
# of L-BFGS have .001 less F than 40 on average, and cost a fifth less; 100 have as much as 40.
_MAX_ITERATIONS = 30

#: Sentences and copies that are learnt from together, about, so that a training stays at about a
#: second, and the most copies of each sentence; with more sentences than half of that it is one.
#: Four of each of 50 sentences, and three clusterings, save 4 % of the actions against two.
_MAX_TEXTS = 400
_MAX_COPIES = 4

#: Clusters of words. With the coarsest one 100 sentences of protocols' training part leave 1.4 %
#: fewer actions, and 200 as many. On dev parts F is lower by up to .01: it is for this alone.
_CLUSTER_COUNTS = (16, 64, 256)

#: Texts that say how it decides: two digits of the threshold need fewer than 200 texts, and those
#: would cost a third of the training at 200 sentences.
_DECIDING_TEXTS = 50

_JOB = "nbner.training.learner:run_learning_job"


@dataclass(frozen=True, slots=True)
class LearningTask:
    """Data of one training.

    Parameters
    ----------
    examples : sequence of Example
        The accepted examples.
    labels : tuple of str
        The labels of the session.
    ranked : sequence of Example
        Open examples to put in the order of ``strategy`` under the new model.
    strategy : str, optional
        Name of a registered query strategy that needs nothing but a model and
        a seed; None ranks nothing.
    ranker : str
        Function that ranks by the strategy, as "module:function"; it takes the
        strategy, the examples, ``nlp`` and ``seed``. Named, so that this module
        imports none of its users.
    """

    examples: Sequence[Example]
    labels: tuple[str, ...]
    ranked: Sequence[Example] = ()
    strategy: str | None = None
    ranker: str = ""


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """A model as the process has left it.

    Parameters
    ----------
    path : Path
        Its folder, for ``spacy.load``.
    fingerprint : str
        Its fingerprint.
    n_examples : int
        Number of accepted examples that it has learnt from.
    seconds : float
        Time of the training, without loading and saving.
    ranking : tuple of int, optional
        Input hashes of ``LearningTask.ranked`` in the order of the strategy.
    """

    path: Path
    fingerprint: str
    n_examples: int
    seconds: float
    ranking: tuple[int, ...] | None = None


class LearnerProcess:
    """Trains with one learner, one training at a time, in another process.

    Parameters
    ----------
    base : Language
        The pipeline to start from; it is not changed.
    learner : str
        The learner, as "module:function".
    pool_texts : callable
        Returns the texts of the pool, for learners that use unlabelled text.
    output : Path
        Folder for the models.
    seed : int
        Seed of the learner.
    """

    def __init__(
        self,
        base: Language,
        *,
        learner: str,
        pool_texts: Callable[[], Sequence[str]],
        output: Path,
        seed: int,
    ) -> None:
        self._base = base
        self._learner = learner
        self._pool_texts = pool_texts
        self._output = output
        self._seed = seed
        self._folder = Path(tempfile.mkdtemp(prefix="nbner-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._job: Path | None = None
        self._part: Path | None = None
        self._n_examples = 0

    @property
    def pid(self) -> int | None:
        """The process id; None while no process runs."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    @property
    def is_busy(self) -> bool:
        """Whether a training has been started and not been read yet."""
        return self._job is not None

    @property
    def is_done(self) -> bool:
        """Whether the training has ended, well or not, and can be read."""
        if self._job is None:
            return False
        return subprocess_job.is_finished(self._job) or self.pid is None

    def start(self, task: LearningTask) -> None:
        """Start a training; the process is started too where none runs.

        Parameters
        ----------
        task : LearningTask
            What to learn from.
        """
        job = self._folder / uuid4().hex
        output = self._output / f"learned-{uuid4().hex[:12]}"
        part = output.with_suffix(".part")
        recognizer = recognizer_of(self._base)
        subprocess_job.write_job(
            job,
            _JOB,
            {
                "base": self._base_origin(),
                "recognizer": None if recognizer is None else recognizer[0],
                "learner": self._learner,
                "train": [_politely(one) for one in task.examples],
                "labels": list(task.labels),
                "pool": str(self._pool_file()),
                "seed": self._seed,
                "rank": [{"hash": one.input_hash, **_politely(one)} for one in task.ranked],
                "strategy": task.strategy,
                "ranker": task.ranker,
                "output": str(output),
                "part": str(part),
            },
        )
        self._job, self._n_examples = job, len(task.examples)
        self._part = part
        if self.pid is None:
            self._process = subprocess_job.start_worker(self._folder)
        process = self._process
        assert process is not None  # noqa: S101 - for the type checker: started above
        assert process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        # A process that has died meanwhile is noticed by `is_done`.
        with suppress(OSError):
            process.stdin.write(f"{job}\n".encode())
            process.stdin.flush()

    def read(self) -> LearnedModel:
        """Return the model of the training that is done.

        Raises
        ------
        NbnerError
            The learner has failed, or its process has died.
        """
        job = self._job
        assert job is not None  # noqa: S101 - for the type checker: `is_done` was true
        self._job = None
        try:
            found = subprocess_job.read_result(job, log_folder=self._folder)
        finally:
            shutil.rmtree(job, ignore_errors=True)
        ranking = found["ranking"]
        return LearnedModel(
            Path(found["path"]),
            found["fingerprint"],
            self._n_examples,
            found["seconds"],
            None if ranking is None else tuple(ranking),
        )

    def stop(self) -> None:
        """End the process, also in the middle of a training, whose model is lost."""
        process, self._process, self._job = self._process, None, None
        if process is None:
            return
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        if process.poll() is None:
            process.kill()
        process.wait()
        if self._part is not None:
            shutil.rmtree(self._part, ignore_errors=True)

    def close(self) -> None:
        """End the process, and remove its files; models stay."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _base_origin(self) -> str:
        origin = loadable_from(self._base)
        if origin is not None:
            return origin
        # Under its fingerprint: the tokenizer of a session may get rules.
        folder = self._folder / f"base-{fingerprint(self._base)}"
        if not folder.exists():
            self._base.to_disk(folder)
        return str(folder)

    def _pool_file(self) -> Path:
        """Write the texts of the pool, once: they change little while one labels."""
        path = self._folder / "pool.json"
        if not path.exists():
            subprocess_job.write_json(path, list(self._pool_texts()))
        return path


def _politely(example: Example) -> dict[str, Any]:
    """Return an example as JSON, after the replies that are being made."""
    REPLIES.give_way()
    return example_to_json(example)


def run_learning_job(folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """Train once, as a job describes it, and rank open examples under the new model.

    Parameters
    ----------
    folder : Path
        Folder of the job; nothing is written there.
    job : mapping
        Base, examples and options, as `LearnerProcess` writes them.

    Returns
    -------
    dict
        ``path``, ``fingerprint``, ``seconds`` and ``ranking``.

    Raises
    ------
    TrainingError
        The learner cannot learn from the examples, or fails.
    """
    del folder
    learner: Learner = subprocess_job.import_function(job["learner"])
    base = _cached_base(job["base"], job["recognizer"])
    began = perf_counter()
    try:
        nlp = learner(
            base,
            [example_from_json(one) for one in job["train"]],
            labels=tuple(job["labels"]),
            pool_texts=_cached_pool(job["pool"]),
            seed=job["seed"],
        )
    except NbnerError:
        raise
    except Exception as error:
        _LOG.debug("the learner failed", exc_info=True)
        raise TrainingError(f"the learner failed with {type(error).__name__}: {error}") from error
    seconds = perf_counter() - began
    output, part = Path(job["output"]), Path(job["part"])
    part.parent.mkdir(parents=True, exist_ok=True)
    # A process that is killed leaves no half of a model under a model's name.
    nlp.to_disk(part)
    part.rename(output)
    return {
        "path": str(output),
        "fingerprint": fingerprint(nlp),
        "seconds": seconds,
        "ranking": _ranking(nlp, job),
    }


def learn_crf(
    base: Language,
    train_examples: Sequence[Example],
    *,
    labels: Sequence[str],
    pool_texts: Sequence[str] = (),
    seed: int = 0,
) -> Language:
    """Train a conditional random field in about a second, again and again.

    The words of the pool are clustered once for all trainings. It learns from
    copies of the sentences with other mentions too, up to four of each while they
    are few; see `nbner.nlp.entity_swap`. It decides for few corrections of
    its suggestions, by what it finds in open texts of the pool; see
    `fit_for_corrections`.

    Parameters
    ----------
    base : Language
        The pipeline whose tokenizer is used.
    train_examples : sequence of Example
        The accepted examples.
    labels : sequence of str
        The labels of the session.
    pool_texts : sequence of str
        The texts of the pool.
    seed : int
        Seed of the clusters.

    Returns
    -------
    Language
        From `nbner.training.crf.train_crf`, with a decision.

    Raises
    ------
    TrainingError
        There is nothing to learn from.
    """
    clusters = _cached_clusters(base, tuple(pool_texts), seed)
    copies = min(_MAX_COPIES, max(1, _MAX_TEXTS // max(1, len(train_examples)) - 1))
    nlp = train_crf(
        base,
        swap_entities(base, train_examples, copies=copies, seed=seed),
        labels=labels,
        seed=seed,
        clusters=clusters,
        max_iterations=_MAX_ITERATIONS,
        shares_tokenizer=True,
    )
    learnt = {one.text for one in train_examples}
    unseen = [one for one in pool_texts if one not in learnt]
    fit_for_corrections(nlp, unseen, seed=seed, max_texts=_DECIDING_TEXTS).add_to(nlp)
    return nlp


@lru_cache(maxsize=1)
def _cached_clusters(base: Language, pool_texts: tuple[str, ...], seed: int) -> WordClusters | None:
    return cluster_texts(base, pool_texts, sizes=_CLUSTER_COUNTS, seed=seed)


def _ranking(nlp: Language, job: Mapping[str, Any]) -> list[int] | None:
    if job["strategy"] is None:
        return None
    ranker = subprocess_job.import_function(job["ranker"])
    examples = [example_from_json(one) for one in job["rank"]]
    order = ranker(job["strategy"], examples, nlp=nlp, seed=job["seed"])
    return [job["rank"][i]["hash"] for i in order]


@lru_cache(maxsize=1)
def _cached_base(origin: str, recognizer: str | None) -> Language:
    base = load_base(origin)
    if recognizer is not None:
        choose_recognizer(base, recognizer)
    return base


@lru_cache(maxsize=1)
def _cached_pool(path: str) -> tuple[str, ...]:
    return tuple(subprocess_job.read_json(Path(path)))
