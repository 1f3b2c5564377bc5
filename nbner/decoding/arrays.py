"""The kinds of arrays that the decode room hands about, and how they are counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]
Ints = NDArray[np.intp]
SmallInts = NDArray[np.int32]
Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]


def counted(sizes: Ints) -> Ints:
    """Count from 0 within groups of these sizes."""
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
