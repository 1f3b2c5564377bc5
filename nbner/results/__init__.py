"""What a session hands back: values that print, show and draw themselves."""

from nbner.results.differences import Differences
from nbner.results.evaluation import Evaluation
from nbner.results.parity import Determinism, Parity
from nbner.results.summary import Summary
from nbner.results.training import TrainingReport, curve_frame

__all__ = [
    "Determinism",
    "Differences",
    "Evaluation",
    "Parity",
    "Summary",
    "TrainingReport",
    "curve_frame",
]
