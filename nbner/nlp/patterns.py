"""Pattern files in Prodigy's format, and what they find in texts.

One JSON object a line: ``{"label": "DRUG", "pattern": [{"lower": "opiates"}]}``
is a token pattern for spaCy's Matcher, ``{"label": "DRUG", "pattern":
"opiates"}`` a phrase for its PhraseMatcher.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from spacy.errors import MatchPatternError
from spacy.matcher import Matcher, PhraseMatcher

from nbner.errors import DataError
from nbner.io.rows import SourceLocation
from nbner.nlp.pipeline import doc_from_example, is_trained
from nbner.nlp.prediction import predict_docs, spans_of
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

PatternSource: TypeAlias = str | Path | Iterable[Mapping[str, Any]]

#: The source of spans whose patterns came without a file.
_UNNAMED = "patterns"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a pattern file.

    Parameters
    ----------
    label : str
    pattern : str or tuple of dict
        A phrase, or a token pattern.
    place : SourceLocation
        Where it was read.
    """

    label: str
    pattern: str | tuple[Mapping[str, Any], ...]
    place: SourceLocation


class PatternMatcher:
    """Patterns that are ready to be looked for.

    Parameters
    ----------
    nlp : Language
        Tokenizes phrases.
    patterns : sequence of Pattern
    source : str
        Said with every span that is found.

    Raises
    ------
    DataError
        spaCy does not take a pattern; with its line.
    """

    def __init__(self, nlp: Language, patterns: Sequence[Pattern], source: str) -> None:
        self.source = source
        self.labels = tuple(dict.fromkeys(one.label for one in patterns))
        self._patterns = patterns
        self._nlp = nlp
        self._tokens = Matcher(nlp.vocab, validate=True)
        self._phrases = PhraseMatcher(nlp.vocab)
        for i, one in enumerate(patterns):
            self._add(nlp, i, one)

    def __len__(self) -> int:
        return len(self._patterns)

    def on(self, nlp: Language) -> PatternMatcher:
        """Give the same patterns for another pipeline's docs."""
        return self if nlp is self._nlp else PatternMatcher(nlp, self._patterns, self.source)

    def spans(self, doc: Doc) -> tuple[Span, ...]:
        """Find the patterns in a doc.

        Returns
        -------
        tuple of Span
            In code points, sorted by start, each with the line of its pattern.
            They may overlap; the same stretch has the same label once.

        Raises
        ------
        DataError
            A pattern asks for something that the pipeline does not say.
        """
        try:
            found = [*self._tokens(doc), *self._phrases(doc)]
        except ValueError as error:
            raise DataError(
                f"these patterns ask for what the pipeline does not say: {_one_line(error)}",
                file=self.source,
                field="pattern",
                remedy="Use a pipeline that sets it, or patterns of texts and shapes",
            ) from error
        hits: dict[Span, Span] = {}
        for key, start, end in sorted(found, key=lambda one: (one[1], -one[2], one[0])):
            span = self._span(doc, int(doc.vocab.strings[key].rsplit(":")[-1]), start, end)
            hits.setdefault(span, span)
        return tuple(hits)

    def _span(self, doc: Doc, index: int, start: int, end: int) -> Span:
        pattern, piece = self._patterns[index], doc[start:end]
        line = pattern.place.line
        extra = {} if line is None else {"pattern": line}
        return Span(
            piece.start_char, piece.end_char, pattern.label, source=self.source, extra=extra
        )

    def _add(self, nlp: Language, index: int, one: Pattern) -> None:
        key = f"nbner pattern:{index}"
        if isinstance(one.pattern, str):
            self._phrases.add(key, [nlp.make_doc(one.pattern)])
            return
        try:
            self._tokens.add(key, [[dict(token) for token in one.pattern]], greedy="LONGEST")
        except (MatchPatternError, ValueError, TypeError) as error:
            raise one.place.error(
                f"spaCy does not take this pattern: {_one_line(error)}",
                field="pattern",
                remedy="See spaCy's rule-based matching for what a token may ask for",
            ) from error


def load_patterns(nlp: Language, source: PatternSource, labels: Sequence[str]) -> PatternMatcher:
    """Read patterns from a file, or take them as they are given.

    Parameters
    ----------
    nlp : Language
    source : str, Path or iterable of mappings
        A file of JSON lines, or its lines as mappings.
    labels : sequence of str
        The labels that can be given.

    Raises
    ------
    DataError
        The file is not there, or a line is no pattern; with file, line and
        field.
    """
    name = Path(source).name if isinstance(source, (str, Path)) else _UNNAMED
    patterns = [_pattern(raw, place, labels) for raw, place in _lines(source)]
    if not patterns:
        raise DataError("there is no pattern in it", file=name, remedy="One JSON object a line")
    return PatternMatcher(nlp, patterns, name)


def check_patterns(nlp: Language, patterns: PatternMatcher, *, model: bool) -> None:
    """Look for the patterns once, so that what they lack is said before a widget is shown.

    Raises
    ------
    DataError
        A pattern asks for something that the pipeline does not say.
    """
    suggest_with_patterns(nlp, patterns, [Example("a")], model=model)


def suggest_with_patterns(
    nlp: Language, patterns: PatternMatcher, examples: Sequence[Example], *, model: bool
) -> list[tuple[Span, ...]]:
    """Suggest with patterns, and with the model where it is wanted and trained.

    Where both say the same, the span has both as its sources. Where they
    overlap, both are given, the model's first.
    """
    if model and is_trained(nlp):
        from nbner.nlp.fingerprint import fingerprint

        source = fingerprint(nlp)
        docs = predict_docs(nlp, examples)
        return [_joined(spans_of(doc, source), patterns.spans(doc)) for doc in docs]
    return [
        _joined(example.spans if model else (), patterns.spans(doc_from_example(nlp, example)))
        for example in examples
    ]


def _joined(first: Iterable[Span], second: Iterable[Span]) -> tuple[Span, ...]:
    spans = {span: span for span in first}
    for span in second:
        known = spans.get(span)
        spans[span] = span if known is None else _agreed(known, span)
    return tuple(spans.values())


def _agreed(one: Span, other: Span) -> Span:
    sources = [name for name in (one.source, other.source) if name]
    return Span(
        one.start,
        one.end,
        one.label,
        source=" and ".join(sources) or None,
        score=one.score,
        extra={**other.extra, **one.extra},
    )


def _lines(source: PatternSource) -> Iterator[tuple[Any, SourceLocation]]:
    if not isinstance(source, (str, Path)):
        yield from ((raw, SourceLocation(None, line)) for line, raw in enumerate(source, 1))
        return
    path = Path(source)
    for line, text in enumerate(_text_of(path).splitlines(), 1):
        if text.strip():
            place = SourceLocation(str(path), line)
            yield _loaded(text, place.error), place


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"this is not text in UTF-8: {error.reason} at byte {error.start}",
            file=path,
            remedy="Save it as UTF-8",
        ) from error
    except OSError as error:
        said = error.strerror or str(error)
        raise DataError(
            f"the pattern file cannot be read: {said}", file=path, remedy="Check the path"
        ) from error


def _loaded(text: str, refuse: Callable[..., DataError]) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise refuse(f"this is not JSON: {error}", remedy="Write one JSON object a line") from error


def _pattern(raw: Any, place: SourceLocation, labels: Sequence[str]) -> Pattern:
    example = 'Write {"label": "DRUG", "pattern": [{"lower": "opiates"}]}'
    if not isinstance(raw, Mapping):
        raise place.error("a pattern is a JSON object", remedy=example)
    label, pattern = raw.get("label"), raw.get("pattern")
    if not isinstance(label, str) or not label.strip():
        raise place.error("the pattern has no label", field="label", remedy=example)
    if label not in labels:
        raise place.error(
            f"{label!r} is not one of the session's labels",
            field="label",
            remedy="Name it in Session(..., labels=[...]), or take the line out",
        )
    if isinstance(pattern, str) and pattern.strip():
        return Pattern(label, pattern, place)
    is_tokens = isinstance(pattern, list) and all(isinstance(one, Mapping) for one in pattern)
    if not is_tokens or not pattern:
        raise place.error(
            "a pattern is a phrase, or a list of objects, one a token",
            field="pattern",
            remedy=example,
        )
    return Pattern(label, tuple(pattern), place)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
