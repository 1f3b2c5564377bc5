"""Labelling of whole corpora: files in, files out, a partition at a time, resumable."""
