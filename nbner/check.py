"""Try the installation in a few seconds: ``python -m nbner.check``.

Makes a session in memory, trains for two steps, predicts, and builds a widget; prints
what worked and the versions of everything that matters. A report of an error begins with
what this prints. Exits with 1 where a step failed.
"""

from __future__ import annotations

import logging
import platform
import sqlite3
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import TextIO

from nbner._version import __version__
from nbner.io.sample_corpus import sample
from nbner.session.session import Session

#: What nbner needs, then what it works with.
PACKAGES = (
    *("spacy", "thinc", "numpy", "pandas", "matplotlib", "python-crfsuite", "SQLAlchemy"),
    *("anywidget", "ipywidgets", "ipykernel", "jupyterlab", "notebook", "marimo"),
    *("dask", "distributed", "pyarrow", "psycopg", "torch", "spacy-transformers"),
)
TRAIN_EXAMPLES = 20
STEPS = 2

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """One thing that was tried.

    Parameters
    ----------
    name : str
        What was tried.
    seconds : float
        How long it took.
    problem : str
        Type and message of the error; empty where it worked.
    """

    name: str
    seconds: float
    problem: str = ""

    def __str__(self) -> str:
        state = f"failed: {self.problem}" if self.problem else "works"
        return f"{self.name:<34} {state} ({self.seconds:.1f} s)"


def versions() -> dict[str, str]:
    """Return the versions of nbner, Python, the platform and the packages by name.

    A package that is not installed is missing from the result.
    """
    found = {
        "nbner": __version__,
        "Python": platform.python_version(),
        "platform": platform.platform(),
        "SQLite": sqlite3.sqlite_version,
    }
    return found | {name: number for name in PACKAGES if (number := _version(name))}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def try_out() -> list[Step]:
    """Make a session in memory and use it, step by step.

    Returns
    -------
    list of Step
        In order; the first that failed is the last.
    """
    corpus = sample()
    opened: list[Session] = []

    def open_session() -> None:
        opened.append(Session("check", labels=corpus.labels, store=":memory:", annotator="check"))
        opened[0].add(corpus.train[:TRAIN_EXAMPLES], split="train")
        opened[0].add(corpus.dev[:TRAIN_EXAMPLES], split="dev")

    def build_widget() -> None:
        widget = opened[0].manual(split="train")
        if not all(widget.get_state(["_esm", "_css"]).values()):
            raise RuntimeError("the front end is not in the package")

    steps: dict[str, Callable[[], object]] = {
        "a session in memory": open_session,
        "training, two steps": lambda: opened[0].train(max_steps=STEPS, progress=False),
        "training of the fast learner": lambda: opened[0].train(
            learner="crf", margin=None, progress=False
        ),
        "prediction": lambda: opened[0].predict(["Whisk two eggs."]),
        "the widget": build_widget,
    }
    done: list[Step] = []
    for name, step in steps.items():
        began = perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a model of two steps is warned about
                step()
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what is reported)
            _LOG.debug("the check failed at %r", name, exc_info=True)
            done.append(Step(name, perf_counter() - began, f"{type(error).__name__}: {error}"))
            break
        done.append(Step(name, perf_counter() - began))
    for session in opened:
        session.close()
    return done


def main(out: TextIO = sys.stdout) -> int:
    """Print versions and steps, and return the exit code: 0, or 1 where a step failed."""
    out.writelines(f"{name:<20} {number}\n" for name, number in versions().items())
    out.write("\n")
    done = try_out()
    out.writelines(f"{step}\n" for step in done)
    failed = any(step.problem for step in done)
    out.write("\nSomething does not work.\n" if failed else "\nAll of it works.\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
