"""Shared helpers: alignment, hashing, bootstrap, colors, plot style, span HTML, progress bars."""
