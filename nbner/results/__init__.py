"""What a session hands back: values that print, show and draw themselves."""

from nbner.results.agreement import Agreement
from nbner.results.calibration import Calibration
from nbner.results.evaluation import Evaluation
from nbner.results.oracle import Lists, OracleCurve
from nbner.results.probabilities import TextProbabilities
from nbner.results.reranking import Comparison, Ensemble, Reranking
from nbner.results.stats import Stats
from nbner.results.summary import Summary
from nbner.results.tokenization import Tokenization
from nbner.results.training import TrainingReport, curve_frame
from nbner.results.verification import Verification

__all__ = [
    "Agreement",
    "Calibration",
    "Comparison",
    "Ensemble",
    "Evaluation",
    "Lists",
    "OracleCurve",
    "Reranking",
    "Stats",
    "Summary",
    "TextProbabilities",
    "Tokenization",
    "TrainingReport",
    "Verification",
    "curve_frame",
]
