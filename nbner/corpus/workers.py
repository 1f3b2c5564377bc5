"""Checks that the workers of a cluster can do the work, before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbner.corpus.manifest import Manifest
from nbner.corpus.settings import library_versions
from nbner.errors import DataError, ModelError

if TYPE_CHECKING:
    from distributed import Client

    from nbner.corpus.partition import CorpusTask

#: Libraries whose version must be the same here and on every worker.
_SAME = ("nbner", "spacy")


def check_workers(client: Client, task: CorpusTask) -> None:
    """Raise where a worker cannot do the work.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    task : CorpusTask
        Its target has been begun.

    Raises
    ------
    DataError
        There is no worker, or one has no nbner, another version of nbner or of
        spaCy, or does not see the source or the target.
    ModelError
        The workers cannot load the model.
    """
    answers: Mapping[str, Any] = client.run(describe_worker, task, on_error="return")
    if not answers:
        raise DataError("the cluster has no workers", remedy="Start some: client.cluster.scale(2)")
    for worker, answer in answers.items():
        _check_answer(worker, answer)
    try:
        client.submit(try_model, task, pure=False).result()
    except Exception as error:
        raise ModelError(
            f"the workers cannot load the model: {error}. Components of your own must be in a "
            "package that is installed there."
        ) from error


def describe_worker(task: CorpusTask) -> dict[str, Any]:
    """Return versions of libraries, and whether source and target can be seen; runs on a worker.

    Parameters
    ----------
    task : CorpusTask
        Of the run.
    """
    return {
        "versions": library_versions(),
        "target": Manifest(task.target).run() is not None,
        "source": task.reader.folder.exists(),
    }


def try_model(task: CorpusTask) -> None:
    """Load the model on a worker.

    Parameters
    ----------
    task : CorpusTask
        Of the run.
    """
    Manifest(task.target).model(task.settings)


def _check_answer(worker: str, answer: Any) -> None:
    # Where the question itself cannot be read there, Dask answers with the error's name and text.
    if isinstance(answer, ImportError) or "ModuleNotFoundError" in repr(answer):
        raise DataError(
            f"worker {worker} lacks what the work needs: {answer}",
            remedy='Install the same there: pip install "nbner[corpus]"',
        )
    if isinstance(answer, BaseException):
        raise DataError(f"worker {worker} cannot begin: {type(answer).__name__}: {answer}")
    here = library_versions()
    for name in _SAME:
        there = answer["versions"].get(name)
        if there != here[name]:
            raise DataError(
                f"worker {worker} has {name} {there}, and here is {here[name]}",
                remedy="Install the same version there, since predictions may differ",
            )
    for what in ("target", "source"):
        if not answer[what]:
            raise DataError(
                f"worker {worker} does not see the {what}",
                remedy="Use a path that all machines share, or a URL such as s3://",
            )
