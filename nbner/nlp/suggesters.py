"""Suggesters: functions from examples to suggested spans, registered by name.

A suggester returns one value for each example. It may be

- a list of suggestions, in any of these forms:

  - `Span`, or a tuple ``(start, end, label)`` or ``(start, end, label, score)``
    in code points;
  - a tuple ``(words, label)`` or ``(words, label, score)``;
  - a mapping with ``label`` (or ``entity_group``), and with ``start`` and
    ``end``, or ``text`` (or ``word``), or all three; ``score`` and ``source`` if
    they are known;
  - a spaCy span;
  - words alone, where the session has one label;

- a mapping from labels to lists of words;
- a spaCy doc, of which the entities count.

Words are placed in the text by `nbner._common.span_placement`. Every place of
the words is suggested. Where the same words have several labels, the first
mention goes to the first place, the second to the second, and so on; the last
mention goes to all places that are left. Where offsets and words of a mapping
disagree, the words decide, and the place nearest to the offsets is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any

from nbner import registry
from nbner._common.alignment import char_to_token_range
from nbner._common.format import plural
from nbner._common.span_placement import MIN_SIMILARITY, Placement, TextPlacer, fold
from nbner._common.suggestion_report import SuggestionIssue, SuggestionIssueKind
from nbner.errors import DataError
from nbner.nlp.prediction import predict
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

_LABEL_KEYS = ("label", "entity_group")
_TEXT_KEYS = ("text", "word")
_FORMS = (
    "Return (start, end, label), (words, label), or a mapping with label and start and end, or text"
)


@registry.suggesters("model")
def suggest_with_model(examples: Sequence[Example], *, nlp: Language) -> Iterable[tuple[Span, ...]]:
    """Return the spans that the pipeline in use predicts.

    Parameters
    ----------
    examples : sequence of Example
        Tokenized examples.
    nlp : Language
        The trained pipeline in use.
    """
    return predict(nlp, examples)


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The suggestions of one function for one example.

    Parameters
    ----------
    spans : tuple of Span
        Those that begin and end with a token, whatever their labels. They may
        overlap; one range has the same label once.
    issues : tuple of SuggestionIssue
        All others, and those that were changed.
    input_hash : int
        The example.
    text : str
        Its text.
    """

    spans: tuple[Span, ...] = ()
    issues: tuple[SuggestionIssue, ...] = ()
    input_hash: int = 0
    text: str = field(default="", repr=False)


def suggester_name(suggester: Callable[..., Any] | str) -> str:
    """Return the name that a function's suggestions have as their source.

    Parameters
    ----------
    suggester : callable or str
        A function, or a registered name.
    """
    if isinstance(suggester, str):
        return suggester
    if isinstance(suggester, partial):
        return suggester_name(suggester.func)
    name = getattr(suggester, "__name__", type(suggester).__name__)
    return "suggester" if name == "<lambda>" else str(name)


def call_suggester(
    suggester: Callable[..., Any],
    examples: Sequence[Example],
    *,
    name: str,
    labels: Sequence[str] = (),
    **offered: Any,
) -> list[Suggestions]:
    """Call a suggester and read the suggestions that it returns.

    Parameters
    ----------
    suggester : callable
        A registered function, or a user's own.
    examples : sequence of Example
        Tokenized examples.
    name : str
        Source of its suggestions, unless they name one.
    labels : sequence of str
        The session's labels, which it may declare.
    **offered
        Further keyword arguments that it may declare; see `nbner.registry.call`.

    Returns
    -------
    list of Suggestions
        One for each example.

    Raises
    ------
    DataError
        It does not return one value for each example.
    """
    returned = registry.call(suggester, examples, labels=tuple(labels), **offered)
    if isinstance(returned, (str, Mapping)) or not isinstance(returned, Iterable):
        raise DataError(
            f"the suggester {name!r} returned {_shown(returned)} and not a list",
            field="suggest",
            remedy="Return one list of suggestions for every example",
        )
    found = list(returned)
    if len(found) != len(examples):
        raise DataError(
            f"the suggester {name!r} returned suggestions for {plural(len(found), 'text')}, "
            f"and was given "
            f"{plural(len(examples), 'example')}",
            field="suggest",
            remedy="Return one list for every example, an empty one where there is none",
        )
    only = labels[0] if len(labels) == 1 else None
    return [
        read_suggestions(value, example, name=name, only_label=only)
        for example, value in zip(examples, found, strict=True)
    ]


def read_suggestions(
    value: Any, example: Example, *, name: str, only_label: str | None = None
) -> Suggestions:
    """Read what a suggester returned for one example.

    Parameters
    ----------
    value : object
        See the description of this module.
    example : Example
        Tokenized.
    name : str
        Source of the suggestions, unless they name one.
    only_label : str, optional
        Label of words that come without one.
    """
    return _SuggestionReader(example, name, only_label).read(value)


@dataclass(frozen=True, slots=True)
class _Mention:
    """One suggestion as the function returned it, with its parts found."""

    label: Any
    words: str | None = None
    start: int | None = None
    end: int | None = None
    score: Any = None
    source: str | None = None
    extra: Mapping[str, Any] | None = None


class _SuggestionReader:
    """Reads the suggestions of one function for one example."""

    def __init__(self, example: Example, name: str, only_label: str | None) -> None:
        self._example = example
        self._name = name
        self._only_label = only_label
        self._placer = TextPlacer(example.text, example.tokens)
        self._spans: dict[Span, Span] = {}
        self._issues: list[SuggestionIssue] = []

    def read(self, value: Any) -> Suggestions:
        by_words: dict[str, list[_Mention]] = {}
        for one in self._items(value):
            mention = self._mention(one)
            if mention is None:
                continue
            if mention.words is not None and mention.start is None:
                by_words.setdefault(mention.words.strip(), []).append(mention)
            else:
                self._add_offsets(mention)
        for words, mentions in by_words.items():
            self._add_words(words, mentions)
        spans = sorted(self._spans.values(), key=lambda one: (one.start, one.end))
        example = self._example
        return Suggestions(tuple(spans), tuple(self._issues), example.input_hash, example.text)

    # Reading values.

    def _items(self, value: Any) -> Iterator[Any]:
        if value is None:
            return
        if hasattr(value, "ents") and hasattr(value, "vocab"):
            yield from value.ents
        elif isinstance(value, Mapping) and not any(key in value for key in _LABEL_KEYS):
            for label, words in value.items():
                listed = [words] if isinstance(words, str) else words
                for one in listed if isinstance(listed, Iterable) else [listed]:
                    yield (one, label) if isinstance(one, str) else _relabelled(one, label)
        elif isinstance(value, (str, Mapping, Span)) or not isinstance(value, Iterable):
            yield value
        else:
            yield from value

    def _mention(self, value: Any) -> _Mention | None:
        """Find the parts of one suggestion; None where it is recorded as unreadable."""
        mention = self._parts(value)
        if mention is None or not isinstance(mention.label, str) or not mention.label:
            self._issue("unreadable", _shown(value), "", f"This is not a suggestion. {_FORMS}")
            return None
        score = _read_score(mention.score)
        if mention.score is not None and score is None:
            reason = f"Its score, {mention.score!r}, is not a number from 0 to 1, and is left out"
            self._issue("score", mention.words or _shown(value), mention.label, reason)
        return replace(mention, score=score)

    def _parts(self, value: Any) -> _Mention | None:
        match value:
            case Span():
                return _Mention(
                    value.label,
                    start=value.start,
                    end=value.end,
                    score=value.score,
                    source=value.source,
                    extra=value.extra,
                )
            case str() if self._only_label is not None:
                return _Mention(self._only_label, words=value)
            case Mapping():
                return _mention_from_mapping(value)
            case [str(words), label, *score] if len(score) <= 1:
                return _Mention(label, words=words, score=score[0] if score else None)
            case [start, end, label, *score] if _are_offsets(start, end) and len(score) <= 1:
                return _Mention(
                    label,
                    start=index(start),
                    end=index(end),
                    score=score[0] if score else None,
                )
        if hasattr(value, "start_char") and hasattr(value, "label_"):
            return _Mention(value.label_, start=value.start_char, end=value.end_char)
        return None

    # Placing.

    def _add_offsets(self, mention: _Mention) -> None:
        """Place a suggestion with offsets; its words, if it has any, must be there."""
        text, start, end = self._example.text, mention.start, mention.end
        assert start is not None  # noqa: S101 - for the type checker
        inside = end is not None and 0 <= start < end <= len(text)
        words = mention.words
        if words is not None and not (inside and fold(text[start:end])[0] == fold(words)[0]):
            found = self._placer.find(words)
            nearest = min(found, key=lambda one: abs(one.start - start), default=None)
            if nearest is None:
                self._add_unplaced(mention, words)
            else:
                self._add_at(mention, nearest)
        elif end is not None and inside:
            on_tokens = char_to_token_range(self._example.tokens, start, end) is not None
            self._add_at(mention, Placement(start, end, "exact", on_tokens=on_tokens))
        else:
            said = f"characters {start} to {end}"
            reason = f"The text has {len(text):,} characters; offsets count code points from 0"
            self._issue("unplaced", said, mention.label, reason, start=start, end=end)

    def _add_words(self, words: str, mentions: Sequence[_Mention]) -> None:
        """Place words at every place, by the order of their mentions where labels differ."""
        places = self._placer.find(words)
        if not places:
            self._add_unplaced(mentions[0], words)
            return
        if len({one.label for one in mentions}) == 1:
            for place in places:
                self._add_at(mentions[0], place)
            return
        for at, place in enumerate(places):
            self._add_at(mentions[min(at, len(mentions) - 1)], place)
        for mention in mentions[len(places) :]:
            reason = (
                f"The text holds these words {len(places)} times, and they are suggested "
                f"{len(mentions)} times with different labels"
            )
            self._issue("unplaced", words, mention.label, reason)

    def _add_at(self, mention: _Mention, place: Placement) -> None:
        start, end = place.start, place.end
        words = self._example.text[start:end]
        if not place.on_tokens:
            reason = (
                "No token begins and ends there; session.quality.tokenization() finds a rule for it"
            )
            self._issue("off_tokens", words, mention.label, reason, start=start, end=end)
            return
        score, extra = mention.score, dict(mention.extra or {})
        if place.match == "fuzzy":
            score = place.similarity * (1.0 if score is None else score)
            extra |= {"match": "fuzzy", "similarity": place.similarity}
            reason = f"Placed at {words!r}, the most similar words; its score counts that"
            self._issue(
                "fuzzy",
                mention.words or "",
                mention.label,
                reason,
                start=start,
                end=end,
                similarity=place.similarity,
            )
        source = mention.source or self._name
        span = Span(start, end, mention.label, source=source, score=score, extra=extra)
        self._spans.setdefault(span, span)

    def _add_unplaced(self, mention: _Mention, words: str) -> None:
        reason = (
            "The text does not hold these words, nor any with a similarity of "
            f"{MIN_SIMILARITY} or more"
            if words
            else "There are no words"
        )
        self._issue("unplaced", words, mention.label, reason)

    def _issue(
        self,
        kind: SuggestionIssueKind,
        suggested: str,
        label: str,
        reason: str,
        *,
        start: int | None = None,
        end: int | None = None,
        similarity: float | None = None,
    ) -> None:
        self._issues.append(
            SuggestionIssue(
                kind,
                self._name,
                suggested,
                label,
                reason,
                start=start,
                end=end,
                similarity=similarity,
                input_hash=self._example.input_hash,
                text=self._example.text,
            )
        )


def _mention_from_mapping(value: Mapping[str, Any]) -> _Mention | None:
    words: Any = _first(value, _TEXT_KEYS)
    start: Any = value.get("start")
    end: Any = value.get("end")
    words = words if isinstance(words, str) else None
    has_offsets = _are_offsets(start, end)
    if words is None and not has_offsets:
        return None
    source = value.get("source")
    return _Mention(
        _first(value, _LABEL_KEYS),
        words=words,
        start=index(start) if has_offsets else None,
        end=index(end) if has_offsets else None,
        score=value.get("score"),
        source=source if isinstance(source, str) else None,
    )


def _first(value: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _relabelled(value: Any, label: Any) -> Any:
    return {"label": label, **value} if isinstance(value, Mapping) else value


def _are_offsets(start: Any, end: Any) -> bool:
    return all(hasattr(one, "__index__") and not isinstance(one, bool) for one in (start, end))


def _read_score(value: Any) -> float | None:
    """Return a score as a number; None where it is none from 0 to 1."""
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if not math.isnan(score) and 0 <= score <= 1 else None


def _shown(value: Any) -> str:
    shown = value if isinstance(value, str) else repr(value)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
