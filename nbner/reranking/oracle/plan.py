"""What an oracle study is asked for: widths, decoders, and the passes that they take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any, Literal, TypeAlias

from nbner.errors import DataError

Decoder: TypeAlias = Literal["exact", "beam"]
DECODERS: tuple[Decoder, ...] = ("exact", "beam")
WIDTHS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class DecoderPass:
    """One pass over the texts.

    Parameters
    ----------
    decoder : str
    widths : tuple of int
        The widths that are read off its lists.
    """

    decoder: Decoder
    widths: tuple[int, ...]

    @property
    def description(self) -> str:
        """What is being done."""
        return f"{self.widths[-1]:,} best, {self.decoder}"


def check_widths(widths: Iterable[Any]) -> tuple[int, ...]:
    """Take the widths of a curve, or say what is wrong with them.

    Raises
    ------
    DataError
        There is none, one is not a whole number of at least 1, or they do not
        rise.
    """
    taken = tuple(widths)
    remedy = "Give whole numbers that rise, such as widths=(1, 2, 4, 8)"
    if not taken:
        raise DataError("there is no width", field="widths", remedy=remedy)
    for width in taken:
        if isinstance(width, bool) or not isinstance(width, Integral) or width < 1:
            raise DataError(f"{width!r} is not a width", field="widths", remedy=remedy)
    if any(right <= left for left, right in pairwise(taken)):
        raise DataError(f"the widths {taken} do not rise", field="widths", remedy=remedy)
    return tuple(int(width) for width in taken)


def check_decoders(decoders: Sequence[str]) -> tuple[Decoder, ...]:
    """Take the names of decoders, or say what is wrong with them.

    Raises
    ------
    DataError
        There is none, one is given twice, or one is not a decoder.
    """
    taken = (decoders,) if isinstance(decoders, str) else tuple(decoders)
    remedy = f"Give one or both of {DECODERS}"
    named: list[Decoder] = []
    for one in taken:
        found = next((decoder for decoder in DECODERS if decoder == one), None)
        if found is None:
            raise DataError(f"{one!r} is not a decoder", field="decoders", remedy=remedy)
        named.append(found)
    if not named or len(set(named)) < len(named):
        raise DataError(f"{taken} does not name each decoder once", field="decoders", remedy=remedy)
    return tuple(named)


def plan_passes(widths: tuple[int, ...], decoders: Sequence[Decoder]) -> list[DecoderPass]:
    """Plan the passes: an exact list holds all shorter ones, a beam of each width is its own."""
    planned: list[DecoderPass] = []
    for decoder in decoders:
        if decoder == "exact":
            planned.append(DecoderPass(decoder, widths))
        else:
            planned += [DecoderPass(decoder, (width,)) for width in widths]
    return planned
