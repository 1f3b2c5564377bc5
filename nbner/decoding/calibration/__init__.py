"""Calibration of span probabilities by a temperature."""
