"""Label, train, correct and analyse named entities inside a notebook.

Everything public is named here and loaded when it is first used, so that
``import nbner`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nbner.analysis.robot import Robot
    from nbner.data.intake import AddReport
    from nbner.data.sample import Sample, sample
    from nbner.errors import DataError, ModelError, NbnerError, StoreError, TrainingError
    from nbner.results import Evaluation, TextProbabilities, TrainingReport
    from nbner.session import Session
    from nbner.session.differences import differences
    from nbner.session.evaluation import evaluate
    from nbner.session.files import read, token_rows, write
    from nbner.session.quiz import quiz
    from nbner.simulating import drive, simulate
    from nbner.types import Answer, Counts, Example, Parse, Span, Token
    from nbner.widgets.annotator import Annotator

_MODULES = {
    "AddReport": "nbner.data.intake",
    "Annotator": "nbner.widgets.annotator",
    "Answer": "nbner.types",
    "Counts": "nbner.types",
    "DataError": "nbner.errors",
    "Evaluation": "nbner.results",
    "Example": "nbner.types",
    "ModelError": "nbner.errors",
    "NbnerError": "nbner.errors",
    "Parse": "nbner.types",
    "Robot": "nbner.analysis.robot",
    "Sample": "nbner.data.sample",
    "Session": "nbner.session",
    "Span": "nbner.types",
    "StoreError": "nbner.errors",
    "TextProbabilities": "nbner.results",
    "Token": "nbner.types",
    "TrainingError": "nbner.errors",
    "TrainingReport": "nbner.results",
    "differences": "nbner.session.differences",
    "drive": "nbner.simulating",
    "evaluate": "nbner.session.evaluation",
    "quiz": "nbner.session.quiz",
    "read": "nbner.session.files",
    "sample": "nbner.data.sample",
    "simulate": "nbner.simulating",
    "token_rows": "nbner.session.files",
    "write": "nbner.session.files",
}

__all__ = [
    "AddReport",
    "Annotator",
    "Answer",
    "Counts",
    "DataError",
    "Evaluation",
    "Example",
    "ModelError",
    "NbnerError",
    "Parse",
    "Robot",
    "Sample",
    "Session",
    "Span",
    "StoreError",
    "TextProbabilities",
    "Token",
    "TrainingError",
    "TrainingReport",
    "__version__",
    "differences",
    "drive",
    "evaluate",
    "quiz",
    "read",
    "sample",
    "simulate",
    "token_rows",
    "write",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    module = _MODULES.get(name)
    if module is None:
        msg = f"module 'nbner' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
