"""Lattices that are kept for a while, so that a text can be searched again at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbner.decoding.lattice_view import Lattice

MAX_TOKENS = 10_000  # of 10 kB each, with 18 labels and entities of up to 64 tokens


class LatticeCache:
    """The lattices used last, up to a number of tokens in all; safe from any thread.

    Parameters
    ----------
    max_tokens : int
        What is beyond is forgotten, the longest unused first. A single text
        that is longer is not kept.
    """

    def __init__(self, max_tokens: int = MAX_TOKENS) -> None:
        self._max_tokens = max_tokens
        self._lattices: OrderedDict[Hashable, Lattice] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: Hashable, lattice: Lattice) -> None:
        """Keep a lattice in place of an earlier one under the same key."""
        with self._lock:
            self._lattices[key] = lattice
            self._lattices.move_to_end(key)
            tokens = sum(len(one) for one in self._lattices.values())
            while tokens > self._max_tokens:
                _, evicted = self._lattices.popitem(last=False)
                tokens -= len(evicted)

    def get(self, key: Hashable) -> Lattice | None:
        """Give a lattice; None where it was never kept, or has been forgotten."""
        with self._lock:
            found = self._lattices.get(key)
            if found is not None:
                self._lattices.move_to_end(key)
            return found

    def clear(self) -> None:
        """Forget all, for when the model has changed."""
        with self._lock:
            self._lattices.clear()
