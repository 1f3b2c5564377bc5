"""Features of tokens for a linear-chain conditional random field.

The features of a token are those of its own form and of the forms of the two
tokens on either side: the word, its lower case, its shape, the clusters of the
word, and what earlier components of the pipeline say about the token. Prefixes
and suffixes of 1 to 4 characters, in lower case, are features of the token
alone: those of its neighbors cost 2 to 3 F on held-out parts of the training
data, at 50 to 200 sentences. Whitespace tokens are no tokens here: they have no
features and are nobody's neighbors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nbner.nlp.crf.clusters import VectorClusters, WordClusters

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.tokens import Doc, Token

#: Positions of the tokens whose features a token has, relative to it.
OFFSETS = (-2, -1, 0, 1, 2)
MAX_AFFIX = 4  # characters of the longest prefix and suffix
#: Feature of the positions before the first and after the last token.
EDGE = "edge"
#: Outside features: what earlier components, or the pipeline's vectors, say about a token.
OUTSIDE_FEATURES = ("tags", "vectors")
_PREFIX, _SUFFIX = "prefix=", "suffix="
_LONGEST_WORD = 100  # characters of a word that features look at
_LONGEST_RUN = 4  # equal characters in a row that a shape shows


@dataclass(frozen=True, slots=True)
class FeatureExtractor:
    """Extracts the features of tokens.

    Parameters
    ----------
    clusters : WordClusters, optional
        Clusters of words from unlabelled texts.
    outside : tuple of str
        Names from `OUTSIDE_FEATURES`.
    vector_clusters : VectorClusters, optional
        Clusters of the pipeline's word vectors, where ``outside`` has
        "vectors".
    """

    clusters: WordClusters | None = None
    outside: tuple[str, ...] = ()
    vector_clusters: VectorClusters | None = None

    def token_types(self, doc: Doc) -> list[tuple[str, ...]]:
        """Return for each token that is no whitespace what its own features depend on.

        Parameters
        ----------
        doc : Doc
            After the components that the outside features need.

        Returns
        -------
        list of tuple of str
            The word, then the token's tag and part of speech where they are
            features.
        """
        if "tags" in self.outside:
            return [(t.text, t.tag_, t.pos_) for t in doc if not t.is_space]
        return [(t.text,) for t in doc if not t.is_space]

    def features(self, token_type: tuple[str, ...], doc: Doc) -> list[str]:
        """Return the features of a token's own form.

        Parameters
        ----------
        token_type : tuple of str
            From `token_types`.
        doc : Doc
            A doc with the token, for the vectors of its vocabulary.
        """
        word = token_type[0]
        found = word_features(word)
        if self.clusters is not None:
            found += self.clusters.features(word)
        if self.vector_clusters is not None:
            found += self.vector_clusters.features(doc.vocab, word)
        found += [
            f"{name}={value}"
            for name, value in zip(("tag", "pos"), token_type[1:], strict=False)
            if value
        ]
        return found


def word_features(word: str) -> list[str]:
    """Return the features of a word: form, lower case, shape, and lower-case affixes.

    Parameters
    ----------
    word : str
        Any characters; of a very long word the first 100 are looked at.
    """
    word = word[:_LONGEST_WORD]
    found = [f"word={word}", f"lower={word.lower()}", f"shape={word_shape(word)}"]
    lowered = word.lower()
    for length in range(1, min(MAX_AFFIX, len(lowered)) + 1):
        found += [f"{_PREFIX}{lowered[:length]}", f"{_SUFFIX}{lowered[-length:]}"]
    return found


def offsets_of(feature: str) -> tuple[int, ...]:
    """Return at which of `OFFSETS` a feature counts: affixes of neighbors do not.

    Parameters
    ----------
    feature : str
        From `FeatureExtractor.features`.
    """
    return (0,) if feature.startswith((_PREFIX, _SUFFIX)) else OFFSETS


def word_shape(word: str) -> str:
    """Return the shape of a word: "X", "x" and "d" for letters and digits.

    Parameters
    ----------
    word : str
        The word.

    Returns
    -------
    str
        Runs of more than 4 equal characters are cut to 4, as in spaCy's shapes.
    """
    shape: list[str] = []
    for character in word:
        kind = _shape_of(character)
        if shape[-_LONGEST_RUN:] != [kind] * _LONGEST_RUN:
            shape.append(kind)
    return "".join(shape)


def _shape_of(character: str) -> str:
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return "d" if character.isdigit() else character


@dataclass(frozen=True, slots=True)
class TypedTexts:
    """Texts as indices of token types, with the features of each type.

    Parameters
    ----------
    types : tuple of array of int
        For each text the type of each token that is no whitespace.
    features : tuple of (tuple of str)
        Features of each type.
    """

    types: tuple[NDArray[np.intp], ...]
    features: tuple[tuple[str, ...], ...]


def extract_features(docs: Sequence[Doc], extractor: FeatureExtractor) -> TypedTexts:
    """Extract the features of all tokens of a batch of docs.

    Parameters
    ----------
    docs : sequence of Doc
        After the components that the outside features need.
    extractor : FeatureExtractor
        The features.
    """
    known: dict[tuple[str, ...], int] = {}
    features: list[tuple[str, ...]] = []
    texts: list[NDArray[np.intp]] = []
    for doc in docs:
        row: list[int] = []
        for one in extractor.token_types(doc):
            number = known.get(one)
            if number is None:
                number = known[one] = len(features)
                features.append(tuple(dict.fromkeys(extractor.features(one, doc))))
            row.append(number)
        texts.append(np.array(row, np.intp))
    return TypedTexts(tuple(texts), tuple(features))


def content_tokens(doc: Doc) -> list[Token]:
    """Return the tokens that are no whitespace.

    Parameters
    ----------
    doc : Doc
        A tokenized text.
    """
    return [token for token in doc if not token.is_space]


def unknown_outside_features(names: Iterable[str]) -> list[str]:
    """Return the names that are no outside features, in order.

    Parameters
    ----------
    names : iterable of str
        Names to check.
    """
    return [name for name in names if name not in OUTSIDE_FEATURES]
