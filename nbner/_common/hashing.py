"""Names for texts and tasks: the same in every process, on every machine.

BLAKE2b (RFC 7693) in place of Prodigy's MurmurHash: hashes that come in are
kept, and equality with Prodigy's own is never asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b

from nbner.types import Span

HASH_RANGE = range(-(2**31), 2**31)


def text_digest(text: str) -> bytes:
    """Give 16 bytes by which a text is known among any number of texts."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def input_hash(text: str, *, attempt: int = 0) -> int:
    """Give a text's hash: signed, 32 bits, never 0.

    Parameters
    ----------
    text : str
    attempt : int
        Among a million texts some hundred share their 32 bits; the later ones
        try again with 1, 2 and so on.
    """
    return _signed(text_digest(f"{text}\0{attempt}" if attempt else text))


def task_hash(of_input: int, spans: Iterable[Span] = ()) -> int:
    """Give the hash of a task: a text with the spans that it proposes.

    Parameters
    ----------
    of_input : int
        The text's input hash.
    spans : iterable of Span
        In any order.
    """
    places = sorted((span.start, span.end, span.label) for span in spans)
    if not places:
        # What the line below gives, for the many texts that propose nothing.
        return _signed(text_digest(f"[{of_input}, []]"))
    return _signed(text_digest(json.dumps([of_input, places])))


def input_hash_from_digest(name: bytes) -> int:
    """Give the hash of a text whose digest is known already."""
    return _signed(name)


def _signed(name: bytes) -> int:
    # 0 is what an example has that nobody has hashed yet.
    return int.from_bytes(name[:4], "big", signed=True) or 1
