"""IOB and BILUO tags: conversion between one tag per token and token spans.

One decoder reads IOB1, IOB2 and BILUO (also BIOES and BMES, the same with other
letters), because no letter has two meanings: B and U begin an entity, L and U
end one, and I continues an open entity of its type or begins one where there is
none. This is how conlleval (Tjong Kim Sang and Buchholz 2000) counts, so that
an invalid sequence yields the same entities as in other tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_OUTSIDE = "O"
_BEGINS = frozenset("BUSW")
_ENDS = frozenset("LEUSW")
_LETTERS = _BEGINS | _ENDS | frozenset("IM")
# The phrase types of CoNLL-2000, which are tagged like entities.
_PHRASES = frozenset(
    *(
        [
            "NP",
            "VP",
            "PP",
            "ADVP",
            "ADJP",
            "SBAR",
            "PRT",
            "CONJP",
            "INTJ",
            "LST",
            "UCP",
            "NX",
            "QP",
            "WHNP",
            "WHPP",
            "WHADVP",
        ],
    )
)


def is_tag(cell: str) -> bool:
    """Return whether a string is an entity tag: ``O``, or a letter, a hyphen and a label.

    Parameters
    ----------
    cell : str
        Any string.
    """
    if cell == _OUTSIDE:
        return True
    return cell[:1] in _LETTERS and cell[1:2] == "-" and bool(cell[2:].strip())


def are_phrase_tags(tags: Iterable[str]) -> bool:
    """Return whether tags name nothing but syntactic phrases, and at least one.

    Parameters
    ----------
    tags : iterable of str
        Valid by ``is_tag``.
    """
    labels = {tag[2:] for tag in tags if tag != _OUTSIDE}
    return bool(labels) and labels <= _PHRASES


def tags_to_spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Convert tags to token spans.

    Parameters
    ----------
    tags : sequence of str
        Valid by ``is_tag``. The label is everything after the first hyphen.

    Returns
    -------
    list of (int, int, str)
        Token indices, half-open, and the label, in order.
    """
    entities: list[tuple[int, int, str]] = []
    begun: int | None = None
    open_label = ""
    for i, tag in enumerate([*tags, _OUTSIDE]):
        letter, _, label = tag.partition("-")
        continues = begun is not None and label == open_label and letter not in _BEGINS
        if begun is not None and not continues:
            entities.append((begun, i, open_label))
            begun = None
        if tag == _OUTSIDE:
            continue
        if begun is None:
            begun, open_label = i, label
        if letter in _ENDS:
            entities.append((begun, i + 1, label))
            begun = None
    return entities


def spans_to_tags(length: int, entities: Iterable[tuple[int, int, str]]) -> list[str]:
    """Convert token spans to IOB2 tags, which keep adjacent entities of one type apart.

    Parameters
    ----------
    length : int
        Number of tokens.
    entities : iterable of (int, int, str)
        Token indices, half-open, not overlapping, and the label.

    Returns
    -------
    list of str
        One tag per token.
    """
    tags = [_OUTSIDE] * length
    for start, end, label in entities:
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags
