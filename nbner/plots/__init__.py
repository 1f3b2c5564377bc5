"""Rows in, matplotlib Axes out: one family of pictures, a module a subject."""

from nbner.plots.probabilities import token_bars
from nbner.plots.scores import evaluation_rows
from nbner.plots.style import new_figure
from nbner.plots.training import training_curve

__all__ = ["evaluation_rows", "new_figure", "token_bars", "training_curve"]
