"""Conversion of answers to gold docs: training, development and partially annotated examples.

An accepted example is complete gold: its spans, and no entity outside of them.
A span of a rejected example is wrong (spaCy's ``incorrect_spans_key``), a span
of an accepted binary example is right; neither says anything about the rest of
the text.

In complete gold, two kinds of tokens are *missing*, which spaCy ignores in training:

- The tokens of a span that the tokens cannot express, or that begins or ends
  with whitespace.
- All tokens outside the example's spans, where one of the labels was not
  allowed when the example was answered, since they might carry it. Labels of
  the training data count, and those that the pipeline has learnt before:
  gold that says "outside" would make it forget them.

Where a label of the pipeline is missing, the labels that were allowed are still
known to be absent outside the example's spans: a sample of such spans is listed
as incorrect (see `PipelineAnnotations`).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spacy import training
from spacy.tokens import Doc, DocBin, Span

from nbner._common.alignment import has_whitespace_ends
from nbner._common.format import plural
from nbner.errors import TrainingError
from nbner.nlp.pipeline import doc_from_example, doc_with_token_source, labels_of
from nbner.types import Example
from nbner.types import Span as TextSpan

if TYPE_CHECKING:
    from spacy.language import Language

#: Key of the rejected spans in ``Doc.spans``.
INCORRECT_SPANS_KEY = "nbner_wrong"
_HOLDOUT_FRACTION = 0.2
_SAME_EXAMPLES = "the training examples themselves"
_HELD_OUT = "held out"
_MAX_INCORRECT_TOKENS = 3  # length of the spans that are listed as incorrect
_MAX_INCORRECT_SPANS = 200  # of one text
_DOCBIN_ATTRS = ("ENT_IOB", "ENT_TYPE")


@dataclass(frozen=True, slots=True)
class PipelineAnnotations:
    """Labels of the trained pipeline that a run starts from, and what it finds in the run's texts.

    They matter for examples whose answer could not give all of these labels.
    In training, the tokens outside of their spans are missing, and incorrect
    spans state which of the allowed labels is not there: the pipeline's own
    spans that the answer does not confirm, and a sample of all spans of up to 3
    tokens. In evaluation, only the tokens of the pipeline's spans with a label
    that the answer could not give are missing, so that precision is measured on
    all others.

    Parameters
    ----------
    labels : tuple of str
        The labels of the recognizer that is trained.
    spans : mapping
        From a text to the spans that the whole pipeline finds in it, those of
        rules and of other recognizers included. Texts whose answers could give
        all labels may be absent.
    """

    labels: tuple[str, ...]
    spans: Mapping[str, tuple[TextSpan, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Training and development examples of one training run.

    Parameters
    ----------
    train, dev : tuple of Example
        Accepted examples only.
    dev_source : str
        Origin of ``dev``, in words: "given", "held out ..." or "the training
        examples themselves ...".
    labels : tuple of str
        The labels that occur in ``train``, in the session's order.
    partial_examples : tuple of Example
        Answers that are not complete gold: rejected spans, and single spans
        that were accepted. All tokens outside of them are missing.
    pipeline : PipelineAnnotations, optional
        Of the trained pipeline that the run starts from.
    """

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    dev_source: str
    labels: tuple[str, ...]
    partial_examples: tuple[Example, ...] = ()
    pipeline: PipelineAnnotations | None = field(default=None, repr=False)

    @property
    def has_incorrect_spans(self) -> bool:
        """Whether spans are listed as incorrect: rejected ones, or absent labels."""
        known = () if self.pipeline is None else self.pipeline.labels
        return any(one.answer == "reject" for one in self.partial_examples) or any(
            lacks_labels(one, known) for one in self.train
        )

    @property
    def has_separate_dev(self) -> bool:
        """Whether the dev examples differ from the training examples."""
        return not self.dev_source.startswith(_SAME_EXAMPLES)

    @property
    def is_held_out(self) -> bool:
        """Whether the dev examples are a part of the accepted examples to train on."""
        return self.dev_source.startswith(_HELD_OUT)

    @property
    def missing_label_count(self) -> int:
        """Number of training examples whose answer could not give one of the labels."""
        known = () if self.pipeline is None else self.pipeline.labels
        return sum(lacks_labels(example, (*self.labels, *known)) for example in self.train)

    @property
    def fingerprint(self) -> str:
        """The first 12 hexadecimal digits of a SHA-256 over all examples, in their order."""
        rows = [[_hashed_fields(example) for example in part] for part in (self.train, self.dev)]
        partial = [[one.answer, *_hashed_fields(one)] for one in self.partial_examples]
        # Without partial examples it equals the fingerprint of earlier versions.
        hashed = [rows, self.labels, *([partial] if partial else [])]
        packed = json.dumps(hashed, ensure_ascii=False)
        return hashlib.sha256(packed.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def split_corpus(
    train: Sequence[Example], dev: Sequence[Example], labels: Collection[str], seed: int
) -> Corpus:
    """Select the gold of two splits, and hold out a part where there is no dev gold.

    Parameters
    ----------
    train, dev : sequence of Example
        With any answers; ignored and open ones are left out, and the spans of
        rejected ones are kept as partial examples.
    labels : collection of str
        All labels of the session, in order.
    seed : int
        Seed of the held-out part.

    Raises
    ------
    TrainingError
        No example is accepted, none has an entity, or a span has a label
        outside ``labels``.
    """
    accepted, measured = _accepted(train, labels), _accepted(dev, labels)
    if not accepted:
        raise TrainingError(
            "there is nothing to train on: no example of the split has been accepted. Answer some "
            "with session.manual(), or add gold with session.add(...)."
        )
    if not any(example.spans for example in accepted):
        raise TrainingError(describe_no_entity(len(accepted)))
    source = "given"
    if not any(example.spans for example in measured):
        why = "the dev examples hold no entity" if measured else "there are no dev examples"
        accepted, measured, source = _hold_out(accepted, seed, why)
    found = {span.label for example in accepted for span in example.spans}
    learnt = tuple(label for label in labels if label in found)
    partial = tuple(one for one in train if _is_partial(one, learnt))
    return Corpus(tuple(accepted), tuple(measured), source, learnt, partial)


def describe_no_entity(count: int) -> str:
    """Build the message of a training on accepted examples without an entity.

    Parameters
    ----------
    count : int
        Number of the examples.
    """
    return (
        f"there is nothing to learn: {plural(count, 'accepted example')}, and no entity in "
        f"{'it' if count == 1 else 'any of them'}. Label at least one."
    )


def _is_partial(example: Example, labels: Collection[str]) -> bool:
    is_decided = example.answer == "reject" or (example.answer == "accept" and example.binary)
    return is_decided and bool(example.spans) and all(s.label in labels for s in example.spans)


def lacks_labels(example: Example, labels: Collection[str]) -> bool:
    """Return whether one of the labels was not allowed when the example was answered.

    Parameters
    ----------
    example : Example
        An answered example.
    labels : collection of str
        The labels to be learnt.
    """
    return example.labels is not None and not set(labels) <= set(example.labels)


def reference_doc(
    nlp: Language,
    example: Example,
    labels: Collection[str],
    *,
    pipeline: PipelineAnnotations | None = None,
) -> Doc:
    """Build the gold ``Doc`` of an answered example.

    Parameters
    ----------
    nlp : Language
        The pipeline, for its tokenizer and its vocabulary.
    example : Example
        An accepted or rejected example.
    labels : collection of str
        The labels to be learnt; see `lacks_labels`.
    pipeline : PipelineAnnotations, optional
        Of the trained pipeline that training starts from.
    """
    doc, is_pretokenized = doc_with_token_source(nlp, example)
    return _annotate(doc, example, labels, pipeline, is_pretokenized=is_pretokenized)


def _annotate(
    doc: Doc,
    example: Example,
    labels: Collection[str],
    pipeline: PipelineAnnotations | None,
    *,
    is_pretokenized: bool,
    for_evaluation: bool = False,
) -> Doc:
    if example.answer == "reject":
        return _mark_incorrect(doc, example)
    found = () if pipeline is None else pipeline.spans.get(example.text, ())
    unknown = pipeline is not None and not example.binary and lacks_labels(example, pipeline.labels)
    entities: list[Span] = []
    unlearnable: set[int] = set()
    for span in example.spans:
        entity = doc.char_span(span.start, span.end, label=span.label)
        if entity is None or entity[0].is_space or entity[-1].is_space:
            unlearnable.update(_touched(doc, span))
        else:
            entities.append(entity)
    missing = set(unlearnable)
    if example.binary or lacks_labels(example, labels) or (unknown and not for_evaluation):
        missing.update(range(len(doc)))
    elif for_evaluation and example.labels is not None:
        others = [one for one in found if one.label not in example.labels]
        missing.update(i for one in others for i in _touched(doc, one))
    missing -= {token.i for entity in entities for token in entity}
    doc.set_ents(entities, missing=[doc[i : i + 1] for i in sorted(missing)], default="outside")
    if unknown and not for_evaluation:
        absent = [one for one in labels if one in set(example.labels or ())]
        doc.spans[INCORRECT_SPANS_KEY] = _absent_spans(doc, entities, absent, unlearnable, found)
    # Matters only for a DocBin; see `write_docbin`.
    doc.has_unknown_spaces = is_pretokenized
    return doc


def _touched(doc: Doc, span: TextSpan) -> set[int]:
    return {t.i for t in doc if t.idx < span.end and span.start < t.idx + len(t)}


def _absent_spans(
    doc: Doc,
    entities: Sequence[Span],
    labels: Sequence[str],
    unlearnable: Collection[int],
    found: Sequence[TextSpan],
) -> list[Span]:
    """List spans that an answer rules out, though other labels may be there.

    Parameters
    ----------
    doc : Doc
        The text.
    entities : sequence of spacy.tokens.Span
        The answer's entities.
    labels : sequence of str
        Labels that the answer could give.
    unlearnable : collection of int
        Tokens of spans that the tokens cannot express; nothing is ruled out there.
    found : sequence of Span
        Spans that the pipeline finds in the text.

    Returns
    -------
    list of spacy.tokens.Span
        The pipeline's spans, and of all spans of up to 3 tokens a sample that
        depends on the text alone: 200 in all at most.
    """
    right = {(one.start, one.end, one.label_) for one in entities}
    usable = [token.i for token in doc if not token.is_space and token.i not in unlearnable]
    ends = set(usable)
    own = [
        (one.start, one.end, one.label_)
        for span in found
        if span.label in labels and (one := doc.char_span(span.start, span.end, span.label))
    ]
    short = [
        (start, start + length, label)
        for start in usable
        for length in range(1, _MAX_INCORRECT_TOKENS + 1)
        if start + length - 1 in ends and ends.issuperset(range(start, start + length))
        for label in labels
    ]
    if len(short) > _MAX_INCORRECT_SPANS:
        short = random.Random(doc.text).sample(short, _MAX_INCORRECT_SPANS)  # noqa: S311
    chosen = [one for one in dict.fromkeys([*own, *short]) if one not in right]
    return [Span(doc, *one) for one in chosen[:_MAX_INCORRECT_SPANS]]


def _mark_incorrect(doc: Doc, example: Example) -> Doc:
    """Mark an example's spans as incorrect, and all tokens as missing."""
    found = (doc.char_span(one.start, one.end, label=one.label) for one in example.spans)
    doc.spans[INCORRECT_SPANS_KEY] = [span for span in found if span is not None]
    doc.set_ents([], default="missing")
    return doc


def training_examples(
    nlp: Language,
    examples: Sequence[Example],
    labels: Collection[str],
    *,
    pipeline: PipelineAnnotations | None = None,
    for_evaluation: bool = False,
) -> list[training.Example]:
    """Build spaCy's training examples: pairs of an unannotated ``Doc`` and a gold one.

    Parameters
    ----------
    nlp : Language
        The pipeline, for its tokenizer and its vocabulary.
    examples : sequence of Example
        Answered examples.
    labels : collection of str
        The labels to be learnt; see `lacks_labels`.
    pipeline : PipelineAnnotations, optional
        Of the trained pipeline that training starts from.
    for_evaluation : bool
        Whether the examples are evaluated on; see `PipelineAnnotations`.
    """
    docs = (doc_with_token_source(nlp, example) for example in examples)
    # Tokenizing a second time takes longer than copying a doc.
    return [
        training.Example(
            doc.copy(),
            _annotate(
                doc,
                example,
                labels,
                pipeline,
                is_pretokenized=is_pretokenized,
                for_evaluation=for_evaluation,
            ),
        )
        for example, (doc, is_pretokenized) in zip(examples, docs, strict=True)
    ]


def is_expressible(nlp: Language, example: Example) -> bool:
    """Return whether the pipeline could predict all of the example's spans.

    It cannot where its recognizer does not know a label, or where a span does
    not align with its tokens, or begins or ends with whitespace.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    example : Example
        An example with gold spans.
    """
    known = set(labels_of(nlp))
    if any(span.label not in known for span in example.spans):
        return False
    doc = doc_from_example(nlp, example)
    entities = [doc.char_span(span.start, span.end) for span in example.spans]
    return not any(e is None or e[0].is_space or e[-1].is_space for e in entities)


def require_learnable_spans(nlp: Language, examples: Sequence[Example]) -> None:
    """Raise unless the pipeline can learn at least one span.

    Parameters
    ----------
    nlp : Language
        The pipeline, for its tokenizer.
    examples : sequence of Example
        Accepted training examples.

    Raises
    ------
    TrainingError
        All spans are off the tokens, or begin or end with whitespace.
    """
    reasons: Counter[str] = Counter()
    shown = ""
    for example in (one for one in examples if one.spans):
        doc = doc_from_example(nlp, example)
        for span in example.spans:
            entity = doc.char_span(span.start, span.end)
            has_blank = has_whitespace_ends(example.text, span)
            if entity is not None and not (entity[0].is_space or entity[-1].is_space):
                return
            reasons["begin or end with whitespace" if has_blank else "cut a token"] += 1
            shown = shown or f"{example.text[span.start : span.end]!r}"
    if not reasons:
        return
    if len(reasons) == 1:
        why = f"all {next(iter(reasons))}"
    else:
        why = " and ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    remedies: list[str] = []
    if "begin or end with whitespace" in reasons:
        remedies.append('add the data again with misaligned="trim"')
    if "cut a token" in reasons:
        remedies.append("see session.quality.tokenization() for rules that would help")
    remedy = ", and ".join(remedies)
    raise TrainingError(
        f"none of the {plural(reasons.total(), 'span')} can be learnt: {why}, such as {shown}. "
        f"{remedy[0].upper()}{remedy[1:]}."
    )


def write_docbin(pairs: Sequence[training.Example], path: Path) -> None:
    """Write gold docs to a ``DocBin``, from which ``spacy train`` builds the same training data.

    ``spacy train`` tokenizes each text again, except where a doc's spaces are
    unknown; docs with other tokens than the tokenizer's are marked as such by
    `reference_doc`. Read back, their texts have a space after every token.

    Parameters
    ----------
    pairs : sequence of spacy.training.Example
        From `training_examples`.
    path : Path
        The file to write.
    """
    DocBin(attrs=_DOCBIN_ATTRS, docs=[pair.reference for pair in pairs]).to_disk(path)


def nested_subsets(
    examples: Sequence[Example], fractions: Sequence[float], seed: int
) -> list[tuple[Example, ...]]:
    """Sample growing subsets, each contained in the next and with at least one entity.

    Parameters
    ----------
    examples : sequence of Example
        Training examples.
    fractions : sequence of float
        Sizes of the subsets as fractions, above 0 and at most 1.
    seed : int
        Seed of the sampling.
    """
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample, not a secret
    first = next((i for i in order if examples[i].spans), None)
    if first is not None:
        order.remove(first)
        order.insert(0, first)
    sizes = sorted({max(1, round(fraction * len(examples))) for fraction in fractions})
    return [tuple(examples[i] for i in order[:size]) for size in sizes]


def _accepted(examples: Sequence[Example], labels: Collection[str]) -> list[Example]:
    # A binary task shows one span and asks about that alone: it is not complete gold.
    found = [one for one in examples if one.answer == "accept" and not one.binary]
    unknown = sorted({s.label for one in found for s in one.spans if s.label not in labels})
    if unknown:
        raise TrainingError(
            f"accepted examples hold labels that the session does not know: {', '.join(unknown)}. "
            "Name them in labels=, or use labels=None to take all labels of the data."
        )
    return found


def _hold_out(
    examples: list[Example], seed: int, why: str
) -> tuple[list[Example], list[Example], str]:
    # What was accepted in bulk by a model's probability cannot show how good a model is.
    order = [i for i, one in enumerate(examples) if not one.accepted_unseen]
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample, not a secret
    with_entities = [i for i in order if examples[i].spans]
    size = max(1, round(_HOLDOUT_FRACTION * len(order)))
    if len(with_entities) < 2:
        return examples, examples, f"{_SAME_EXAMPLES}, since {why}"
    chosen = set(order[:size])
    # Both parts need an entity, even where entities are rare.
    if chosen.isdisjoint(with_entities):
        chosen = {with_entities[0], *order[: size - 1]}
    elif chosen.issuperset(with_entities):
        chosen.discard(with_entities[-1])
    train = [one for i, one in enumerate(examples) if i not in chosen]
    dev = [one for i, one in enumerate(examples) if i in chosen]
    return train, dev, f"held out, {len(dev):,} of {len(examples):,}, since {why}"


def _hashed_fields(example: Example) -> list[object]:
    tokens = [(t.start, t.end) for t in example.tokens] if example.pretokenized else None
    spans = [(s.start, s.end, s.label) for s in example.spans]
    return [example.text, tokens, spans, None if example.labels is None else list(example.labels)]
