"""Tag schemes: one tag a token, and the spans they stand for.

One decoder reads IOB1, IOB2 and BILUO (also BIOES and BMES, the same under
other letters), because no letter means two things: B and U begin, L and U end,
and I goes on with an open entity of its type and begins one where there is
none. That is how conlleval (Tjong Kim Sang and Buchholz 2000) counts, so that
a broken sequence yields the entities that everybody else counts in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

OUTSIDE = "O"
_BEGINS = frozenset("BUSW")
_ENDS = frozenset("LEUSW")
_LETTERS = _BEGINS | _ENDS | frozenset("IM")


def is_tag(cell: str) -> bool:
    """Whether a cell can be an entity tag: ``O``, or a letter, a hyphen and a label."""
    return cell == OUTSIDE or (cell[:1] in _LETTERS and cell[1:2] == "-" and bool(cell[2:].strip()))


def tags_to_spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Read tags as entities.

    Parameters
    ----------
    tags : sequence of str
        Each as ``is_tag`` knows them. The label is all that follows the first
        hyphen.

    Returns
    -------
    list of (int, int, str)
        Token indices, half-open, and the label, in order.
    """
    entities: list[tuple[int, int, str]] = []
    begun: int | None = None
    open_label = ""
    for i, tag in enumerate([*tags, OUTSIDE]):
        letter, _, label = tag.partition("-")
        goes_on = begun is not None and label == open_label and letter not in _BEGINS
        if begun is not None and not goes_on:
            entities.append((begun, i, open_label))
            begun = None
        if tag == OUTSIDE:
            continue
        if begun is None:
            begun, open_label = i, label
        if letter in _ENDS:
            entities.append((begun, i + 1, label))
            begun = None
    return entities


def spans_to_tags(length: int, entities: Iterable[tuple[int, int, str]]) -> list[str]:
    """Write entities as IOB2 tags, in which neighbours of one type stay two.

    Parameters
    ----------
    length : int
        Number of tokens.
    entities : iterable of (int, int, str)
        Token indices, half-open, not overlapping, and the label.
    """
    tags = [OUTSIDE] * length
    for start, end, label in entities:
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags
