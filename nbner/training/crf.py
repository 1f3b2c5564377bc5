"""Training of the conditional random field ``nbner_crf``: seconds, and no held-out part.

The weights are found by L-BFGS with an L2 penalty (Okazaki's CRFsuite). A text
is learnt from where its annotation is complete: rejected answers, answers to
one span, and answers that could not give one of the labels are left out, and a
text is cut at spans that its tokens cannot express. What is left out is counted.
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pycrfsuite
from numpy.typing import NDArray

from nbner._common.format import plural
from nbner._common.serialization import find_lone_surrogate
from nbner.errors import TrainingError
from nbner.nlp.crf.clusters import (
    CLUSTER_COUNTS,
    VectorClusters,
    WordClusters,
    cluster_vectors,
    cluster_words,
)
from nbner.nlp.crf.component import FACTORY, CrfRecognizer
from nbner.nlp.crf.features import (
    EDGE,
    OFFSETS,
    FeatureExtractor,
    TypedTexts,
    content_tokens,
    extract_features,
    offsets_of,
    unknown_outside_features,
)
from nbner.nlp.crf.model import OUTSIDE_TAG, CrfModel, begin_tag, inside_tag
from nbner.nlp.gold_docs import (
    describe_no_entity,
    lacks_labels,
    reference_doc,
    require_learnable_spans,
)
from nbner.nlp.pipeline import (
    clone_pipeline,
    doc_from_example,
    pipeline_beside,
    recognizer_of,
)
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_LOG = logging.getLogger(__name__)

C2 = 0.3  # weight of the L2 penalty, chosen on parts of protocols and wnut17 dev
MAX_ITERATIONS = 100
#: Key of a pipeline's meta under which `CrfTrainingCounts` are kept.
COUNTS_KEY = "nbner_crf_training"

_MISSING = -1  # tag of a token whose label is unknown
_BIAS = "bias"
_SEEDS = range(2**32)

_REJECTED = "rejected"
_SINGLE = "answers to single spans"
_LACKS_LABELS = "answers that could not give every label"
_UNANSWERED = "ignored or without an answer"
_EMPTY = "without a token that is no whitespace"
_SURROGATE = "with half of a surrogate pair, which spaCy cannot read"
_OFF_TOKENS = "whose spans the tokens cannot express, and that have no other token"


@dataclass(frozen=True, slots=True)
class CrfTrainingCounts:
    """Counts of the examples that a random field has learnt from, and of those left out.

    Parameters
    ----------
    examples : int
        Examples that were learnt from.
    spans : int
        Their spans.
    left_out : mapping
        From a reason to the number of examples that were left out for it.
    spans_off_tokens : int
        Spans of the examples above that the tokens cannot express, or that
        begin or end with whitespace; the tokens they touch were left out.
    pool_texts : int
        Unlabelled texts whose words were clustered.
    """

    examples: int
    spans: int
    left_out: Mapping[str, int] = field(default_factory=dict, hash=False)
    spans_off_tokens: int = 0
    pool_texts: int = 0

    def __str__(self) -> str:
        parts = [f"{count:,} {reason}" for reason, count in self.left_out.items()]
        left = f"; left out: {', '.join(parts)}" if parts else ""
        off = (
            f"; {plural(self.spans_off_tokens, 'span that is', 'spans that are')} off the tokens "
            f"{'was' if self.spans_off_tokens == 1 else 'were'} left out"
            if self.spans_off_tokens
            else ""
        )
        return (
            f"learnt from {plural(self.examples, 'example')} with "
            f"{plural(self.spans, 'span')}{left}{off}"
        )


def train_crf(
    base: Language,
    train_examples: Sequence[Example],
    *,
    labels: Sequence[str],
    pool_texts: Iterable[str | Example] = (),
    features: Sequence[str] = (),
    seed: int = 0,
    c2: float = C2,
    max_iterations: int = MAX_ITERATIONS,
    clusters: WordClusters | None = None,
    shares_tokenizer: bool = False,
) -> Language:
    """Train a conditional random field, and return a pipeline with it.

    Parameters
    ----------
    base : Language
        The pipeline whose tokenizer is used, and whose components and vectors
        where ``features`` needs them; it is not changed.
    train_examples : sequence of Example
        Answered examples. Those with incomplete annotation are left out; see
        `training_counts`.
    labels : sequence of str
        All labels of the session. Those with a span are learnt.
    pool_texts : iterable of str or Example
        Unlabelled texts, whose words are clustered together with those of the
        training examples; without any, words are not clustered.
    features : sequence of str
        Outside features: "tags" for tags and parts of speech that components of
        ``base`` set, "vectors" for clusters of its word vectors.
    seed : int
        Seed of the clusters, between 0 and 2**32 - 1; training itself draws
        nothing at random.
    c2 : float
        Weight of the L2 penalty, at least 0.
    max_iterations : int
        Iterations of L-BFGS at most, at least 1.
    clusters : WordClusters, optional
        Clusters of an earlier run, from `cluster_texts`, in place of new ones.
    shares_tokenizer : bool
        Share the tokenizer and the vocabulary of ``base`` where no feature needs
        others, in place of copies: for a model that is saved at once.

    Returns
    -------
    Language
        A new pipeline: tokenizer, what the features need, and ``nbner_crf``.

    Raises
    ------
    TrainingError
        There is nothing to learn from, a label is unknown, a feature cannot be
        computed with ``base``, or a number is out of range.
    """
    _check_numbers(seed, c2, max_iterations)
    nlp = _feature_pipeline(base, features, shares_tokenizer=shares_tokenizer)
    usable, learnt, left_out = _usable_examples(train_examples, labels)
    docs = [reference_doc(nlp, example, learnt) for example in usable]
    gold = [_gold_tags(doc, learnt) for doc in docs]
    if nlp.pipe_names:
        # The components that the features need see no gold.
        docs = list(nlp.pipe(doc_from_example(nlp, example) for example in usable))
    is_known = [any(tag != _MISSING for tag in tags) for tags in gold]
    for kept, doc in zip(is_known, docs, strict=True):
        if not kept:
            left_out[_OFF_TOKENS if content_tokens(doc) else _EMPTY] += 1
    usable = [one for one, kept in zip(usable, is_known, strict=True) if kept]
    docs = [one for one, kept in zip(docs, is_known, strict=True) if kept]
    gold = [one for one, kept in zip(gold, is_known, strict=True) if kept]
    used = {tag // 2 for tags in gold for tag in tags if tag != _MISSING and tag % 2}
    if len(used) < len(learnt):
        # Spans of the others are all off the tokens, which are missing.
        learnt = tuple(label for i, label in enumerate(learnt) if i in used)
        gold = [_gold_tags(reference_doc(nlp, one, learnt), learnt) for one in usable]
    spans = sum(tag % 2 for tags in gold for tag in tags if tag != _MISSING)
    if not spans:
        require_learnable_spans(nlp, usable)
        raise TrainingError("none of the spans can be learnt: the tokens cannot express them.")
    pool = [one for one in pool_texts if find_lone_surrogate(_text(one)) is None]
    if clusters is None and pool:
        clusters = cluster_texts(nlp, [*usable, *pool], seed=seed)
    extractor = FeatureExtractor(
        clusters=clusters,
        outside=tuple(features),
        vector_clusters=_vector_clusters(nlp, docs, pool, seed) if "vectors" in features else None,
    )
    crf = _fit(
        extract_features(docs, extractor), gold, learnt, extractor, c2=c2, iterations=max_iterations
    )
    recognizer = nlp.add_pipe(FACTORY, config={"features": list(features)})
    if not isinstance(recognizer, CrfRecognizer):
        raise TrainingError(f"another package has taken the name {FACTORY!r} of the component.")
    recognizer.crf = crf
    counts = CrfTrainingCounts(
        examples=len(usable),
        spans=spans,
        left_out={reason: count for reason, count in left_out.items() if count},
        spans_off_tokens=sum(len(example.spans) for example in usable) - spans,
        pool_texts=len(pool),
    )
    nlp.meta[COUNTS_KEY] = {
        "examples": counts.examples,
        "spans": counts.spans,
        "left_out": dict(counts.left_out),
        "spans_off_tokens": counts.spans_off_tokens,
        "pool_texts": counts.pool_texts,
    }
    _LOG.debug("trained %s: %s", FACTORY, counts)
    return nlp


def train_crf_like(
    nlp: Language, train_examples: Sequence[Example], *, labels: Sequence[str], seed: int = 0
) -> Language:
    """Train a random field with the features and the clusters of another one.

    Parameters
    ----------
    nlp : Language
        A pipeline with a trained ``nbner_crf``; not changed, and no weight of it
        is used.
    train_examples, labels, seed
        As for `train_crf`.

    Raises
    ------
    TrainingError
        As for `train_crf`, or the pipeline has no trained random field.
    """
    found = recognizer_of(nlp)
    if found is None or not isinstance(found[1], CrfRecognizer):
        raise TrainingError("the pipeline has no conditional random field to train one like it.")
    extractor = found[1].trained_model().extractor
    return train_crf(
        nlp,
        train_examples,
        labels=labels,
        features=found[1].features,
        clusters=extractor.clusters,
        seed=seed,
    )


def training_counts(nlp: Language) -> CrfTrainingCounts | None:
    """Return what the conditional random field of a pipeline has learnt from.

    Parameters
    ----------
    nlp : Language
        A pipeline from `train_crf`, or one that was saved and loaded since.

    Returns
    -------
    CrfTrainingCounts or None
        None for any other pipeline.
    """
    stored: Any = nlp.meta.get(COUNTS_KEY)
    return None if stored is None else CrfTrainingCounts(**stored)


def cluster_texts(
    nlp: Language,
    texts: Iterable[str | Example],
    *,
    sizes: Sequence[int] = CLUSTER_COUNTS,
    seed: int = 0,
) -> WordClusters | None:
    """Cluster the words of unlabelled texts, for `train_crf`.

    Parameters
    ----------
    nlp : Language
        The pipeline, for its tokenizer.
    texts : iterable of str or Example
        The texts; the given tokens of an example are kept.
    sizes : sequence of int
        Number of clusters of each clustering; see `clusters.cluster_words`.
    seed : int
        Seed of the clusters.

    Returns
    -------
    WordClusters or None
        None where there are too few words.
    """
    readable = (one for one in texts if find_lone_surrogate(_text(one)) is None)
    return cluster_words((_words(nlp, one) for one in readable), sizes=sizes, seed=seed)


def _check_numbers(seed: int, c2: float, max_iterations: int) -> None:
    if seed not in _SEEDS:
        raise TrainingError(f"the seed {seed} is not between 0 and {_SEEDS[-1]:,}.")
    if not 0 <= c2 < np.inf:
        raise TrainingError(f"c2={c2} is no weight of a penalty: 0 or more, such as {C2}.")
    if max_iterations < 1:
        raise TrainingError(f"max_iterations={max_iterations} leaves nothing to train: 1 or more.")


def _text(item: str | Example) -> str:
    return item if isinstance(item, str) else item.text


def _words(nlp: Language, item: str | Example) -> list[str]:
    example = Example(item) if isinstance(item, str) else item
    if example.tokens:
        return [token.text for token in example.tokens if not token.text.isspace()]
    return [token.text for token in content_tokens(doc_from_example(nlp, example))]


def _usable_examples(
    examples: Sequence[Example], labels: Sequence[str]
) -> tuple[list[Example], tuple[str, ...], Counter[str]]:
    """Return the examples with complete annotation, the labels to learn, and counts of the rest."""
    left_out: Counter[str] = Counter()
    accepted: list[Example] = []
    for example in examples:
        if example.answer == "reject":
            left_out[_REJECTED] += 1
        elif example.answer != "accept":
            left_out[_UNANSWERED] += 1
        elif example.binary:
            left_out[_SINGLE] += 1
        elif find_lone_surrogate(example.text) is not None:
            left_out[_SURROGATE] += 1
        else:
            accepted.append(example)
    found = {span.label for example in accepted for span in example.spans}
    unknown = sorted(found - set(labels))
    if unknown:
        raise TrainingError(
            f"accepted examples hold labels that are not among those to learn: "
            f"{', '.join(unknown)}. Name them in labels=, or use labels=None to take all labels of "
            "the data."
        )
    complete = [one for one in accepted if not lacks_labels(one, found)]
    left_out[_LACKS_LABELS] = len(accepted) - len(complete)
    learnt = tuple(sorted({span.label for example in complete for span in example.spans}))
    if not learnt:
        raise TrainingError(_nothing_to_learn(len(examples), accepted, left_out))
    return complete, learnt, left_out


def _nothing_to_learn(given: int, accepted: Sequence[Example], left_out: Counter[str]) -> str:
    if not given:
        return (
            "there is nothing to train on: no example was given. Answer some with "
            "session.manual(), or add gold with session.add(...)."
        )
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items() if count)
    if any(example.spans for example in accepted):
        return (
            "there is nothing to train on: a conditional random field learns from complete "
            f"annotation alone, and left out are {reasons}. Answer some of these examples again "
            'with all labels, or train with learner="ner", which learns from partial annotation.'
        )
    if accepted:
        return describe_no_entity(len(accepted))
    return (
        f"there is nothing to train on: of {plural(given, 'example')} none is accepted with "
        f"complete "
        f"annotation ({reasons}). Accept some with session.manual(), or add gold with "
        "session.add(...)."
    )


def _gold_tags(reference: Doc, labels: Sequence[str]) -> list[int]:
    """Return the tag of each token that is no whitespace; -1 where it is unknown."""
    number = {label: i for i, label in enumerate(labels)}
    found: list[int] = []
    for token in content_tokens(reference):
        if token.ent_iob == 0:
            found.append(_MISSING)
        elif token.ent_iob == 2:
            found.append(OUTSIDE_TAG)
        else:
            label = number[token.ent_type_]
            found.append(begin_tag(label) if token.ent_iob == 3 else inside_tag(label))
    return found


# What outside features need.


def check_features(base: Language, features: Sequence[str]) -> None:
    """Raise where a pipeline cannot compute the outside features of a random field.

    Parameters
    ----------
    base : Language
        The pipeline.
    features : sequence of str
        As for `train_crf`.

    Raises
    ------
    TrainingError
        There is no such feature, or the pipeline lacks what it needs.
    """
    unknown = unknown_outside_features(features)
    if unknown:
        raise TrainingError(
            f'there is no outside feature {unknown[0]!r}. Use "tags" or "vectors", or none.'
        )
    if "tags" in features and not _tagging_components(base):
        raise TrainingError(
            'features=("tags",) needs a pipeline that tags words, and this one '
            f"({', '.join(base.pipe_names) or 'no component'}) does not. Start from an installed "
            'one, such as Session(model="en_core_web_sm"), or leave the feature out.'
        )
    if "vectors" in features and not base.vocab.vectors.n_keys:
        raise TrainingError(
            'features=("vectors",) needs a pipeline with word vectors, and this one has none. '
            'Start from an installed one, such as Session(model="en_core_web_md"), or leave the '
            "feature out."
        )


def _feature_pipeline(
    base: Language, features: Sequence[str], *, shares_tokenizer: bool
) -> Language:
    """Return a copy of the pipeline with the components alone that the features need."""
    check_features(base, features)
    if shares_tokenizer and not features and not base.vocab.vectors.n_keys:
        nlp = pipeline_beside(base)
        nlp.meta.pop(COUNTS_KEY, None)
        return nlp
    needed = _tagging_components(base) if "tags" in features else []
    others = [name for name in base.component_names if name not in needed]
    nlp = clone_pipeline(base, without_weights=others)
    for name in others:
        nlp.remove_pipe(name)
    uses_vectors = "vectors" in features or bool(needed)
    if not uses_vectors and nlp.vocab.vectors.n_keys:
        nlp.vocab.reset_vectors(width=0)
    nlp.meta.pop(COUNTS_KEY, None)
    return nlp


def _tagging_components(nlp: Language) -> list[str]:
    """Return the components that set tags or parts of speech, and those that they listen to."""
    metas = {name: nlp.get_pipe_meta(name) for name in nlp.pipe_names}
    tagging = {
        name
        for name, meta in metas.items()
        if {"token.tag", "token.pos"} & set(meta.assigns) or meta.factory == "attribute_ruler"
    }
    sources = {
        name
        for name, component in nlp.pipeline
        if tagging.intersection(getattr(component, "listening_components", ()))
    }
    sets_tags = any("token.tag" in metas[name].assigns for name in tagging)
    sets_pos = any("token.pos" in metas[name].assigns for name in tagging)
    return sorted(tagging | sources) if sets_tags or sets_pos else []


def _vector_clusters(
    nlp: Language, docs: Sequence[Doc], pool: Sequence[str | Example], seed: int
) -> VectorClusters | None:
    words = {token.text for doc in docs for token in content_tokens(doc)}
    for one in pool:
        words.update(_words(nlp, one))
    return cluster_vectors(nlp.vocab, words, seed=seed)


# Fitting.


def _fit(
    texts: TypedTexts,
    gold: Sequence[Sequence[int]],
    labels: tuple[str, ...],
    extractor: FeatureExtractor,
    *,
    c2: float,
    iterations: int,
) -> CrfModel:
    """Fit the weights; features are passed as numbers, so that no text needs to be encoded."""
    features: dict[str, int] = {EDGE: 0}
    for one in texts.features:
        for name in one:
            features.setdefault(name, len(features))
    attributes = [_attributes(one, features) for one in (*texts.features, (EDGE,))]
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": 0.0, "c2": c2, "max_iterations": iterations})
    edge, reach = len(texts.features), max(OFFSETS)
    seen: set[int] = set()
    for types, tags in zip(texts.types, gold, strict=True):
        padded = [*[edge] * reach, *types.tolist(), *[edge] * reach]
        shifted = (
            [attributes[one][k] for one in padded[reach + o : len(padded) - reach + o]]
            for k, o in enumerate(OFFSETS)
        )
        items = [[_BIAS, *chain.from_iterable(own)] for own in zip(*shifted, strict=True)]
        # A text is cut where its annotation is unknown: no transition leads there.
        for is_known, part in groupby(range(len(tags)), key=lambda i: tags[i] != _MISSING):
            if is_known:
                places = list(part)
                trainer.append([items[i] for i in places], [str(tags[i]) for i in places])
                seen.update(tags[i] for i in places)
    states, moves = _train(trainer)
    tags_count = 1 + 2 * len(labels)
    weights = np.zeros((len(features) + 1, len(OFFSETS), tags_count), np.float32)
    # A tag that was never seen has no weights, and is never predicted.
    bias = np.full(tags_count, -np.inf, np.float32)
    bias[sorted(seen)] = 0.0
    transitions = np.zeros((tags_count, tags_count), np.float32)
    rows, columns, found = states
    is_bias = rows < 0
    bias[columns[is_bias]] = found[is_bias]
    weights.reshape(-1, tags_count)[rows[~is_bias], columns[~is_bias]] = found[~is_bias]
    rows, columns, found = moves
    transitions[rows, columns] = found
    return CrfModel(labels, features, weights, bias, transitions, extractor)


def _attributes(names: Iterable[str], rows: Mapping[str, int]) -> list[list[str]]:
    """Return for each offset the numbers of the features of a token at that offset."""
    found: list[list[str]] = [[] for _ in OFFSETS]
    for name in names:
        for offset in offsets_of(name):
            column = OFFSETS.index(offset)
            found[column].append(str(rows[name] * len(OFFSETS) + column))
    return found


#: Names, tags and weights of the features, or tags, tags and weights of the transitions.
_Weights = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]


def _train(trainer: Any) -> tuple[_Weights, _Weights]:
    """Train, and return the weights of the features and of the transitions."""
    with tempfile.TemporaryDirectory() as folder:
        model, dump = Path(folder) / "model", Path(folder) / "dump"
        trainer.train(str(model))
        tagger = pycrfsuite.Tagger()
        tagger.open(str(model))
        tagger.dump(str(dump))
        tagger.close()
        text = dump.read_text(encoding="utf-8")
    head, _, states = text.partition("STATE_FEATURES")
    moves = head.partition("TRANSITIONS")[2]
    return _parse_weights(states), _parse_weights(moves)


def _parse_weights(text: str) -> _Weights:
    """Read lines of a dump, such as ``(0) 12 --> 3: 0.5``; the name of the bias is -1."""
    lines = text[text.index("{") + 1 : text.rindex("}")].replace(_BIAS, "-1")
    for mark in ("(0)", "(1)", "-->", ":"):
        lines = lines.replace(mark, " ")
    values = np.array([]) if lines.isspace() else np.fromstring(lines, sep=" ")
    names, tags, weights = values.reshape(-1, 3).T
    if not np.isfinite(weights).all():
        raise TrainingError(
            "training has diverged: some weights are no numbers. Use a larger c2=, such as "
            f"{C2}, or fewer iterations."
        )
    return names.astype(np.intp), tags.astype(np.intp), weights
