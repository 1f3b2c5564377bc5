"""Checksums of the files that are written and read again, kept inside of the file.

They tell a file that has changed on the disk from the one that was written, where the
change leaves it valid: a digit of a number, a letter of a name.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

CHECKSUM_KEY = "checksum"
_SIZE = 16  # bytes
_TRAILER = b"nbner-checksum:"


def add_checksum(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with the checksum of its other keys.

    Parameters
    ----------
    entry : mapping
        As JSON can hold it. A checksum that it has is replaced.
    """
    content = {key: value for key, value in entry.items() if key != CHECKSUM_KEY}
    return {**content, CHECKSUM_KEY: _json_checksum(content)}


def remove_checksum(entry: Any, *, keys_without: Collection[str]) -> tuple[Any, bool]:
    """Check a JSON value that was read from a file, and return it without its checksum.

    Parameters
    ----------
    entry : object
        As it was read.
    keys_without : collection of str
        The keys of the files that were written before there were checksums. An
        object without a checksum and with any other key is refused: the name of
        the checksum's key may be what has changed.

    Returns
    -------
    (object, bool)
        The value, and whether it had a checksum. A value that is no object is
        returned as it is.

    Raises
    ------
    ValueError
        The value is not the one that was written.
    """
    if not isinstance(entry, Mapping):
        return entry, False
    content = {key: value for key, value in entry.items() if key != CHECKSUM_KEY}
    has_checksum = CHECKSUM_KEY in entry
    if has_checksum and entry[CHECKSUM_KEY] != _json_checksum(content):
        raise ValueError("it is not as it was saved: its checksum differs")
    unknown = set(content) - set(keys_without)
    if not has_checksum and unknown:
        raise ValueError(f"it is not as it was saved: it has the key {min(unknown)!r}")
    return content, has_checksum


def append_checksum(data: bytes) -> bytes:
    """Return bytes with their checksum behind them.

    Parameters
    ----------
    data : bytes
        The content of a file.
    """
    return data + _TRAILER + blake2b(data, digest_size=_SIZE).digest()


def split_checksum(data: bytes) -> bytes:
    """Check the checksum behind the bytes of a file, and return the bytes without it.

    Parameters
    ----------
    data : bytes
        As they were read. Bytes without a checksum, as earlier versions wrote
        them, are returned as they are: their reader must refuse what it does not
        need, or half a checksum passes.

    Raises
    ------
    ValueError
        The bytes are not those that were written.
    """
    end = len(data) - len(_TRAILER) - _SIZE
    if end < 0 or data[end : end + len(_TRAILER)] != _TRAILER:
        return data
    content = data[:end]
    if append_checksum(content) != data:
        raise ValueError("the checksum differs")
    return content


def _json_checksum(content: Mapping[str, Any]) -> str:
    # ASCII alone: a lone surrogate of a label is written as its escape.
    packed = json.dumps(content, sort_keys=True).encode("ascii")
    return blake2b(packed, digest_size=_SIZE).hexdigest()
