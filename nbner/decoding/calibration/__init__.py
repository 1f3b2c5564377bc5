"""Calibration of span probabilities by temperature scaling."""
