"""What a session hands back: values that print, show and draw themselves."""

from nbner.results.evaluation import Evaluation
from nbner.results.probabilities import TextProbabilities
from nbner.results.summary import Summary
from nbner.results.training import TrainingReport, curve_frame

__all__ = ["Evaluation", "Summary", "TextProbabilities", "TrainingReport", "curve_frame"]
