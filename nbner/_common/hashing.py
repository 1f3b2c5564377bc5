"""Hashes of texts and tasks that are equal in every process and on every machine.

BLAKE2b (RFC 7693) in place of Prodigy's MurmurHash: imported hashes are kept,
and nothing depends on equality with the hashes that Prodigy would compute.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b

from nbner.types import Span

HASH_RANGE = range(-(2**31), 2**31)


def text_digest(text: str) -> bytes:
    """Compute the 16-byte digest that identifies a text.

    Parameters
    ----------
    text : str
        Any text, lone surrogates included.
    """
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def input_hash(text: str, *, attempt: int = 0) -> int:
    """Compute the hash of a text: signed, 32 bits, never 0.

    Parameters
    ----------
    text : str
        Any text.
    attempt : int
        Number of the attempt. Among a million texts some hundred pairs collide
        in 32 bits; the later text of a pair is hashed again with 1, 2 and so on.
    """
    return _signed(text_digest(f"{text}\0{attempt}" if attempt else text))


def input_hash_from_digest(digest: bytes) -> int:
    """Compute the hash of a text whose digest is already known.

    Parameters
    ----------
    digest : bytes
        As ``text_digest`` returns it.
    """
    return _signed(digest)


def task_hash(hashed_input: int, spans: Iterable[Span] = ()) -> int:
    """Compute the hash of a task: a text together with the spans proposed for it.

    Parameters
    ----------
    hashed_input : int
        The text's input hash.
    spans : iterable of Span
        In any order.
    """
    triples = sorted((span.start, span.end, span.label) for span in spans)
    if not triples:
        # The value of the last line, sooner, for the many texts without proposals.
        return _signed(text_digest(f"[{hashed_input}, []]"))
    return _signed(text_digest(json.dumps([hashed_input, triples])))


def _signed(digest: bytes) -> int:
    # 0 marks an example without a hash.
    return int.from_bytes(digest[:4], "big", signed=True) or 1
