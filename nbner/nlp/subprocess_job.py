"""Jobs in a fresh Python process, which reads its input from a folder and writes its result there.

::

    <folder>/job.json      the function to call and its input
    <folder>/result.json   written last, and renamed into place when complete
    <folder>/error.json    in its place, if the job raised an error on purpose

A new process, not a fork and not ``multiprocessing``: a fork would break the
threads of a notebook, and a spawn needs a guard in the user's script.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from nbner import errors
from nbner.errors import ModelError, NbnerError

Job: TypeAlias = Callable[[Path, Mapping[str, Any]], Any]

JOB, RESULT, ERROR, LOG = "job.json", "result.json", "error.json", "log.txt"


def start_job(
    folder: Path, function: str, job: Mapping[str, Any], *, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a job in a fresh Python process.

    Parameters
    ----------
    folder : Path
        Folder of this job alone; made if it is missing.
    function : str
        The function to call, as "module:function"; it takes the folder and the
        job and returns a JSON value. Named, not passed, so that this module
        imports none of its users.
    job : mapping
        JSON values.
    stdin : int
        As in `subprocess.Popen`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / JOB, {"function": function, **job})
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


def read_result(folder: Path) -> Any:
    """Return the result of a finished job.

    Parameters
    ----------
    folder : Path
        As for `start_job`.

    Raises
    ------
    NbnerError
        The error that the job raised on purpose, or a ``ModelError`` with the
        last lines of its log if the process died.
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
    """Run the job of a folder and write its result or its error there."""
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    run = _function(job["function"])
    try:
        write_json(folder / RESULT, run(folder, job))
    except NbnerError as error:
        write_json(folder / ERROR, {"kind": type(error).__name__, "message": str(error)})


def _function(name: str) -> Job:
    """Import the function that a job names as "module:function"."""
    module, _, function = name.partition(":")
    found: Job = getattr(import_module(module), function)
    return found


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file in one step: readers find all of it or nothing.

    Parameters
    ----------
    path : Path
    value : Any
        A JSON value.
    """
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    part.rename(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
