"""Label, train, correct and analyse named entities inside a notebook.

Everything public is named here and loaded when it is first used, so that
``import nbner`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nbner._version import __version__

if TYPE_CHECKING:
    from nbner.decoding.probabilities_report import TextProbabilities
    from nbner.errors import DataError, ModelError, NbnerError, StoreError, TrainingError
    from nbner.evaluation.report import Evaluation
    from nbner.faces.measuring import evaluate
    from nbner.faces.parity import differences
    from nbner.io.importer import AddReport
    from nbner.io.sample_corpus import Sample, sample
    from nbner.session import Session
    from nbner.simulating import drive, simulate
    from nbner.simulation.annotator import Robot
    from nbner.training.report import TrainingReport
    from nbner.types import Answer, Counts, Example, Parse, Span, Token
    from nbner.widgets.annotator import Annotator

_HOMES = {
    "AddReport": "nbner.io.importer",
    "Annotator": "nbner.widgets.annotator",
    "Answer": "nbner.types",
    "Counts": "nbner.types",
    "DataError": "nbner.errors",
    "Evaluation": "nbner.evaluation.report",
    "Example": "nbner.types",
    "ModelError": "nbner.errors",
    "NbnerError": "nbner.errors",
    "Parse": "nbner.types",
    "Robot": "nbner.simulation.annotator",
    "Sample": "nbner.io.sample_corpus",
    "Session": "nbner.session",
    "Span": "nbner.types",
    "StoreError": "nbner.errors",
    "TextProbabilities": "nbner.decoding.probabilities_report",
    "Token": "nbner.types",
    "TrainingError": "nbner.errors",
    "TrainingReport": "nbner.training.report",
    "differences": "nbner.faces.parity",
    "drive": "nbner.simulating",
    "evaluate": "nbner.faces.measuring",
    "sample": "nbner.io.sample_corpus",
    "simulate": "nbner.simulating",
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
    "sample",
    "simulate",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its room (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        msg = f"module 'nbner' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
