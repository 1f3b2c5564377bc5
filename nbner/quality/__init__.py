"""Quality of gold: label issues, consistency, agreement, anchoring, tokenization, progress."""
