"""Parity with plain spaCy, and determinism of predictions."""
