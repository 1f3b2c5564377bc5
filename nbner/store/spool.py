"""A stream put aside until it has come to its end.

A store is locked while it is written. Rows are read and checked first, however
long that takes, and what was checked waits here: in memory while it is small,
in a temporary file when it grows.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, TypeVar

from nbner.errors import StoreError

T = TypeVar("T")

BATCH = 1000
_IN_MEMORY = 32 * 2**20


@contextmanager
def buffered_to_disk(stream: Iterable[T]) -> Iterator[Iterator[list[T]]]:
    """Take a stream to its end, and give it back in batches.

    Raises
    ------
    StoreError
        There is no room for a temporary file.
    """
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        items = iter(stream)
        while batch := list(islice(items, BATCH)):
            _put_aside(batch, file)
        end = file.tell()
        file.seek(0)

        def batches() -> Iterator[list[T]]:
            while file.tell() < end:
                yield pickle.load(file)  # noqa: S301 - written above, by this very call

        yield batches()


def _put_aside(batch: list[T], file: IO[bytes]) -> None:
    try:
        pickle.dump(batch, file, pickle.HIGHEST_PROTOCOL)
    except OSError as error:
        msg = f"no room to put rows aside: {error.strerror}. Set TMPDIR to a larger disk."
        raise StoreError(msg) from error
