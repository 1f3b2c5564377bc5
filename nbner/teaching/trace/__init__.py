"""Trace of the transition-based recognizer, step by step."""
