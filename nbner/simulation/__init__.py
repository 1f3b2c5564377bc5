"""Simulated annotation through the real widget, to measure its cost."""
