"""The decision between spans: the set with the highest expected F in place of the greedy path."""
