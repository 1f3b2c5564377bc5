"""Oracle study: F that a perfect choice among the k best analyses would reach."""
