"""Prediction: the one function from examples to spans, in one process or several."""

from __future__ import annotations

import ast
import inspect
import multiprocessing
import multiprocessing.spawn
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy.tokens import Doc
from spacy.tokens.underscore import Underscore

from nbner._common.alignment import char_to_token_range
from nbner.errors import DataError, ModelError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import doc_from_example, is_trained, recognizer_of
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Span as SpacySpan

_BATCHES_AHEAD = 2  # for each process, so that none waits

_worker_pipeline: list[Language] = []  # the pipeline of this process, if it is a worker


def predict(
    nlp: Language,
    items: Iterable[Example | str],
    *,
    batch_size: int | None = None,
    n_process: int = 1,
) -> Iterator[tuple[Span, ...]]:
    """Predict the entities of examples or texts with the whole pipeline, as ``nlp.pipe`` does.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    items : iterable of Example or str
        An example's given tokens are kept; its answer and its spans are
        ignored.
    batch_size : int, optional
        Docs at a time; the pipeline's own by default. It changes the speed, not
        the result.
    n_process : int
        Number of processes; -1 for one for each processor.

    Yields
    ------
    tuple of Span
        For each item its spans in code points, sorted by start, with the
        model's fingerprint as their source.

    Raises
    ------
    ModelError
        At once, if the pipeline's recognizer has not been trained; later, if a
        worker process dies.
    DataError
        A text is too long for the pipeline, ``n_process`` is invalid, or other
        processes would run an unguarded script once more.
    """
    docs = predict_docs(nlp, items, batch_size=batch_size, n_process=n_process)
    source = fingerprint(nlp)
    return (spans_of(doc, source) for doc in docs)


def predict_docs(
    nlp: Language,
    items: Iterable[Example | str],
    *,
    batch_size: int | None = None,
    n_process: int = 1,
) -> Iterator[Doc]:
    """Predict as `predict` does, and yield the docs, which hold the tokens too.

    Parameters
    ----------
    nlp, items, batch_size, n_process
        As for `predict`.
    """
    check_trained(nlp)
    if n_process < 1 and n_process != -1:
        raise DataError(
            f"n_process={n_process} is no number of processes",
            remedy="Give 1 or more, or -1 for one a processor",
        )
    examples = (Example(item) if isinstance(item, str) else item for item in items)
    docs = (doc_from_example(nlp, example) for example in examples)
    if n_process == 1:
        return nlp.pipe(docs, batch_size=batch_size)
    require_main_guard()
    return _pipe_in_processes(nlp, docs, batch_size=batch_size, n_process=n_process)


def require_main_guard(method: str | None = None) -> None:
    """Raise where each new process would run the script that is running once more.

    With the start methods "spawn" and "forkserver", the default on macOS and in
    newer versions of Python, a new process first runs the main script, except
    for what is guarded.

    Parameters
    ----------
    method : str, optional
        The start method; by default that of `multiprocessing`.

    Raises
    ------
    DataError
        It names the line of the script that is not guarded.
    """
    method = method or multiprocessing.get_start_method()
    script = None if method == "fork" else _script_of_children()
    line = _running_line()
    if script is None or line is None or _is_guarded(script, line):
        return
    raise DataError(
        "each process of n_process= would run this script once more, from its beginning",
        file=script,
        line=line,
        remedy='Put what the script does into a block  if __name__ == "__main__":  or use '
        "n_process=1",
    )


def _script_of_children() -> str | None:
    """Return the script that a spawned process runs first; None where there is none."""
    found = multiprocessing.spawn.get_preparation_data("nbner")
    name = found.get("init_main_from_name", "__main__")
    # A package's __main__ is not run again.
    if "init_main_from_path" not in found and name.rpartition(".")[2] == "__main__":
        return None
    script: str | None = getattr(sys.modules["__main__"], "__file__", None)
    return script


def _running_line() -> int | None:
    """Return the line of the main script that is running; None where it is not on the stack."""
    main = vars(sys.modules["__main__"])
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_globals is main and frame.f_code.co_name == "<module>":
            return frame.f_lineno
        frame = frame.f_back
    return None


def _is_guarded(script: str, line: int) -> bool:
    """Return whether a line of a script lies in a block that looks at ``__name__``."""
    try:
        tree = ast.parse(Path(script).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return True
    return any(
        isinstance(one, ast.If)
        and any(getattr(node, "id", "") == "__name__" for node in ast.walk(one.test))
        and one.lineno <= line <= (one.end_lineno or one.lineno)
        for one in tree.body
    )


def check_trained(nlp: Language) -> None:
    """Raise an error for a pipeline whose recognizer has not been trained.

    Parameters
    ----------
    nlp : Language
        The pipeline.

    Raises
    ------
    ModelError
        It has a recognizer without labels or without weights.
    """
    if recognizer_of(nlp) is not None and not is_trained(nlp):
        raise ModelError(
            "the model has not been trained yet. Call session.train(), or give a trained "
            "pipeline: Session(..., model=...)."
        )


def spans_of(doc: Doc, source: str | None = None) -> tuple[Span, ...]:
    """Convert a doc's entities to spans in code points.

    Parameters
    ----------
    doc : Doc
        With entities.
    source : str, optional
        The spans' source.
    """
    return tuple(
        Span(entity.start_char, entity.end_char, entity.label_, source=source)
        for entity in doc.ents
    )


def token_offsets(entities: Sequence[SpacySpan], example: Example) -> Iterator[tuple[int, int]]:
    """Yield each entity's half-open token indices, in the example's own tokens if it has some.

    Where more than a space lies between given tokens, spaCy's doc holds
    whitespace tokens that the example does not have.

    Parameters
    ----------
    entities : sequence of spacy.tokens.Span
        The entities of one doc.
    example : Example
        The example that the doc was built from.
    """
    given = example.tokens if example.pretokenized else ()
    for entity in entities:
        tokens = given if len(entity.doc) != len(given) else ()
        own = char_to_token_range(tokens, entity.start_char, entity.end_char) if tokens else None
        yield own or (entity.start, entity.end)


def _pipe_in_processes(
    nlp: Language, docs: Iterable[Doc], *, n_process: int, batch_size: int | None
) -> Iterator[Doc]:
    """Run ``nlp.pipe`` in several processes, and raise an error when one of them dies.

    ``nlp.pipe(..., n_process=2)`` waits for a dead process forever, since its
    siblings hold the writing end of its pipe. The executor of the standard
    library notices.
    """
    n_workers = (os.cpu_count() or 1) if n_process == -1 else n_process
    size = batch_size or nlp.batch_size
    extensions = Underscore.get_state()
    pool = ProcessPoolExecutor(n_workers, initializer=_start_worker, initargs=(nlp, extensions))
    try:
        waiting: deque[Future[list[bytes]]] = deque()
        rest = iter(docs)
        while batch := [doc.to_bytes() for doc in islice(rest, size)]:
            waiting.append(pool.submit(_annotate, batch))
            if len(waiting) > _BATCHES_AHEAD * n_workers:
                yield from _read(nlp, waiting.popleft())
        while waiting:
            yield from _read(nlp, waiting.popleft())
    except BrokenProcessPool as error:
        raise ModelError(
            f"one of the {n_workers} processes that shared the work has died, most likely because "
            "the memory was used up. Nothing was changed. Use fewer with n_process=, or smaller "
            "batches with batch_size=."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(
    nlp: Language, extensions: tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any]]
) -> None:
    Underscore.load_state(extensions)
    _worker_pipeline[:] = [nlp]


def _annotate(batch: list[bytes]) -> list[bytes]:
    (nlp,) = _worker_pipeline
    docs = (Doc(nlp.vocab).from_bytes(one) for one in batch)
    return [doc.to_bytes() for doc in nlp.pipe(docs, batch_size=len(batch))]


def _read(nlp: Language, batch: Future[list[bytes]]) -> Iterator[Doc]:
    return (Doc(nlp.vocab).from_bytes(one) for one in batch.result())
