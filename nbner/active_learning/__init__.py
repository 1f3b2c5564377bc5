"""Query strategies: the order in which examples are annotated."""
