"""The kinds of arrays that the decode room hands about, and how they are counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
IntArray = NDArray[np.intp]
Int32Array = NDArray[np.int32]
Uint64Array = NDArray[np.uint64]
BoolArray = NDArray[np.bool_]


def index_within_groups(sizes: IntArray) -> IntArray:
    """Count from 0 within groups of these sizes."""
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
