"""Rows in, matplotlib Axes out: one family of pictures, a module a subject."""

from nbner._common.plot_style import new_figure
from nbner.decoding.calibration.plot import reliability_diagram
from nbner.decoding.probabilities_plot import token_bars
from nbner.evaluation.comparison_plot import comparison_rows
from nbner.evaluation.plot import evaluation_rows
from nbner.reranking.oracle.plot import oracle_curve
from nbner.training.plot import training_curve

__all__ = [
    "comparison_rows",
    "evaluation_rows",
    "new_figure",
    "oracle_curve",
    "reliability_diagram",
    "token_bars",
    "training_curve",
]
