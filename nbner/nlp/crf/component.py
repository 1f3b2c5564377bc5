"""spaCy component ``nbner_crf``: entity recognition by a conditional random field.

``spacy.load`` restores it after ``import nbner``, and through the entry point
without the import where nbner is installed. It is trained by
`nbner.training.crf.train_crf`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from spacy.language import Language
from spacy.scorer import get_ner_prf
from spacy.tokens import Span

from nbner._common.annotations import resolve_annotations
from nbner._common.checksums import append_checksum, split_checksum
from nbner.errors import ModelError
from nbner.nlp.crf.features import OUTSIDE_FEATURES, content_tokens, extract_features
from nbner.nlp.crf.model import (
    OUTSIDE_TAG,
    CrfModel,
    begin_tag,
    inside_tag,
    stack_scores,
    tags_to_entities,
    viterbi,
)
from nbner.nlp.entity_component import EntityComponent

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.tokens import Doc
    from spacy.training import Example
    from typing_extensions import Self

FACTORY = "nbner_crf"
FILE_NAME = "crf.bin"
_BEGIN, _IN = 3, 1  # spaCy's ENT_IOB; "outside" and "missing" bind nobody
_SET = (_BEGIN, _IN)
MAX_TOKENS = 4_000  # tokens, padding included, that are scored together


class CrfRecognizer(EntityComponent):
    """Recognizes entities with a linear-chain conditional random field.

    Entities and blocked tokens that an earlier component has set are kept, as
    spaCy's recognizer keeps them.

    Parameters
    ----------
    name : str
        Name of the component in the pipeline.
    features : sequence of str
        Outside features: "tags" (tags and parts of speech), "vectors" (clusters
        of word vectors).
    model : CrfModel, optional
        The weights; None before training.

    Raises
    ------
    ModelError
        There is no such feature.
    """

    def __init__(
        self, name: str = FACTORY, *, features: Sequence[str] = (), model: CrfModel | None = None
    ) -> None:
        unknown = [one for one in features if one not in OUTSIDE_FEATURES]
        if unknown:
            raise ModelError(
                f"there is no outside feature {unknown[0]!r}. Use "
                f"{' and '.join(repr(one) for one in OUTSIDE_FEATURES)}, or none."
            )
        self.name = name
        self.features = tuple(features)
        self.crf = model

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, sorted; empty before training."""
        return () if self.crf is None else self.crf.labels

    @property
    def label_data(self) -> list[str]:
        """The labels, as spaCy's configs hold them."""
        return list(self.labels)

    def token_scores(self, docs: Sequence[Doc]) -> list[NDArray[np.float64]]:
        """Score the tags of the tokens of docs.

        Parameters
        ----------
        docs : sequence of Doc
            As the component receives them.

        Returns
        -------
        list of array, shape (tokens that are no whitespace, tags)
            -inf for a tag that contradicts what an earlier component has set.

        Raises
        ------
        ModelError
            The component has not been trained.
        """
        crf = self.trained_model()
        scores = crf.token_scores(extract_features(docs, crf.extractor))
        for doc, one in zip(docs, scores, strict=True):
            if doc.has_annotation("ENT_IOB"):
                _apply_preset(doc, one, crf.labels)
        return scores

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        """Compute precision, recall and F, as spaCy's recognizer does.

        Parameters
        ----------
        examples : iterable of spacy.training.Example
            Predicted and gold docs.
        **kwargs
            Ignored; part of spaCy's signature.
        """
        found: dict[str, Any] = get_ner_prf(examples)
        return found

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:  # noqa: ARG002 - spaCy's signature
        """Serialize the weights; empty before training.

        Parameters
        ----------
        exclude : iterable of str
            Ignored; part of spaCy's signature.
        """
        return b"" if self.crf is None else self.crf.to_bytes()

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Self:  # noqa: ARG002
        """Restore the weights.

        Parameters
        ----------
        data : bytes
            Output of `to_bytes`.
        exclude : iterable of str
            Ignored; part of spaCy's signature.

        Raises
        ------
        ModelError
            The bytes hold no weights that this version can read.
        """
        self.crf = CrfModel.from_bytes(data) if data else None
        return self

    def sample_bytes(self, size: int) -> bytes:
        """Return a sample of each array of weights, to notice that they have changed.

        Parameters
        ----------
        size : int
            Values of an array at most, about.
        """
        if self.crf is None:
            return b""
        arrays = (self.crf.weights, self.crf.bias, self.crf.transitions)
        flat = [array.reshape(-1) for array in arrays]
        return b"".join(one[:: max(1, one.size // size)].tobytes() for one in flat)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the weights to a folder.

        Parameters
        ----------
        path : str or Path
            The folder, created if need be.
        exclude : iterable of str
            Ignored; part of spaCy's signature.
        """
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        data = self.to_bytes(exclude=exclude)
        # In the file alone: fingerprints are of the bytes without it.
        (folder / FILE_NAME).write_bytes(append_checksum(data) if data else b"")

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Read the weights from a folder.

        Parameters
        ----------
        path : str or Path
            The folder.
        exclude : iterable of str
            Ignored; part of spaCy's signature.

        Raises
        ------
        ModelError
            The file is damaged, or of a version that this one cannot read.
        """
        file = Path(path) / FILE_NAME
        try:
            data = split_checksum(file.read_bytes())
        except ValueError as error:
            raise ModelError(
                f"the weights of nbner_crf in {file} are not as they were saved: {error}. Take "
                "the file from a copy, or train the model anew."
            ) from error
        return self.from_bytes(data, exclude=exclude)

    def trained_model(self) -> CrfModel:
        """Return the weights.

        Raises
        ------
        ModelError
            The component has not been trained.
        """
        if self.crf is None:
            raise ModelError(
                f"the component {self.name!r} has not been trained. Train it with "
                "nbner.training.crf.train_crf, or load a trained pipeline."
            )
        return self.crf

    def _decided_labels(self) -> tuple[str, ...]:
        return ()  # what is set before a recognizer stays

    def _find_entities(self, docs: Sequence[Doc]) -> list[list[Span]]:
        crf = self.trained_model()
        scores = self.token_scores(docs)
        found: list[list[Span]] = [[] for _ in docs]
        for batch in batch_lengths([len(one) for one in scores]):
            stacked = stack_scores([scores[i] for i in batch], crf.masked_transitions)
            _, tags = viterbi(stacked)
            for row, i in enumerate(batch):
                places = [token.i for token in content_tokens(docs[i])]
                found[i] = [
                    Span(docs[i], places[start], places[end - 1] + 1, crf.labels[label])
                    for start, end, label in tags_to_entities(tags[row, : len(places)].tolist())
                ]
        return found


@Language.factory(
    FACTORY,
    default_config={"features": []},
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
@resolve_annotations
def make_crf(nlp: Language, name: str, features: list[str]) -> CrfRecognizer:  # noqa: ARG001
    """Build the component from a pipeline's config.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    name : str
        Name of the component in the pipeline.
    features : list of str
        Outside features; see `CrfRecognizer`.
    """
    return CrfRecognizer(name, features=features)


def batch_lengths(lengths: Sequence[int], max_tokens: int = MAX_TOKENS) -> Iterator[list[int]]:
    """Group texts of similar length, so that a batch has a bounded number of tokens.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each text; texts without any are left out.
    max_tokens : int
        Tokens of a batch, padding included. A longer text is a batch of its own.

    Yields
    ------
    list of int
        Indices of texts, longest first.
    """
    order = sorted((i for i, n in enumerate(lengths) if n), key=lambda i: -lengths[i])
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > max_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _apply_preset(doc: Doc, scores: NDArray[np.float64], labels: Sequence[str]) -> None:
    """Leave each token that is set before only the tag it has; see `preset_tags`."""
    for place, tag in preset_tags(doc, labels).items():
        scores[place, np.arange(scores.shape[1]) != tag] = -np.inf
        # A tag that a first token cannot have does not occur here.
    for place in _continuations(doc):
        scores[place, inside_tag(0) :: 2] = -np.inf


def preset_entities(doc: Doc) -> tuple[tuple[Span, ...], list[int]]:
    """Return the entities that are set before the recognizer runs, and all tokens that are.

    Parameters
    ----------
    doc : Doc
        As the component receives it.

    Returns
    -------
    (tuple of spacy.tokens.Span, list of int)
        Blocked tokens are among the tokens, and in no entity.
    """
    return tuple(doc.ents), [token.i for token in doc if token.ent_iob in _SET]


def preset_tags(doc: Doc, labels: Sequence[str]) -> dict[int, int]:
    """Return the tags of the tokens that an earlier component has annotated or blocked.

    Parameters
    ----------
    doc : Doc
        As the component receives it.
    labels : sequence of str
        The model's labels.

    Returns
    -------
    dict
        Index among the tokens that are no whitespace to tag. An entity of a
        label that the model does not know counts as outside.
    """
    found: dict[int, int] = {}
    was_begun = False
    for place, token in enumerate(content_tokens(doc)):
        if token.ent_iob not in _SET:
            was_begun = False
            continue
        begins = token.ent_iob == _BEGIN or not was_begun
        if not token.ent_type_ or token.ent_type_ not in labels:
            found[place] = OUTSIDE_TAG
        else:
            label = labels.index(token.ent_type_)
            found[place] = begin_tag(label) if begins else inside_tag(label)
        was_begun = True
    return found


def _continuations(doc: Doc) -> list[int]:
    """Return the tokens right after a preset entity, which must not continue it."""
    tokens = content_tokens(doc)
    return [
        place
        for place in range(1, len(tokens))
        if tokens[place].ent_iob not in _SET and tokens[place - 1].ent_iob in _SET
    ]
