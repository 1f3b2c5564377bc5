"""Active learning: query strategies, and datasets in the order of a strategy."""
