"""Array types of the decoder."""

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
    """Return the index of each item within its group, for consecutive groups.

    Parameters
    ----------
    sizes : array of int, shape (groups,)
        Size of each group.

    Returns
    -------
    array of int, shape (sum of sizes,)
    """
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
