"""Differences between two sets of annotations, each with its cause."""
