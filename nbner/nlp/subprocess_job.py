"""Work in a fresh Python: started with a folder, it reads its job there and leaves its result.

::

    <folder>/job.json      what to do
    <folder>/result.json   written last, under its name only when it is whole
    <folder>/error.json    in its place, where the work failed on purpose

A process of its own, not a fork and not ``multiprocessing``: a notebook has
threads that a fork would break, and a user's script has no guard that a spawn
would need.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from nbner import errors
from nbner.errors import ModelError, NbnerError

Work: TypeAlias = Callable[[Path, Mapping[str, Any]], Any]

JOB, RESULT, ERROR, LOG = "job.json", "result.json", "error.json", "log.txt"


def start(
    folder: Path, kind: str, job: Mapping[str, Any], *, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start work in a fresh Python.

    Parameters
    ----------
    folder : Path
        Of this work alone; made if it is not there.
    kind : {"predict", "train"}
    job : mapping
        What JSON can hold.
    stdin : int
        As `subprocess.Popen` takes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / JOB, {"kind": kind, **job})
    # The same modules as here, wherever they were imported from.
    paths = os.pathsep.join(path for path in sys.path if path)
    with (folder / LOG).open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - this very Python, and nothing of the user's
            [sys.executable, "-m", "nbner.nlp.subprocess_job", str(folder)],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=stdin,
            start_new_session=True,  # the notebook's stop button is not for it
            stdout=log,
            stderr=log,
        )


def outcome(folder: Path) -> Any:
    """Read what finished work has left.

    Raises
    ------
    NbnerError
        What the work raised on purpose, or a ``ModelError`` with the last
        lines of its log where it died.
    """
    if (folder / RESULT).exists():
        return json.loads((folder / RESULT).read_text(encoding="utf-8"))
    if (folder / ERROR).exists():
        said = json.loads((folder / ERROR).read_text(encoding="utf-8"))
        raise getattr(errors, said["kind"], NbnerError)(said["message"])
    log = folder / LOG
    last = (
        log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:] if log.exists() else []
    )
    raise ModelError(
        "the process that did the work has died without a word"
        + (f"; the last lines of its log: {' / '.join(last)}" if last else "")
        + ". The model in use stays; run it again, with less data if memory was short."
    )


def main(folder: Path) -> None:
    """Do the work that a folder holds."""
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    work = _works()[job["kind"]]
    try:
        write(folder / RESULT, work(folder, job))
    except NbnerError as error:
        write(folder / ERROR, {"kind": type(error).__name__, "message": str(error)})


def _works() -> dict[str, Work]:
    from nbner.evaluation.reproducibility.determinism import predict_apart
    from nbner.training.background import train_apart

    return {"predict": predict_apart, "train": train_apart}


def write(path: Path, value: Any) -> None:
    """Write JSON such that whoever reads finds all of it, or nothing."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    part.rename(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
