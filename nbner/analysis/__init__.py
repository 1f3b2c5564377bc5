"""The analysis room: what predictions are worth, as plain values."""
