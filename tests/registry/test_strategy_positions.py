"""What a query strategy of one's own returns is checked before anything is ordered by it."""

from __future__ import annotations

import numpy as np
import pytest

from nbner.active_learning.query_strategies import rank_examples
from nbner.errors import DataError
from nbner.types import Example

EXAMPLES = [Example("a"), Example("b"), Example("c")]


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (None, "no list of positions: None"),
        (3, "no list of positions: 3"),
        ([2, 1.5, 0], r"no list of positions: \[2, 1.5, 0\]"),
        (["a", "b", "c"], "no list of positions"),
        ([0, 1], "2 positions for 3 examples"),
        ([0, 1, 10], "not each of them once"),
        ([0, 0, 1], "not each of them once"),
    ],
)
def test_what_is_no_order_is_refused_by_name(returned, says):
    def mine(_examples):
        return returned

    with pytest.raises(DataError, match=rf"'mine' returned .*{says}.*Return all positions"):
        rank_examples(mine, EXAMPLES)


@pytest.mark.parametrize("returned", [(2, 0, 1), np.array([2, 0, 1]), iter([2, 0, 1])])
def test_positions_of_any_kind_of_whole_number_are_taken(returned):
    assert rank_examples(lambda _examples: returned, EXAMPLES) == [2, 0, 1]
