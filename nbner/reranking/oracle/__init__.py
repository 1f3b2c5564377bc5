"""Oracle study: what a perfect choice among the k best analyses would gain."""
