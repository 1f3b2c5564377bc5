"""Pattern files in Prodigy's format, and suggestions from their matches.

One JSON object a line: ``{"label": "DRUG", "pattern": [{"lower": "opiates"}]}``
is a token pattern for spaCy's Matcher, ``{"label": "DRUG", "pattern":
"opiates"}`` a phrase for its PhraseMatcher.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from spacy.errors import MatchPatternError
from spacy.matcher import Matcher, PhraseMatcher

from nbner.errors import DataError
from nbner.io.rows import SourceLocation
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import doc_from_example, is_trained
from nbner.nlp.prediction import predict_docs, spans_of
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

PatternSource: TypeAlias = str | Path | Iterable[Mapping[str, Any]]

# Source of spans whose patterns did not come from a file.
_UNNAMED = "patterns"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a pattern file.

    Parameters
    ----------
    label : str
        Label of the matches.
    pattern : str or tuple of dict
        A phrase, or a token pattern.
    location : SourceLocation
        File and line that it was read from.
    """

    label: str
    pattern: str | tuple[Mapping[str, Any], ...]
    location: SourceLocation


class PatternMatcher:
    """spaCy's token and phrase matchers, loaded with patterns.

    Parameters
    ----------
    nlp : Language
        The pipeline; its tokenizer splits the phrases.
    patterns : sequence of Pattern
        The patterns.
    source : str
        Source of the spans that are found.

    Raises
    ------
    DataError
        spaCy does not accept a pattern; with its line.
    """

    def __init__(self, nlp: Language, patterns: Sequence[Pattern], source: str) -> None:
        self.source = source
        self.labels = tuple(dict.fromkeys(one.label for one in patterns))
        self._patterns = patterns
        self._nlp = nlp
        self._token_matcher = Matcher(nlp.vocab, validate=True)
        self._phrase_matcher = PhraseMatcher(nlp.vocab)
        for i, one in enumerate(patterns):
            self._add(nlp, i, one)

    def __len__(self) -> int:
        return len(self._patterns)

    def for_pipeline(self, nlp: Language) -> PatternMatcher:
        """Return a matcher with the same patterns for another pipeline's docs.

        Parameters
        ----------
        nlp : Language
            The pipeline of the docs.
        """
        return self if nlp is self._nlp else PatternMatcher(nlp, self._patterns, self.source)

    def spans(self, doc: Doc) -> tuple[Span, ...]:
        """Find the patterns in a doc.

        Parameters
        ----------
        doc : Doc
            With the annotations that token patterns refer to.

        Returns
        -------
        tuple of Span
            In code points, sorted by start, each with the line of its pattern.
            They may overlap; one range has the same label once.

        Raises
        ------
        DataError
            A pattern refers to an annotation that the pipeline does not set.
        """
        try:
            matches = [*self._token_matcher(doc), *self._phrase_matcher(doc)]
        except ValueError as error:
            raise DataError(
                f"these patterns ask for what the pipeline does not say: {_one_line(error)}",
                file=self.source,
                field="pattern",
                remedy="Use a pipeline that sets it, or patterns of texts and shapes",
            ) from error
        found: dict[Span, Span] = {}
        for key, start, end in sorted(matches, key=lambda one: (one[1], -one[2], one[0])):
            span = self._span(doc, int(doc.vocab.strings[key].rsplit(":")[-1]), start, end)
            found.setdefault(span, span)
        return tuple(found)

    def _span(self, doc: Doc, index: int, start: int, end: int) -> Span:
        pattern, match = self._patterns[index], doc[start:end]
        line = pattern.location.line
        extra = {} if line is None else {"pattern": line}
        return Span(
            match.start_char, match.end_char, pattern.label, source=self.source, extra=extra
        )

    def _add(self, nlp: Language, index: int, one: Pattern) -> None:
        key = f"nbner pattern:{index}"
        if isinstance(one.pattern, str):
            self._phrase_matcher.add(key, [nlp.make_doc(one.pattern)])
            return
        tokens = [dict(token) for token in one.pattern]
        try:
            self._token_matcher.add(key, [tokens], greedy="LONGEST")
        except (MatchPatternError, ValueError, TypeError) as error:
            raise one.location.error(
                f"spaCy does not take this pattern: {_one_line(error)}",
                field="pattern",
                remedy="See spaCy's rule-based matching for what a token may ask for",
            ) from error


def load_patterns(nlp: Language, source: PatternSource, labels: Sequence[str]) -> PatternMatcher:
    """Load patterns from a file or from mappings.

    Parameters
    ----------
    nlp : Language
        The pipeline whose docs are matched.
    source : str, Path or iterable of mappings
        A file of JSON lines, or its lines as mappings.
    labels : sequence of str
        The allowed labels.

    Raises
    ------
    DataError
        The file cannot be read or holds no pattern, or a line is not a valid
        pattern; with file, line and field.
    """
    name = Path(source).name if isinstance(source, (str, Path)) else _UNNAMED
    patterns = [_parse_pattern(raw, location, labels) for raw, location in _lines(source)]
    if not patterns:
        raise DataError("there is no pattern in it", file=name, remedy="One JSON object a line")
    return PatternMatcher(nlp, patterns, name)


def check_patterns(nlp: Language, patterns: PatternMatcher, *, model: bool) -> None:
    """Match a short text once, so that errors are raised before a widget is shown.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    patterns : PatternMatcher
        Its patterns.
    model : bool
        As for `suggest_with_patterns`.

    Raises
    ------
    DataError
        A pattern refers to an annotation that the pipeline does not set.
    """
    suggest_with_patterns(nlp, patterns, [Example("a")], model=model)


def suggest_with_patterns(
    nlp: Language, patterns: PatternMatcher, examples: Sequence[Example], *, model: bool
) -> list[tuple[Span, ...]]:
    """Suggest spans from patterns, and from the model if it is wanted and trained.

    A span that both suggest has both as its sources. Where their spans overlap,
    both are returned, the model's first.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    patterns : PatternMatcher
        The patterns.
    examples : sequence of Example
        The texts.
    model : bool
        Whether to suggest the model's predictions too; if it is not trained,
        the spans that came with the examples.

    Returns
    -------
    list of tuple of Span
        One for each example.
    """
    if model and is_trained(nlp):
        source = fingerprint(nlp)
        docs = predict_docs(nlp, examples)
        return [merge_suggestions(spans_of(doc, source), patterns.spans(doc)) for doc in docs]
    return [
        merge_suggestions(
            example.spans if model else (), patterns.spans(doc_from_example(nlp, example))
        )
        for example in examples
    ]


def merge_suggestions(*groups: Iterable[Span]) -> tuple[Span, ...]:
    """Merge the suggestions of several sources for one text.

    Parameters
    ----------
    *groups : iterable of Span
        The spans of each source.

    Returns
    -------
    tuple of Span
        In the order of the sources. A span of several sources has all of them,
        and the score of the first that has one.
    """
    spans: dict[Span, Span] = {}
    for span in (one for group in groups for one in group):
        equal = spans.get(span)
        spans[span] = span if equal is None else _with_both_sources(equal, span)
    return tuple(spans.values())


def _with_both_sources(one: Span, other: Span) -> Span:
    sources = [name for name in (one.source, other.source) if name]
    return Span(
        one.start,
        one.end,
        one.label,
        source=" and ".join(sources) or None,
        score=other.score if one.score is None else one.score,
        extra={**other.extra, **one.extra},
    )


def _lines(source: PatternSource) -> Iterator[tuple[Any, SourceLocation]]:
    if not isinstance(source, (str, Path)):
        yield from ((raw, SourceLocation(None, line)) for line, raw in enumerate(source, 1))
        return
    path = Path(source)
    for line, text in enumerate(_read_text(path).splitlines(), 1):
        if text.strip():
            location = SourceLocation(str(path), line)
            yield _parse_json(text, location), location


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"this is not text in UTF-8: {error.reason} at byte {error.start}",
            file=path,
            remedy="Save it as UTF-8",
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"the pattern file cannot be read: {reason}", file=path, remedy="Check the path"
        ) from error


def _parse_json(text: str, location: SourceLocation) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise location.error(
            f"this is not JSON: {error}", remedy="Write one JSON object a line"
        ) from error


def _parse_pattern(raw: Any, location: SourceLocation, labels: Sequence[str]) -> Pattern:
    example = 'Write {"label": "DRUG", "pattern": [{"lower": "opiates"}]}'
    if not isinstance(raw, Mapping):
        raise location.error("a pattern is a JSON object", remedy=example)
    label, pattern = raw.get("label"), raw.get("pattern")
    if not isinstance(label, str) or not label.strip():
        raise location.error("the pattern has no label", field="label", remedy=example)
    if label not in labels:
        raise location.error(
            f"{label!r} is not one of the session's labels",
            field="label",
            remedy="Name it in Session(..., labels=[...]), or take the line out",
        )
    if isinstance(pattern, str) and pattern.strip():
        return Pattern(label, pattern, location)
    are_tokens = isinstance(pattern, list) and all(isinstance(one, Mapping) for one in pattern)
    if not are_tokens or not pattern:
        raise location.error(
            "a pattern is a phrase, or a list of objects, one a token",
            field="pattern",
            remedy=example,
        )
    return Pattern(label, tuple(pattern), location)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
