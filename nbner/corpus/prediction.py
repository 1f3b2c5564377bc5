"""Prediction of many texts as compact values, a bad text set aside and never in the way."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from nbner.decoding.api import span_probabilities
from nbner.decoding.calibration.apply import MAX_SPAN_LENGTH, SpanConfidence, calibrated
from nbner.decoding.probabilities import SpanProbabilities
from nbner.nlp.prediction import check_trained
from nbner.types import Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_LOG = logging.getLogger(__name__)

#: Sorted hashes of the words of the training texts, in lower case.
Vocabulary = npt.NDArray[np.uint64]

_GROUP_SIZE = 256  # texts whose probabilities are held at a time
_LOWER = "LOWER"  # the attribute of a token: the hash of its word in lower case


class PredictedSpan(NamedTuple):
    """A span that the model predicts; a tuple, since a corpus makes many of them.

    Parameters
    ----------
    start, end : int
        Code points, half-open.
    token_start, token_end : int
        Tokens of the pipeline, half-open.
    label : str
        The entity type.
    probability : float, optional
        Calibrated; None where none was computed.
    """

    start: int
    end: int
    token_start: int
    token_end: int
    label: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class LabelledText:
    """Prediction for one text.

    Parameters
    ----------
    spans : tuple of PredictedSpan
        By position.
    tokens, unknown : int
        Its words, and those that the training texts do not have.
    expected_errors : float, optional
        Expected number of spans that are wrong or missed: the sum of 1 - p over
        the spans and of p over all others.
    other : float
        The highest probability of a span that is not predicted.
    """

    spans: tuple[PredictedSpan, ...]
    tokens: int
    unknown: int
    expected_errors: float | None = None
    other: float = 0.0


@dataclass(frozen=True, slots=True)
class FailedText:
    """A text that the model cannot take.

    Parameters
    ----------
    reason : str
        Why.
    """

    reason: str


def predict_texts(
    nlp: Language,
    texts: Sequence[str],
    *,
    probabilities: bool = False,
    batch_size: int | None = None,
    vocabulary: AbstractSet[int] | None = None,
) -> list[LabelledText | FailedText]:
    """Predict the entities of texts.

    Parameters
    ----------
    nlp : Language
        A trained pipeline; used by one thread at a time.
    texts : sequence of str
        None of them empty.
    probabilities : bool
        Whether to compute the probability of every span, which takes several
        times as long.
    batch_size : int, optional
        As in ``nlp.pipe``.
    vocabulary : set of int, optional
        Hashes of words in lower case; words outside of it are counted as unknown.

    Returns
    -------
    list of LabelledText or FailedText
        One a text.

    Raises
    ------
    Exception
        What the pipeline raises, where it takes none of several texts: then it
        is not the texts.
    """
    found: list[LabelledText | FailedText] = [FailedText("")] * len(texts)
    fitting = []
    for i, text in enumerate(texts):
        if len(text) > nlp.max_length:
            found[i] = FailedText(
                f"the text has {len(text):,} characters, and the model takes {nlp.max_length:,}"
            )
        else:
            fitting.append(i)
    options: dict[str, Any] = {"batch_size": batch_size, "probabilities": probabilities}
    for group in _groups(fitting, probabilities=probabilities):
        chosen = [texts[i] for i in group]
        known = _predict_or_fail(nlp, chosen, vocabulary, options)
        for i, one in zip(group, known, strict=True):
            found[i] = one
    return found


def memory_zone(nlp: Language) -> AbstractContextManager[Any]:
    """Return a context after which a pipeline has forgotten the new words of its texts.

    Without it a pipeline keeps every word that it has met, so that its memory
    grows with the number of texts. Docs must not be used after it.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    is_inside = getattr(nlp.vocab, "in_memory_zone", False)  # in spaCy's code, not in its types
    return nullcontext() if is_inside else nlp.memory_zone()


def vocabulary_of(nlp: Language, texts: Iterable[str]) -> tuple[Vocabulary, float]:
    """Return the words of some texts, and the share that each brings anew.

    Parameters
    ----------
    nlp : Language
        Its tokenizer is used.
    texts : iterable of str
        Such as those of the training split.

    Returns
    -------
    vocabulary : array
        Sorted hashes of the words in lower case.
    unknown_share : float
        Share of the words, in all places where they stand, that no other of
        the texts has: what is to be expected of more texts of the same kind.
    """
    in_texts: Counter[int] = Counter()
    counts: Counter[int] = Counter()
    for text in texts:
        words: Counter[int] = Counter(_words_of(nlp.make_doc(text)))
        counts.update(words)
        in_texts.update(words.keys())
    alone = sum(count for word, count in counts.items() if in_texts[word] == 1)
    total = sum(counts.values())
    return np.array(sorted(counts), dtype=np.uint64), alone / total if total else 0.0


def _words_of(doc: Doc) -> list[int]:
    """Return the hashes of a doc's words in lower case."""
    return cast("list[int]", doc.to_array([_LOWER]).ravel().tolist())


def _groups(indices: Sequence[int], *, probabilities: bool) -> Iterator[Sequence[int]]:
    size = _GROUP_SIZE if probabilities else max(1, len(indices))
    for first in range(0, len(indices), size):
        yield indices[first : first + size]


def _predict_or_fail(
    nlp: Language,
    texts: Sequence[str],
    vocabulary: AbstractSet[int] | None,
    options: dict[str, Any],
) -> list[LabelledText | FailedText]:
    """Predict texts together, and one by one where that fails."""
    try:
        return list(_predict(nlp, texts, vocabulary, **options))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - components of any origin raise anything
        _LOG.debug("%d texts are predicted one by one", len(texts), exc_info=True)
        together = error
    found = [_predict_one_or_fail(nlp, text, vocabulary, options) for text in texts]
    if len(texts) > 1 and all(isinstance(one, FailedText) for one in found):
        raise together
    return found


def _predict_one_or_fail(
    nlp: Language, text: str, vocabulary: AbstractSet[int] | None, options: dict[str, Any]
) -> LabelledText | FailedText:
    try:
        return next(_predict(nlp, [text], vocabulary, **options))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - the same
        _LOG.debug("a text is set aside", exc_info=True)
        return FailedText(f"the model failed: {type(error).__name__}: {error}")


def _predict(
    nlp: Language,
    texts: Sequence[str],
    vocabulary: AbstractSet[int] | None,
    *,
    probabilities: bool,
    batch_size: int | None,
) -> Iterator[LabelledText]:
    check_trained(nlp)
    docs = nlp.pipe(texts, batch_size=batch_size)
    if not probabilities:
        for doc in docs:
            yield _labelled(doc, vocabulary)
        return
    known = span_probabilities(nlp, texts, max_span_length=MAX_SPAN_LENGTH)
    for doc, one in zip(docs, known, strict=True):
        yield _labelled(doc, vocabulary, one, calibrated(nlp, one))


def _labelled(
    doc: Doc,
    vocabulary: AbstractSet[int] | None,
    known: SpanProbabilities | None = None,
    confidence: SpanConfidence | None = None,
) -> LabelledText:
    unknown = 0
    if vocabulary is not None:
        words = _words_of(doc)
        unknown = len(words) - sum(map(vocabulary.__contains__, words))
    spans = tuple(
        PredictedSpan(one.start_char, one.end_char, one.start, one.end, one.label_)
        for one in doc.ents
    )
    if known is None or confidence is None:
        return LabelledText(spans, len(doc), unknown)
    kept = tuple(
        one._replace(probability=confidence(Span(one.start, one.end, one.label))) for one in spans
    )
    predicted = {Span(one.start, one.end, one.label) for one in kept}
    others = [confidence(span) for span in known.spans if span not in predicted]
    wrong = sum(1.0 - (one.probability or 0.0) for one in kept)
    return LabelledText(kept, len(doc), unknown, wrong + sum(others), max(others, default=0.0))
