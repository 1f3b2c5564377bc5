"""Training of pipelines: loop, setup, run folders, saved models, comparisons."""
