"""Text before and after an example in its document: shown with the text, not annotated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from nbner.errors import DataError
from nbner.types import Example

#: Key of ``Example.extra`` with the `Surroundings` of an example that goes to the page.
SURROUNDINGS_KEY = "_surroundings"

#: A column of the metadata that holds the whole passage, or those before and after the text.
ContextColumns: TypeAlias = str | tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The text around an example.

    Parameters
    ----------
    before, after : str
        Empty where there is none.
    columns : frozenset of str
        Columns of the metadata that they are from.
    """

    before: str
    after: str
    columns: frozenset[str]


def read_context_columns(context: object) -> ContextColumns | None:
    """Check the parameter ``context`` of `Session.manual` and `Session.make_gold`.

    Parameters
    ----------
    context : object
        None, the name of a column, or a pair of names, either of which may be
        None.

    Raises
    ------
    DataError
        It is nothing of these.
    """
    if context is None or isinstance(context, str):
        return context
    pair = tuple(context) if isinstance(context, (list, tuple)) else ()
    if len(pair) == 2 and any(pair) and all(one is None or isinstance(one, str) for one in pair):
        return pair[0], pair[1]
    raise DataError(
        f"context={context!r} is neither a column nor two",
        field="context",
        remedy='Name the column with the whole passage, or two: context=("before", "after")',
    )


def surroundings_of(example: Example, columns: ContextColumns) -> Surroundings:
    """Return what stands around an example.

    Parameters
    ----------
    example : Example
        Its metadata holds the columns, if it has any.
    columns : str or (str, str)
        One column holds the passage in which the text stands, once or more
        often: it is cut at the first place. Where the text is not in it, all of
        it comes before the text.
    """
    if not isinstance(columns, str):
        before, after = (_column(example, one) for one in columns)
        return Surroundings(before, after, frozenset(one for one in columns if one))
    passage = _column(example, columns)
    before, _, after = passage.partition(example.text)
    return Surroundings(before, after, frozenset({columns}))


def _column(example: Example, name: str | None) -> str:
    value = None if name is None else example.meta.get(name)
    return "" if value is None else str(value)
