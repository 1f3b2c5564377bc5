"""Reranking of the k best analyses: features, log-linear model, spaCy component, ensembles."""
