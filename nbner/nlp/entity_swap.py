"""Entity swap: copies of training sentences with their mentions exchanged within a type.

The mentions of a copy are drawn from all mentions of the same label in the
training data (Dai and Adel 2020, "An analysis of simple data augmentation for
named entity recognition": mention replacement).

The augmenter is registered with spaCy as ``nbner.entity_swap.v1``, so that
``spacy train`` makes the same copies from a saved config::

    [corpora.train.augmenter]
    @augmenters = "nbner.entity_swap.v1"
    path = ${paths.train}
    copies = 2
    seed = ${system.seed}
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example as SpacyExample
from spacy.util import registry
from spacy.vocab import Vocab

from nbner._common.alignment import tokens_from_offsets
from nbner._common.annotations import resolve_annotations
from nbner.nlp.pipeline import doc_from_example
from nbner.types import Example
from nbner.types import Span as TextSpan

if TYPE_CHECKING:
    from spacy.language import Language

ENTITY_SWAP = "nbner.entity_swap.v1"
COPIES = 2

#: The words of a mention, and for each but the last whether a space follows it.
Mention: TypeAlias = tuple[tuple[str, ...], tuple[bool, ...]]

_MISSING = 0  # value of ``Token.ent_iob``


@dataclass(frozen=True, slots=True)
class EntitySwap:
    """Makes copies of sentences with other mentions; a spaCy augmenter.

    The copies depend on the seed and on a sentence's words and entities, not on
    the global random number generators or on the order of the calls.

    Parameters
    ----------
    mentions : mapping
        Label to its mentions with distinct words in the training data, sorted.
    copies : int
        Copies of each sentence; those that equal it are left out.
    seed : int
        Seed of the draws.
    """

    mentions: Mapping[str, Sequence[Mention]]
    copies: int = COPIES
    seed: int = 0

    @classmethod
    def from_docs(cls, docs: Iterable[Doc], *, copies: int = COPIES, seed: int = 0) -> EntitySwap:
        """Collect the mentions of gold docs.

        Parameters
        ----------
        docs : iterable of Doc
            The training data.
        copies : int
            Copies of each sentence.
        seed : int
            Seed of the draws.
        """
        found: dict[str, dict[tuple[str, ...], Mention]] = {}
        for doc in docs:
            for entity in doc.ents:
                mention = _mention_of(entity)
                # Spaces do not count: a DocBin does not keep those of texts with their own tokens.
                found.setdefault(entity.label_, {}).setdefault(mention[0], mention)
        mentions = {
            label: tuple(some[words] for words in sorted(some)) for label, some in found.items()
        }
        return cls(mentions, copies, seed)

    def __call__(self, nlp: Language, example: SpacyExample) -> Iterator[SpacyExample]:
        """Yield a training example and its copies.

        Parameters
        ----------
        nlp : Language
            Its vocabulary takes the docs of the copies.
        example : spacy.training.Example
            A pair of a doc and its gold. Where the gold has no entity there
            are no copies.
        """
        yield example
        for doc in self.copies_of(example.reference, nlp.vocab):
            predicted = Doc(
                nlp.vocab,
                words=[token.text for token in doc],
                spaces=[bool(token.whitespace_) for token in doc],
            )
            yield SpacyExample(predicted, doc)

    def copies_of(self, doc: Doc, vocab: Vocab) -> Iterator[Doc]:
        """Yield the copies of a gold doc, with the tokens of its own words and of the new mentions.

        Tokens that are missing in the gold are missing in the copies. Spans
        that the gold lists as incorrect are not taken over.

        Parameters
        ----------
        doc : Doc
            The gold.
        vocab : Vocab
            Of the new docs.
        """
        if not doc.ents:
            return
        own = [token.text for token in doc]
        entities = [(one.start, one.end, one.label_) for one in doc.ents]
        draw = random.Random(f"{self.seed} {own} {entities}")  # noqa: S311
        for _ in range(self.copies):
            chosen = [draw.choice(self._choices(entity)) for entity in doc.ents]
            copy = _with_mentions(doc, chosen, vocab)
            if [token.text for token in copy] != own:
                yield copy

    def _choices(self, entity: Span) -> Sequence[Mention]:
        """Return the mentions of an entity's label; its own where there are none."""
        return self.mentions.get(entity.label_) or (_mention_of(entity),)


@resolve_annotations
def create_entity_swap(path: Path, copies: int = COPIES, seed: int = 0) -> EntitySwap:
    """Build the augmenter from a file of training data; the function that spaCy's registry names.

    Parameters
    ----------
    path : Path
        A ``.spacy`` file: the gold whose mentions are exchanged.
    copies : int
        Copies of each sentence.
    seed : int
        Seed of the draws.
    """
    docs = DocBin().from_disk(path).get_docs(Vocab())
    return EntitySwap.from_docs(docs, copies=copies, seed=seed)


registry.augmenters.register(ENTITY_SWAP, func=create_entity_swap)


def entity_swap_config() -> dict[str, object]:
    """Build the config of the augmenter, for the training corpus of a spaCy config."""
    return {
        "@augmenters": ENTITY_SWAP,
        "path": "${paths.train}",
        "copies": COPIES,
        "seed": "${system.seed}",
    }


def swap_entities(
    nlp: Language, examples: Sequence[Example], *, copies: int = COPIES, seed: int = 0
) -> list[Example]:
    """Return examples, each followed by its copies with other mentions.

    Parameters
    ----------
    nlp : Language
        The pipeline, for its tokenizer.
    examples : sequence of Example
        Answered examples. Only complete gold is copied, and only where all
        spans align with the tokens.
    copies : int
        Copies of each example.
    seed : int
        Seed of the draws.

    Returns
    -------
    list of Example
        The copies have their own tokens, and the answer and the labels of their
        example.
    """
    docs = [_gold_doc(nlp, one) for one in examples]
    swap = EntitySwap.from_docs([one for one in docs if one is not None], copies=copies, seed=seed)
    found: list[Example] = []
    for example, doc in zip(examples, docs, strict=True):
        found.append(example)
        if doc is not None:
            found += [_as_example(copy, example) for copy in swap.copies_of(doc, nlp.vocab)]
    return found


def _mention_of(entity: Span) -> Mention:
    return (
        tuple(token.text for token in entity),
        tuple(bool(token.whitespace_) for token in entity[:-1]),
    )


def _with_mentions(doc: Doc, mentions: Sequence[Mention], vocab: Vocab) -> Doc:
    """Build a doc in which each entity of a gold doc is replaced by a mention."""
    words: list[str] = []
    spaces: list[bool] = []
    places: list[tuple[int, int, str]] = []
    missing: list[int] = []
    at = 0

    def copy_until(end: int) -> None:
        for token in doc[at:end]:
            if token.ent_iob == _MISSING:
                missing.append(len(words))
            words.append(token.text)
            spaces.append(bool(token.whitespace_))

    for entity, (new_words, new_spaces) in zip(doc.ents, mentions, strict=True):
        copy_until(entity.start)
        places.append((len(words), len(words) + len(new_words), entity.label_))
        words += new_words
        spaces += [*new_spaces, bool(entity[-1].whitespace_)]
        at = entity.end
    copy_until(len(doc))
    copy = Doc(vocab, words=words, spaces=spaces)
    copy.set_ents(
        [Span(copy, start, end, label=label) for start, end, label in places],
        missing=[copy[i : i + 1] for i in missing],
        default="outside",
    )
    return copy


def _gold_doc(nlp: Language, example: Example) -> Doc | None:
    """Build the doc of complete gold with its spans; None where one is off the tokens."""
    if example.answer != "accept" or example.binary or not example.spans:
        return None
    doc = doc_from_example(nlp, example)
    entities = [doc.char_span(one.start, one.end, label=one.label) for one in example.spans]
    aligned = [one for one in entities if one is not None]
    if len(aligned) < len(entities):
        return None
    doc.set_ents(aligned, default="outside")
    return doc


def _as_example(doc: Doc, example: Example) -> Example:
    offsets = [(token.idx, token.idx + len(token)) for token in doc if not token.is_space]
    return replace(
        example,
        text=doc.text,
        tokens=tokens_from_offsets(doc.text, offsets),
        spans=tuple(TextSpan(one.start_char, one.end_char, one.label_) for one in doc.ents),
        pretokenized=True,
        input_hash=0,
    )
