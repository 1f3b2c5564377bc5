"""What a session hands back: values that print, show and draw themselves."""

from nbner.results.agreement import Agreement
from nbner.results.evaluation import Evaluation
from nbner.results.stats import Stats
from nbner.results.summary import Summary
from nbner.results.tokenization import Tokenization
from nbner.results.training import TrainingReport, curve_frame
from nbner.results.verification import Verification

__all__ = [
    "Agreement",
    "Evaluation",
    "Stats",
    "Summary",
    "Tokenization",
    "TrainingReport",
    "Verification",
    "curve_frame",
]
