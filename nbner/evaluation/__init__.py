"""Scores of predictions against gold, and comparisons of models."""
