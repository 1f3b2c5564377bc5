"""Annotation progress: counts, time spent and time left."""
