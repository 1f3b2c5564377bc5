"""Suggestions that an example was offered with, by source, as its answer keeps them.

Every answer to a suggested example is a test of the sources on a text that none
of them has learnt from. For that test an answer keeps, under
`SUGGESTIONS_KEY` of its ``extra``, what each source had said beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbner.types import Span

#: Key of an answer's ``extra``: the spans of each source, made before the answer.
SUGGESTIONS_KEY = "suggestions"

#: Key of ``Example.extra``, and of a parsed answer's ``extra``: the number of the
#: offer that a page shows.
OFFER_KEY = "_offer"

#: Key of ``Example.extra``: other spans of the model, which the page offers below the text.
ALTERNATIVES_KEY = "_alternatives"

#: Group of all models that were trained while their annotator labelled.
LEARNED_GROUP = "learned model"


@dataclass(frozen=True, slots=True)
class OfferedSource:
    """The spans of one source for one example, complete: what is not in it was not suggested.

    Parameters
    ----------
    source : str
        The source's name, such as a model's fingerprint or "model of 14:32, 35 answers".
    spans : tuple of Span
        Its spans; they may overlap those of other sources.
    group : str
        Name under which successive versions of a source are counted together.
    shown : bool
        Whether the annotator was shown them. Those of a model that only runs
        beside the one in use were not.
    """

    source: str
    spans: tuple[Span, ...]
    group: str
    shown: bool = True


@dataclass(frozen=True, slots=True)
class SuggestionOrigin:
    """What stands behind the suggestions for one example.

    Parameters
    ----------
    sources : sequence of OfferedSource
        The complete suggestions of each source.
    model : object, optional
        The model among them.
    alternatives : tuple of Span
        Other spans that the model holds possible, the likeliest first. No figure counts
        them as suggestions.
    """

    sources: Sequence[OfferedSource] = ()
    model: Any = None
    alternatives: tuple[Span, ...] = ()


def offer_to_json(sources: Iterable[OfferedSource]) -> list[dict[str, Any]]:
    """Serialize the sources of an offer for an answer's ``extra``.

    Parameters
    ----------
    sources : iterable of OfferedSource
        With different names.
    """
    return [
        {
            "source": one.source,
            "group": one.group,
            "shown": one.shown,
            "spans": [[span.start, span.end, span.label] for span in one.spans],
        }
        for one in sources
    ]


def offer_from_extra(extra: Mapping[str, Any]) -> tuple[OfferedSource, ...]:
    """Parse the sources of an offer; empty where an answer has none, or they are not readable.

    Parameters
    ----------
    extra : mapping
        The answer's ``extra``. It may come from an imported file.
    """
    raw = extra.get(SUGGESTIONS_KEY)
    try:
        return tuple(
            OfferedSource(
                str(one["source"]),
                tuple(Span(int(s), int(e), str(label)) for s, e, label, *_ in one["spans"]),
                group=str(one.get("group") or one["source"]),
                shown=bool(one.get("shown", True)),
            )
            for one in raw or ()
        )
    except (TypeError, ValueError, KeyError, AttributeError):
        return ()
