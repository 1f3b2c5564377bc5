"""Jobs in a fresh Python process, with input and result as JSON files in a folder.

::

    <folder>/job.json      the function to call and its input
    <folder>/result.json   written last, and renamed into place when complete
    <folder>/error.json    instead of a result, if the job raised an ``NbnerError``

A new process, not a fork and not ``multiprocessing``: a fork would break the
threads of a notebook, and a spawn needs a guard in the user's script.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from nbner import errors
from nbner.errors import ModelError, NbnerError

_JobFunction: TypeAlias = Callable[[Path, Mapping[str, Any]], Any]

_JOB, _RESULT, _ERROR, _LOG = "job.json", "result.json", "error.json", "log.txt"


def start_job(
    folder: Path, function: str, job: Mapping[str, Any], *, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a job in a fresh Python process.

    Parameters
    ----------
    folder : Path
        Folder of this job alone; created if it is missing.
    function : str
        The function to call, as "module:function"; it takes the folder and the
        job and returns a JSON value. Named, not passed, so that this module
        imports none of its users.
    job : mapping
        The job's input: JSON values.
    stdin : int
        Standard input of the process, as in `subprocess.Popen`.

    Returns
    -------
    subprocess.Popen
        The running process.
    """
    write_job(folder, function, job)
    return _start_process([str(folder)], folder, stdin)


def start_worker(folder: Path) -> subprocess.Popen[bytes]:
    """Start a Python process that runs one job after the other, so that its imports are paid once.

    Each line of its standard input is the folder of a job that `write_job` has
    prepared. The process ends when its standard input is closed, also by the
    death of its parent, and after a job that raises anything but an
    ``NbnerError``.

    Parameters
    ----------
    folder : Path
        Folder of the worker alone, for its log.

    Returns
    -------
    subprocess.Popen
        The running process; it gives way to other processes ("nice").
    """
    folder.mkdir(parents=True, exist_ok=True)
    return _start_process(["--worker"], folder, subprocess.PIPE)


def write_job(folder: Path, function: str, job: Mapping[str, Any]) -> None:
    """Write the input of a job.

    Parameters
    ----------
    folder : Path
        Folder of this job alone; created if it is missing.
    function : str
        As for `start_job`.
    job : mapping
        JSON values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / _JOB, {"function": function, **job})


def is_finished(folder: Path) -> bool:
    """Return whether a job has a result or an error.

    Parameters
    ----------
    folder : Path
        Folder of the job.
    """
    return (folder / _RESULT).exists() or (folder / _ERROR).exists()


def _start_process(arguments: list[str], folder: Path, stdin: int) -> subprocess.Popen[bytes]:
    # The same modules as here, wherever they were imported from.
    paths = os.pathsep.join(path for path in sys.path if path)
    with (folder / _LOG).open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - the running Python interpreter, no user input
            [sys.executable, "-m", "nbner.nlp.subprocess_job", *arguments],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=stdin,
            start_new_session=True,  # an interrupt of the kernel does not stop it
            stdout=log,
            stderr=log,
        )


def read_result(folder: Path, *, log_folder: Path | None = None) -> Any:
    """Return the result of a finished job.

    Parameters
    ----------
    folder : Path
        As for `start_job`.
    log_folder : Path, optional
        Folder of the worker that ran it; by default the job's own.

    Raises
    ------
    NbnerError
        The ``NbnerError`` that the job raised, or a ``ModelError`` with the last
        lines of its log if the process died.
    """
    if (folder / _RESULT).exists():
        return json.loads((folder / _RESULT).read_text(encoding="utf-8"))
    if (folder / _ERROR).exists():
        stored = json.loads((folder / _ERROR).read_text(encoding="utf-8"))
        raise getattr(errors, stored["kind"], NbnerError)(stored["message"])
    log = (log_folder or folder) / _LOG
    last = (
        log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:] if log.exists() else []
    )
    raise ModelError(
        "the process that did the work has died without an error message"
        + (f"; the last lines of its log: {' / '.join(last)}" if last else "")
        + ". The model in use stays; run it again, with less data if memory was short."
    )


def main(folder: Path) -> None:
    """Run the job of a folder, and write its result or its error there.

    Parameters
    ----------
    folder : Path
        As for `start_job`.
    """
    job = json.loads((folder / _JOB).read_text(encoding="utf-8"))
    run: _JobFunction = import_function(job["function"])
    try:
        write_json(folder / _RESULT, run(folder, job))
    except NbnerError as error:
        write_json(folder / _ERROR, {"kind": type(error).__name__, "message": str(error)})


def run_worker(lines: Iterable[str]) -> None:
    """Run the jobs whose folders come as lines, until there are no more.

    Parameters
    ----------
    lines : iterable of str
        Folders of jobs.
    """
    # Whoever labels goes first; not every system has priorities.
    with suppress(AttributeError, OSError):
        os.nice(10)
    for line in lines:
        main(Path(line.rstrip("\n")))


def import_function(name: str) -> Callable[..., Any]:
    """Import a function that a job names.

    Parameters
    ----------
    name : str
        As "module:function".
    """
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically: readers find all of it or nothing.

    Parameters
    ----------
    path : Path
        The file to write.
    value : Any
        A JSON value.
    """
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    part.rename(path)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : Path
        The file.
    """
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        run_worker(iter(sys.stdin.readline, ""))
    else:
        main(Path(sys.argv[1]))
