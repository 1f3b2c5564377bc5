"""From answers to what spaCy learns from: which tokens are certain, and which are missing.

An accepted example is complete gold: its spans, and outside of them nothing.
A span that was rejected is wrong there (spaCy's ``incorrect_spans_key``), and a
single span that was accepted is right; both say nothing of the rest of the text.

Two things make tokens of complete gold *missing*, which spaCy neither rewards nor punishes:

- A span that the tokens cannot express, or that begins or ends with
  whitespace: the tokens that it touches.
- A label that could not be given when the example was answered: every token
  outside the example's spans, since it might carry that label. Only labels
  that the training data holds count, for no other can be learnt.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spacy import training
from spacy.tokens import Doc, DocBin, Span

from nbner.errors import TrainingError
from nbner.nlp.pipeline import doc_from_example, doc_with_token_source, labels_of
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language

HELD_OUT = 0.2
INCORRECT_SPANS_KEY = "nbner_wrong"  # key of the spans that were rejected
THEMSELVES = "the training examples themselves"
DOCBIN_ATTRS = ("ENT_IOB", "ENT_TYPE")


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a run trains on and measures on.

    Parameters
    ----------
    train, dev : tuple of Example
        Accepted examples alone.
    dev_source : str
        Where ``dev`` is from, in words: "given", "held out ..." or "the
        training examples themselves ...".
    labels : tuple of str
        The labels that can be learnt here, in the session's order.
    partial_examples : tuple of Example
        Answers that are not complete gold, and say something all the same:
        spans that were rejected, and single spans that were accepted. All
        that lies outside of them is missing.
    """

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    dev_source: str
    labels: tuple[str, ...]
    partial_examples: tuple[Example, ...] = ()

    @property
    def has_incorrect_spans(self) -> bool:
        """Whether some of the hints are spans that were rejected."""
        return any(one.answer == "reject" for one in self.partial_examples)

    @property
    def has_separate_dev(self) -> bool:
        """Whether the dev examples are others than those that are learnt from."""
        return not self.dev_source.startswith(THEMSELVES)

    @property
    def missing_label_count(self) -> int:
        """How many training examples were answered before one of the labels existed."""
        return sum(lacks_labels(example, self.labels) for example in self.train)

    @property
    def fingerprint(self) -> str:
        """The first 12 hexadecimal digits of a SHA-256 over all examples, in their order."""
        rows = [[_plain(example) for example in part] for part in (self.train, self.dev)]
        hints = [[one.answer, *_plain(one)] for one in self.partial_examples]
        # Without hints it is what it was before there were any.
        packed = json.dumps([rows, self.labels, *([hints] if hints else [])], ensure_ascii=False)
        return hashlib.sha256(packed.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def split_corpus(
    train: Sequence[Example], dev: Sequence[Example], labels: Collection[str], seed: int
) -> Corpus:
    """Take the complete gold, and hold a part of it out where there is no dev gold.

    Parameters
    ----------
    train, dev : sequence of Example
        Whatever their answers; ignored and open ones are left out, and of
        rejected ones the spans are kept as hints.
    labels : collection of str
        All labels of the session, in order.
    seed : int
        Chooses what is held out.

    Raises
    ------
    TrainingError
        Nothing is accepted, nothing holds an entity, or a span has a label
        outside ``labels``.
    """
    accepted, measured = _accepted(train, labels), _accepted(dev, labels)
    if not accepted:
        raise TrainingError(
            "there is nothing to train on: no example of the split has been accepted. Answer some "
            "with session.manual(), or add gold with session.add(...)."
        )
    if not any(example.spans for example in accepted):
        raise TrainingError(
            f"there is nothing to learn: none of the {len(accepted):,} accepted examples holds an "
            "entity. Label at least one."
        )
    source = "given"
    if not any(example.spans for example in measured):
        why = "the dev examples hold no entity" if measured else "there are no dev examples"
        accepted, measured, source = _hold_out(accepted, seed, why)
    found = {span.label for example in accepted for span in example.spans}
    learnt = tuple(label for label in labels if label in found)
    hints = tuple(one for one in train if _is_hint(one, learnt))
    return Corpus(tuple(accepted), tuple(measured), source, learnt, hints)


def _is_hint(example: Example, labels: Collection[str]) -> bool:
    is_judged = example.answer == "reject" or (example.answer == "accept" and example.binary)
    return is_judged and bool(example.spans) and all(s.label in labels for s in example.spans)


def lacks_labels(example: Example, labels: Collection[str]) -> bool:
    """Whether one of the labels could not be given when the example was answered."""
    return example.labels is not None and not set(labels) <= set(example.labels)


def reference_doc(nlp: Language, example: Example, labels: Collection[str]) -> Doc:
    """Make the gold ``Doc`` of an accepted example.

    Parameters
    ----------
    nlp : Language
    example : Example
    labels : collection of str
        The labels that are being learnt; see `lacks_labels`.
    """
    doc, is_given = doc_with_token_source(nlp, example)
    return _gold(doc, example, labels, is_given=is_given)


def _gold(doc: Doc, example: Example, labels: Collection[str], *, is_given: bool) -> Doc:
    if example.answer == "reject":
        return _rejected(doc, example)
    unknown = example.binary or lacks_labels(example, labels)
    missing = set(range(len(doc))) if unknown else set()
    entities: list[Span] = []
    for span in example.spans:
        entity = doc.char_span(span.start, span.end, label=span.label)
        if entity is None or entity[0].is_space or entity[-1].is_space:
            missing |= {t.i for t in doc if t.idx < span.end and span.start < t.idx + len(t)}
        else:
            entities.append(entity)
    missing -= {token.i for entity in entities for token in entity}
    doc.set_ents(entities, missing=[doc[i : i + 1] for i in sorted(missing)], default="outside")
    # Only in what is written does it make a difference; see `write`.
    doc.has_unknown_spaces = is_given
    return doc


def _rejected(doc: Doc, example: Example) -> Doc:
    """Mark spans as wrong, and say nothing else."""
    found = (doc.char_span(one.start, one.end, label=one.label) for one in example.spans)
    doc.spans[INCORRECT_SPANS_KEY] = [span for span in found if span is not None]
    doc.set_ents([], default="missing")
    return doc


def training_examples(
    nlp: Language, examples: Sequence[Example], labels: Collection[str]
) -> list[training.Example]:
    """Pair each example's fresh ``Doc`` with its gold one, as spaCy trains on them."""
    docs = (doc_with_token_source(nlp, example) for example in examples)
    # Tokenizing takes its time, and copying a doc does not.
    return [
        training.Example(doc.copy(), _gold(doc, example, labels, is_given=is_given))
        for example, (doc, is_given) in zip(examples, docs, strict=True)
    ]


def is_expressible(nlp: Language, example: Example) -> bool:
    """Whether the pipeline could predict the example's spans, all of them.

    It cannot where its recognizer does not know a label, or where a span is
    off its tokens, or begins or ends with whitespace.
    """
    known = set(labels_of(nlp))
    if any(span.label not in known for span in example.spans):
        return False
    doc = doc_from_example(nlp, example)
    entities = [doc.char_span(span.start, span.end) for span in example.spans]
    return not any(e is None or e[0].is_space or e[-1].is_space for e in entities)


def write_docbin(pairs: Sequence[training.Example], path: Path) -> None:
    """Write gold as a ``DocBin`` from which ``spacy train`` makes the same training data.

    ``spacy train`` tokenizes each text anew, except where a doc's spaces are
    unknown; docs whose tokens are not the tokenizer's are marked as such by
    `reference_doc`. Read back, their texts have a space after every token.
    """
    DocBin(attrs=DOCBIN_ATTRS, docs=[pair.reference for pair in pairs]).to_disk(path)


def nested_subsets(
    examples: Sequence[Example], fractions: Sequence[float], seed: int
) -> list[tuple[Example, ...]]:
    """Draw growing parts of the examples, each within the next; none is without an entity.

    Parameters
    ----------
    examples : sequence of Example
    fractions : sequence of float
        Above 0, at most 1.
    seed : int
    """
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample, not a secret
    first = next((i for i in order if examples[i].spans), None)
    if first is not None:
        order.remove(first)
        order.insert(0, first)
    sizes = sorted({max(1, round(share * len(examples))) for share in fractions})
    return [tuple(examples[i] for i in order[:size]) for size in sizes]


def _accepted(examples: Sequence[Example], labels: Collection[str]) -> list[Example]:
    # A binary task shows one span and asks about that alone: never complete gold.
    found = [one for one in examples if one.answer == "accept" and not one.binary]
    strange = sorted({s.label for one in found for s in one.spans if s.label not in labels})
    if strange:
        raise TrainingError(
            f"accepted examples hold labels that the session does not know: {', '.join(strange)}. "
            "Name them in labels=, or use labels=None to take all labels of the data."
        )
    return found


def _hold_out(
    examples: list[Example], seed: int, why: str
) -> tuple[list[Example], list[Example], str]:
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample, not a secret
    # The first to go are those with entities, one by one with the others, so
    # that both parts have some even where entities are rare.
    with_entities = [i for i in order if examples[i].spans]
    size = max(1, round(HELD_OUT * len(examples)))
    if len(with_entities) < 2:
        return examples, examples, f"{THEMSELVES}, since {why}"
    chosen = set(order[:size])
    if chosen.isdisjoint(with_entities):
        chosen = {with_entities[0], *order[: size - 1]}
    elif chosen.issuperset(with_entities):
        chosen.discard(with_entities[-1])
    kept = [one for i, one in enumerate(examples) if i not in chosen]
    held = [one for i, one in enumerate(examples) if i in chosen]
    return kept, held, f"held out, {len(held):,} of {len(examples):,}, since {why}"


def _plain(example: Example) -> list[object]:
    tokens = [(t.start, t.end) for t in example.tokens] if example.pretokenized else None
    spans = [(s.start, s.end, s.label) for s in example.spans]
    return [example.text, tokens, spans, None if example.labels is None else list(example.labels)]
