"""What a session hands back: values that print, show and draw themselves."""

from nbner.decoding.calibration.report import Calibration
from nbner.decoding.inspection import ActionScores, TokenFeatures
from nbner.decoding.probabilities_report import TextProbabilities
from nbner.evaluation.diff.report import Differences
from nbner.evaluation.errors.report import Errors
from nbner.evaluation.model_comparison import ModelComparison
from nbner.evaluation.regressions_report import Flips
from nbner.evaluation.report import Evaluation
from nbner.evaluation.reproducibility.report import Determinism, Parity
from nbner.quality.agreement.report import Agreement
from nbner.quality.anchoring.report import Anchoring
from nbner.quality.consistency_report import Consistency
from nbner.quality.data_warnings_report import Problems
from nbner.quality.label_issues_report import LabelIssues
from nbner.quality.progress.report import Stats
from nbner.quality.tokenization.report import Tokenization
from nbner.reranking.oracle.report import Lists, OracleCurve
from nbner.reranking.report import Comparison, Ensemble, Reranking
from nbner.results.summary import Summary
from nbner.results.trace import Trace
from nbner.simulation.report import Simulation
from nbner.store.integrity_report import Verification
from nbner.training.background_report import BackgroundTraining
from nbner.training.comparison import LearningCurve, TrainingComparison
from nbner.training.report import TrainingReport, curve_frame

__all__ = [
    "ActionScores",
    "Agreement",
    "Anchoring",
    "BackgroundTraining",
    "Calibration",
    "Comparison",
    "Consistency",
    "Determinism",
    "Differences",
    "Ensemble",
    "Errors",
    "Evaluation",
    "Flips",
    "LabelIssues",
    "LearningCurve",
    "Lists",
    "ModelComparison",
    "OracleCurve",
    "Parity",
    "Problems",
    "Reranking",
    "Simulation",
    "Stats",
    "Summary",
    "TextProbabilities",
    "TokenFeatures",
    "Tokenization",
    "Trace",
    "TrainingComparison",
    "TrainingReport",
    "Verification",
    "curve_frame",
]
