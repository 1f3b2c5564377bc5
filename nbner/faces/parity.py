"""Whether two annotations are the same, and if not, why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.errors import DataError
from nbner.faces.erring import explored
from nbner.faces.modelling import Modelling
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.evaluation.diff.report import Differences
    from nbner.evaluation.reproducibility.report import Determinism, Parity

EARLIER = 3  # trained models before the last one that a difference may come from


def differences(
    a: Any,
    b: Any,
    *,
    texts: Any = None,
    model: Language | str | Path | None = None,
    others: Sequence[Language] = (),
) -> Differences:
    """Compare two sets of annotations over the same texts, and find out why they differ.

    The cause of each difference is named by trying it: the model that one side
    comes from is run sentence by sentence, with the other side's tokens, with
    a list of phrases set beforehand, and so on, until what comes out is
    exactly the other side.

    Parameters
    ----------
    a, b : path, pipeline, Session, DataFrame, or iterable of dict, Doc or Example
        Annotations in any format that can be added to a session, also another
        tool's; a frame as ``session.predict`` gives it; or a pipeline, a
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
    from nbner.evaluation.diff.causes import Inquiry
    from nbner.evaluation.diff.report import Differences
    from nbner.evaluation.diff.variants import Variants
    from nbner.evaluation.pairing import pair
    from nbner.io.annotations import read_annotations
    from nbner.nlp.pipeline import load_base

    known = None if texts is None else read_annotations(texts)
    pipelines = [_pipeline(a), _pipeline(b)]
    sides = _annotated(a, b, pipelines, known)
    pairing = pair(*sides)
    given = load_base(model) if isinstance(model, (str, Path)) else model
    reference = given or pipelines[1] or pipelines[0]
    strangers = [one for one in (*pipelines, *others) if one is not None and one is not reference]
    causes = Inquiry(
        pairs=pairing.pairs,
        labels_a=_labels(sides[0]),
        labels_b=_labels(sides[1]),
        reference=None if reference is None else Variants(reference),
        others=[Variants(one) for one in strangers],
    ).run()
    return Differences.of(_name(a, "a"), _name(b, "b"), pairing, causes, explored)


class Comparing(Modelling):
    """Hold what a session suggests against what it, or anything else, predicts."""

    _suggest: Callable[[Sequence[Example]], list[tuple[Span, ...]]]

    def differences(self, a: Any, b: Any = None, *, texts: Any = None) -> Differences:
        """Compare annotations with what this session's model says of the same texts.

        Parameters
        ----------
        a : path, pipeline, Session, DataFrame, or iterable of dict, Doc or Example
            See ``nbner.differences``.
        b : the same, optional
            By default this session's model.
        texts : path or iterable, optional
            For models and frames of predictions.

        Returns
        -------
        Differences
            ``counts`` (texts by cause), ``frame``, ``pairs``, ``plot()``.

        Examples
        --------
        >>> session.differences("export-of-last-year.jsonl")  # doctest: +SKIP
        """
        return differences(
            a,
            self if b is None else b,
            texts=texts,
            model=self._nlp if _is_trained(self._nlp) else None,
            others=self._shelf.earlier(EARLIER),
        )

    def parity(
        self,
        split: str | None = None,
        *,
        batch_sizes: Sequence[int] = (1, 32),
        n_process: Sequence[int] = (1, 2),
    ) -> Parity:
        """Hold the suggestions of make-gold against plain ``nlp.pipe``, example by example.

        Whole texts and single sentences, in order and in reverse, with several
        batch sizes and process counts. There must be no difference.

        Parameters
        ----------
        split : str, optional
            By default all.
        batch_sizes, n_process : sequence of int

        Returns
        -------
        Parity
            ``same``, ``differing`` and ``frame``: a row for each way of running.

        Raises
        ------
        ModelError
            The model has not been trained.
        DataError
            There is no example.
        """
        from nbner.evaluation.reproducibility.parity import runs_of, texts_of
        from nbner.evaluation.reproducibility.report import Parity

        examples = self.examples(split)
        if not examples:
            raise DataError("there is no example to compare", remedy="Add some: session.add(...)")
        rows = []
        for unit, items in texts_of(self._nlp, examples).items():
            suggested = self._suggest(items)
            rows += [
                (unit, run.how, len(items), run.differing(suggested))
                for run in runs_of(self._nlp, items, batch_sizes, n_process)
            ]
        return Parity.of(rows)

    def check_determinism(
        self,
        texts: Iterable[Any],
        *,
        batch_sizes: Sequence[int] = (1, 7, 64, 256),
        n_process: Sequence[int] = (2,),
        seed: int | None = None,
    ) -> Determinism:
        """Predict again and again under other circumstances, and see whether anything changes.

        Batch sizes, orders, process counts, and a fresh Python that reads the
        model from disk.

        Parameters
        ----------
        texts : iterable of str, dict, Doc or Example
        batch_sizes, n_process : sequence of int
        seed : int, optional
            For the shuffled order; by default the session's.

        Returns
        -------
        Determinism
            ``same``, and ``frame``: a row for each circumstance.

        Raises
        ------
        ModelError
            The model has not been trained.
        """
        from nbner.evaluation.reproducibility.determinism import check
        from nbner.evaluation.reproducibility.report import Determinism
        from nbner.io.annotations import read_annotations

        items = [replace(one, spans=()) for one in read_annotations(texts)]
        outcomes = check(
            self._nlp,
            items,
            batch_sizes=batch_sizes,
            n_process=n_process,
            seed=self.seed if seed is None else seed,
        )
        return Determinism.of(outcomes, [one.text for one in items])


def _annotated(
    a: Any, b: Any, pipelines: Sequence[Language | None], texts: list[Example] | None
) -> list[list[Example]]:
    """Read both sides; a model predicts for the texts of the other one."""
    from nbner.io.annotations import is_spans, read_annotations
    from nbner.nlp.prediction import predict

    whole = [
        read_annotations(one)
        for one, nlp in zip((a, b), pipelines, strict=True)
        if nlp is None and not is_spans(one)
    ]
    over = texts if texts is not None else next(iter(whole), None)
    sides = []
    for one, nlp in zip((a, b), pipelines, strict=True):
        if nlp is None:
            sides.append(read_annotations(one, over) if is_spans(one) else whole.pop(0))
        elif over is None:
            raise DataError(
                "there is no text to compare on", remedy="Give some: differences(..., texts=texts)"
            )
        else:
            plain = [Example(item.text) for item in over]
            said = predict(nlp, plain)
            sides.append([replace(t, spans=s) for t, s in zip(plain, said, strict=True)])
    return sides


def _pipeline(source: Any) -> Language | None:
    """Find the pipeline behind a side, if there is one."""
    from nbner.nlp.pipeline import is_pipeline_folder, load_base

    nlp = getattr(source, "nlp", source)
    if hasattr(nlp, "pipe_names"):
        found: Language = nlp
        return found
    if isinstance(source, (str, Path)) and is_pipeline_folder(source):
        return load_base(source)
    return None


def _name(source: Any, letter: str) -> str:
    from nbner.nlp.fingerprint import fingerprint

    if isinstance(source, (str, Path)):
        return Path(source).name
    nlp = getattr(source, "nlp", source)
    if hasattr(nlp, "pipe_names"):
        return f"model {fingerprint(nlp)}"
    return f"{letter} ({type(source).__name__})"


def _labels(side: Iterable[Example]) -> frozenset[str]:
    return frozenset(span.label for one in side for span in one.spans)


def _is_trained(nlp: Language) -> bool:
    from nbner.nlp.pipeline import is_trained, recognizer_of

    return recognizer_of(nlp) is None or is_trained(nlp)
