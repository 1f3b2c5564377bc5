"""The small pipeline with random weights that these tests share."""

from pipeline_fixtures import nlp, set_before

__all__ = ["nlp", "set_before"]
