"""Differences between two annotations of the same texts, with their causes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner._common.arguments import check_arguments
from nbner._common.text_alignment import map_span
from nbner.errors import DataError
from nbner.evaluation.diff.causes import DifferenceExplainer
from nbner.evaluation.diff.report import Differences
from nbner.evaluation.diff.variants import PipelineVariants
from nbner.evaluation.errors.report import Errors
from nbner.evaluation.pairing import TextPair, pair_texts
from nbner.io.annotations import is_span_frame, read_annotations
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import is_pipeline_folder, load_base
from nbner.nlp.prediction import predict
from nbner.queues.error_review import ErrorReviewQueue
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.widgets.error_explorer import ErrorExplorer


@check_arguments
def differences(
    a: Any,
    b: Any,
    *,
    texts: Any = None,
    model: Language | str | Path | None = None,
    others: Sequence[Language] = (),
) -> Differences:
    """Compare two sets of annotations over the same texts, and find the causes of differences.

    The cause of each difference is found by trying it: the model that one side
    comes from is run sentence by sentence, with the other side's tokens, with
    a list of phrases set beforehand, and so on, until its output is exactly
    the other side.

    Parameters
    ----------
    a, b : path, pipeline, Session, DataFrame, or iterable of dict, Doc or Example
        Annotations in any format that can be added to a session, also another
        tool's; a frame as ``session.predict`` returns it; or a pipeline, a
        pipeline's folder or a session, which predicts for the other side's
        texts.
    texts : path or iterable, optional
        The texts, where both sides are models, or for a frame of predictions.
    model : Language, str or Path, optional
        The pipeline that one of the sides comes from. By default the one that
        is a side itself. Without any, the sides alone are compared.
    others : sequence of Language
        More pipelines that a side may come from.

    Returns
    -------
    Differences
        ``counts`` (texts by cause), ``frame``, ``pairs``, ``plot()``.

    Raises
    ------
    DataError
        A side cannot be read, or the texts are missing.
    ModelError
        A pipeline cannot be loaded, or is not trained.
    """
    known = None if texts is None else read_annotations(texts)
    pipelines = [_pipeline_of(a), _pipeline_of(b)]
    sides = _annotated(a, b, pipelines, known)
    pairing = pair_texts(*sides)
    given = load_base(model) if isinstance(model, (str, Path)) else model
    reference = given or pipelines[1] or pipelines[0]
    strangers = [one for one in (*pipelines, *others) if one is not None and one is not reference]
    causes = DifferenceExplainer(
        pairs=pairing.pairs,
        labels_a=_labels_in(sides[0]),
        labels_b=_labels_in(sides[1]),
        reference=None if reference is None else PipelineVariants(reference),
        others=[PipelineVariants(one) for one in strangers],
    ).explain()
    return Differences.from_causes(
        _name_of(a, "a"), _name_of(b, "b"), pairing, causes, explore_differences
    )


def _annotated(
    a: Any, b: Any, pipelines: Sequence[Language | None], texts: list[Example] | None
) -> list[list[Example]]:
    """Read both sides; a model predicts for the texts of the other one."""
    annotated = [
        read_annotations(one)
        for one, nlp in zip((a, b), pipelines, strict=True)
        if nlp is None and not is_span_frame(one)
    ]
    over = texts if texts is not None else next(iter(annotated), None)
    sides = []
    for one, nlp in zip((a, b), pipelines, strict=True):
        if nlp is None:
            sides.append(read_annotations(one, over) if is_span_frame(one) else annotated.pop(0))
        elif over is None:
            raise DataError(
                "there is no text to compare on", remedy="Give some: differences(..., texts=texts)"
            )
        else:
            plain = [Example(item.text) for item in over]
            predicted = predict(nlp, plain)
            sides.append([replace(t, spans=s) for t, s in zip(plain, predicted, strict=True)])
    return sides


def _pipeline_of(source: Any) -> Language | None:
    """Return the pipeline behind a side; None for annotations."""
    nlp = getattr(source, "nlp", source)
    if hasattr(nlp, "pipe_names"):
        found: Language = nlp
        return found
    if isinstance(source, (str, Path)) and is_pipeline_folder(source):
        return load_base(source)
    return None


def _name_of(source: Any, letter: str) -> str:
    if isinstance(source, (str, Path)):
        return Path(source).name
    nlp = getattr(source, "nlp", source)
    if hasattr(nlp, "pipe_names"):
        return f"model {fingerprint(nlp)}"
    return f"{letter} ({type(source).__name__})"


def _labels_in(side: Iterable[Example]) -> frozenset[str]:
    return frozenset(span.label for one in side for span in one.spans)


def explore_differences(found: Differences) -> ErrorExplorer:
    """Build a read-only error explorer over the texts on which two annotations differ.

    Parameters
    ----------
    found : Differences
        The differences, with their causes.
    """
    from nbner.widgets.error_explorer import ErrorExplorer

    examples = [
        replace(one.pair.a, meta={**one.pair.a.meta, "cause": one.cause.name})
        for one in found.differences
    ]
    labels = sorted({s.label for one in (*found.pairs,) for side in one for s in side.spans})
    errors = Errors(
        examples,
        [_carried_over(one.pair) for one in found.differences],
        reference=[one.spans for one in examples],
        labels=labels,
        side_names=(found.a, found.b),
        title=f"{found.a} and {found.b}",
    )
    errors.colors = found.colors
    return ErrorExplorer(errors, ErrorReviewQueue(errors, labels=labels, colors=found.colors))


def _carried_over(pair: TextPair) -> list[Span]:
    """Return the second side's spans at their offsets in the first side's text."""
    found = []
    for span in pair.b.spans:
        place = map_span(pair.a.text, pair.b.text, span.start, span.end)
        if place is not None:
            found.append(replace(span, start=place[0], end=place[1]))
    return found
