"""Gold as spaCy's DocBin, written without making docs, which takes longer than all the rest.

A DocBin is one MessagePack map, compressed by zlib (spacy/tokens/_serialize.py).
Its tokens are put together and compressed piece by piece, so that memory holds
8 bytes a token and not the file three times.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner._common.serialization import dump_json
from nbner.errors import DataError
from nbner.io.docbin import USER_DATA_KEY
from nbner.io.files import atomic_write
from nbner.io.gold_export import GoldExample
from nbner.types import Token

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from spacy.strings import StringStore

    Ints: TypeAlias = NDArray[np.int64]

# spaCy's numbers in ``ent_iob``.
_INSIDE, _OUTSIDE, _BEGIN = 1, 2, 3

_PIECE = 2**16  # tokens
_LARGEST = 2**32  # bytes of one value in MessagePack


def write(gold: Iterable[GoldExample], path: Path) -> int:
    """Write gold as a DocBin and say how many docs there were.

    ``doc.text`` is the text: whitespace that spaCy's tokens cannot hold becomes
    tokens of its own. ``meta``, flag and note lie as JSON in
    ``doc.user_data["nbner"]``.

    Raises
    ------
    DataError
        The file cannot be written, or there is more than a DocBin can hold.
    """
    columns = _Columns()
    for one in gold:
        columns.add(one)
    packer = zlib.compressobj()
    with atomic_write(path) as file:
        for part in columns.parts(path):
            file.write(packer.compress(part))
        file.write(packer.flush())
    return len(columns.lengths)


class _Columns:
    """The tokens of all docs, one column each.

    Attributes
    ----------
    lengths : array of int
        How many tokens each doc has.
    """

    def __init__(self) -> None:
        from spacy.strings import StringStore

        self.lengths = array("i")
        self._names = _Names(StringStore())
        self._words, self._spaces = array("Q"), bytearray()
        # First token, the one after the last, and the label's number.
        self._entities = array("Q")
        self._user_data: list[bytes] = []

    def add(self, one: GoldExample) -> None:
        words, spaces, places = _words(one.example.text, one.tokens)
        before = len(self._words)
        for start, end, label in one.entities:
            first, last = before + places[start], before + places[end - 1] + 1
            self._entities.extend((first, last, self._names[label]))
        self.lengths.append(len(words))
        self._words.extend(map(self._names.__getitem__, words))
        self._spaces.extend(spaces)
        self._user_data.append(_packed(_user_data(one)))

    def parts(self, path: Path) -> Iterator[bytes]:
        """Yield the bytes of the map, in the order in which ``DocBin.to_bytes`` writes it."""
        from spacy.tokens import Doc, DocBin
        from spacy.vocab import Vocab
        from srsly import msgpack_dumps as packed

        like = DocBin(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=True)
        attrs: list[Any] = like.attrs  # numbers, whatever their annotation says
        size = 8 * len(attrs) * len(self._words)
        if size >= _LARGEST:
            raise DataError(
                f"{len(self._words):,} tokens are more than one DocBin can hold",
                file=path,
                remedy="Write one file a split, or .jsonl",
            )
        count = len(self.lengths)
        no_groups = packed(Doc(Vocab()).spans.to_bytes())
        yield bytes([0x80 | 10])
        yield packed("version") + packed(like.version) + packed("attrs") + packed(attrs)
        yield packed("tokens") + _bytes_of(size)
        yield from self._tables(attrs)
        yield packed("spaces") + _bytes_of(len(self._spaces)) + self._spaces
        yield packed("lengths") + packed(self.lengths.tobytes())
        yield packed("strings") + packed(sorted(self._names))
        yield packed("cats") + _list_of(count) + packed({}) * count
        yield packed("flags") + _list_of(count) + packed({"has_unknown_spaces": False}) * count
        yield packed("span_groups") + _list_of(count) + no_groups * count
        yield packed("user_data") + _list_of(count)
        yield from (_bytes_of(len(one)) + one for one in self._user_data)

    def _tables(self, attrs: Sequence[int]) -> Iterator[bytes]:
        """Yield a row a token and a column an attribute, as ``Doc.to_array`` has them."""
        import numpy as np
        from spacy.attrs import ENT_IOB, ENT_TYPE, ORTH

        words = np.frombuffer(self._words, "uint64")
        iob = np.full(len(words), _OUTSIDE, "uint8")
        first, last, labels = np.frombuffer(self._entities, "uint64").reshape(-1, 3).T
        sizes = (last - first).astype("int64")
        iob[_covered(first.astype("int64"), sizes)] = _INSIDE
        iob[first.astype("int64")] = _BEGIN
        # Entities do not overlap: their tokens, in order, are those that are not outside.
        types = np.repeat(labels, sizes)
        done = 0
        for at in range(0, len(words), _PIECE):
            piece = slice(at, at + _PIECE)
            table = np.zeros((len(words[piece]), len(attrs)), "uint64")
            table[:, attrs.index(ORTH)] = words[piece]
            table[:, attrs.index(ENT_IOB)] = iob[piece]
            inside = iob[piece] != _OUTSIDE
            table[inside, attrs.index(ENT_TYPE)] = types[done : done + inside.sum()]
            done += inside.sum()
            yield table.tobytes()


class _Names(dict[str, int]):
    """spaCy's numbers of the strings that were asked for."""

    def __init__(self, numbers: StringStore) -> None:
        super().__init__()
        self._numbers = numbers

    def __missing__(self, word: str) -> int:
        number = self[word] = int(self._numbers.add(word))
        return number


def _covered(first: Ints, sizes: Ints) -> Ints:
    """Give the positions of stretches that begin at ``first`` and are ``sizes`` long."""
    import numpy as np

    within: Ints = np.arange(sizes.sum()) - np.repeat(sizes.cumsum() - sizes, sizes)
    covered: Ints = np.repeat(first, sizes) + within
    return covered


def _user_data(one: GoldExample) -> dict[str, str]:
    example = one.example
    kept = {"meta": dict(example.meta), "flagged": example.flagged, "note": example.note}
    said = {key: value for key, value in kept.items() if value}
    # As JSON, because spaCy's own packing turns lists into tuples.
    return {USER_DATA_KEY: dump_json(said)} if said else {}


# Of MessagePack (msgpack.org), what spaCy's packer takes a hundred times as long for.


def _bytes_of(size: int) -> bytes:
    return b"\xc6" + size.to_bytes(4, "big")


def _list_of(count: int) -> bytes:
    return b"\xdd" + count.to_bytes(4, "big")


def _packed(said: Mapping[str, str]) -> bytes:
    """Write a map of up to fifteen strings."""
    strings = [word.encode("utf-8") for pair in said.items() for word in pair]
    parts = [b"\xdb" + len(one).to_bytes(4, "big") + one for one in strings]
    return bytes([0x80 | len(said)]) + b"".join(parts)


def _words(
    text: str, tokens: Sequence[Token]
) -> tuple[Sequence[str], Sequence[bool], Sequence[int]]:
    """Give spaCy's words and spaces for a text, and where each token is among them."""
    if tokens:
        words, starts, ends, spaces = zip(*tokens, strict=True)
        following = (*starts[1:], len(text))
        if starts[0] == 0 and tuple(map(add, ends, spaces)) == following:
            # As most are: nothing but single spaces between.
            return words, spaces, range(len(words))
    return _filled(text, tokens)


def _filled(text: str, tokens: Sequence[Token]) -> tuple[list[str], list[bool], list[int]]:
    words: list[str] = []
    spaces: list[bool] = []
    places: list[int] = []
    position = 0
    for token in tokens:
        _fill(text[position : token.start], words, spaces)
        places.append(len(words))
        words.append(text[token.start : token.end])
        spaces.append(False)
        position = token.end
    _fill(text[position:], words, spaces)
    return words, spaces, places


def _fill(gap: str, words: list[str], spaces: list[bool]) -> None:
    if words and gap.startswith(" "):
        spaces[-1] = True
        gap = gap[1:]
    if gap:
        # The same rule as spaCy's tokenizer: what is left is a word of whitespace.
        solid = gap.removesuffix(" ") or gap
        words.append(solid)
        spaces.append(len(solid) < len(gap))
