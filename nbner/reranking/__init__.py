"""Reranker over the k best analyses, and ensembles of models."""
