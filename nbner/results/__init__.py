"""What a session hands back: values that print, show and draw themselves."""

from nbner.results.background import BackgroundTraining
from nbner.results.differences import Differences
from nbner.results.evaluation import Evaluation
from nbner.results.flips import Flips
from nbner.results.layers import ActionScores, TokenFeatures
from nbner.results.parity import Determinism, Parity
from nbner.results.problems import Problems
from nbner.results.summary import Summary
from nbner.results.training import TrainingReport, curve_frame
from nbner.results.transfer import LearningCurve, TrainingComparison

__all__ = [
    "ActionScores",
    "BackgroundTraining",
    "Determinism",
    "Differences",
    "Evaluation",
    "Flips",
    "LearningCurve",
    "Parity",
    "Problems",
    "Summary",
    "TokenFeatures",
    "TrainingComparison",
    "TrainingReport",
    "curve_frame",
]
