"""A pipeline run in several processes, which says so when one of them dies.

``nlp.pipe(..., n_process=2)`` waits for a dead process forever, since its
siblings hold the writing end of its pipe. The executor of the standard library
notices.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TYPE_CHECKING, Any

from spacy.tokens import Doc
from spacy.tokens.underscore import Underscore

from nbner.errors import ModelError

if TYPE_CHECKING:
    from spacy.language import Language

AHEAD = 2  # batches on their way for each process, so that none waits

_here: list[Language] = []  # the pipeline of this process, if it is one of the pool's


def pipe_in_processes(
    nlp: Language, docs: Iterable[Doc], *, n_process: int, batch_size: int | None = None
) -> Iterator[Doc]:
    """Do what ``nlp.pipe`` does, in several processes.

    Parameters
    ----------
    nlp : Language
    docs : iterable of Doc
        Read a few batches ahead.
    n_process : int
        -1 for one a processor.
    batch_size : int, optional
        The pipeline's own by default.

    Yields
    ------
    Doc
        In order.

    Raises
    ------
    ModelError
        A process died.
    """
    many = (os.cpu_count() or 1) if n_process == -1 else n_process
    size = batch_size or nlp.batch_size
    pool = ProcessPoolExecutor(many, initializer=_begin, initargs=(nlp, Underscore.get_state()))
    try:
        waiting: deque[Future[list[bytes]]] = deque()
        rest = iter(docs)
        while batch := [doc.to_bytes() for doc in islice(rest, size)]:
            waiting.append(pool.submit(_annotate, batch))
            if len(waiting) > AHEAD * many:
                yield from _read(nlp, waiting.popleft())
        while waiting:
            yield from _read(nlp, waiting.popleft())
    except BrokenProcessPool as error:
        raise ModelError(
            f"one of the {many} processes that shared the work has died, most likely because the "
            "memory was used up. Nothing was changed. Use fewer with n_process=, or smaller "
            "batches with batch_size=."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(
    nlp: Language, extensions: tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any]]
) -> None:
    Underscore.load_state(extensions)
    _here[:] = [nlp]


def _annotate(batch: list[bytes]) -> list[bytes]:
    (nlp,) = _here
    docs = (Doc(nlp.vocab).from_bytes(one) for one in batch)
    return [doc.to_bytes() for doc in nlp.pipe(docs, batch_size=len(batch))]


def _read(nlp: Language, batch: Future[list[bytes]]) -> Iterator[Doc]:
    return (Doc(nlp.vocab).from_bytes(one) for one in batch.result())
