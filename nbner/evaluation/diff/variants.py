"""Predictions of one pipeline under changed conditions, to find the cause of a difference.

Each method predicts for the same examples under one changed condition:
sentence by sentence, with other tokens, without a component, with entities set
beforehand. `nbner.evaluation.diff.causes` compares the results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import spacy
from spacy.pipeline import EntityRuler
from spacy.pipeline.span_ruler import SpanRuler

from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import doc_from_example, recognizer_of, tokenizer_of
from nbner.nlp.prediction import predict, spans_of
from nbner.types import Example, Span, Token

if TYPE_CHECKING:
    from spacy.language import Language

Spans: TypeAlias = tuple[Span, ...]
Cut: TypeAlias = tuple[int, int]
Phrase: TypeAlias = tuple[str, str]

# Components that set sentence starts, which no entity crosses.
SPLITTERS = ("sentencizer", "senter", "parser")


class PipelineVariants:
    """Predictions of a pipeline under changed conditions.

    Parameters
    ----------
    nlp : Language
        The pipeline; it is not changed.
    """

    def __init__(self, nlp: Language) -> None:
        self.nlp = nlp
        self.tokenize = tokenizer_of(nlp)

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the pipeline."""
        return fingerprint(self.nlp)

    @property
    def rulers(self) -> tuple[str, ...]:
        """Components that set entities by rules."""
        rules = (EntityRuler, SpanRuler)
        return tuple(name for name, part in self.nlp.pipeline if isinstance(part, rules))

    @property
    def sentence_splitters(self) -> tuple[str, ...]:
        """Components before the recognizer that set sentence starts."""
        names = list(self.nlp.pipe_names)
        found = recognizer_of(self.nlp)
        before = names[: names.index(found[0])] if found else names
        return tuple(one for one in before if self.nlp.get_pipe_meta(one).factory in SPLITTERS)

    def predict(self, examples: Iterable[Example]) -> list[Spans]:
        """Predict under the usual conditions.

        Parameters
        ----------
        examples : iterable of Example
            The texts.
        """
        return list(predict(self.nlp, examples))

    def predict_segments(
        self, examples: Sequence[Example], cuts: Sequence[Sequence[Cut]]
    ) -> list[Spans]:
        """Predict for segments of each text one by one, with spans in the whole text.

        Parameters
        ----------
        examples : sequence of Example
            The texts.
        cuts : sequence of sequences of (int, int)
            The segments of each text, in code points.
        """
        texts = [
            example.text[start:end]
            for example, pieces in zip(examples, cuts, strict=True)
            for start, end in pieces
        ]
        found = iter(predict(self.nlp, texts))
        return [
            tuple(
                replace(span, start=span.start + start, end=span.end + start)
                for start, _ in pieces
                for span in next(found)
            )
            for pieces in cuts
        ]

    def predict_with_tokens(
        self, examples: Iterable[Example], tokenize: Callable[[str], tuple[Token, ...]]
    ) -> list[Spans]:
        """Predict with the tokens of another tokenizer.

        Parameters
        ----------
        examples : iterable of Example
            The texts.
        tokenize : callable
            From a text to its tokens.
        """
        cut = (
            replace(one, tokens=tokenize(one.text), pretokenized=True, spans=()) for one in examples
        )
        return list(predict(self.nlp, cut))

    def predict_without(
        self, examples: Iterable[Example], components: Sequence[str]
    ) -> list[Spans]:
        """Predict with some components disabled.

        Parameters
        ----------
        examples : iterable of Example
            The texts.
        components : sequence of str
            Names of the components.
        """
        with self.nlp.select_pipes(disable=list(components)):
            return list(predict(self.nlp, examples))

    def predict_with_preset(
        self, examples: Sequence[Example], spans: Sequence[Spans]
    ) -> list[Spans]:
        """Predict with entities that are set before the pipeline runs.

        Parameters
        ----------
        examples : sequence of Example
            The texts.
        spans : sequence of tuples of Span
            The entities of each text.
        """
        docs = []
        for example, fixed in zip(examples, spans, strict=True):
            doc = doc_from_example(self.nlp, example)
            found = (doc.char_span(one.start, one.end, label=one.label) for one in fixed)
            doc.set_ents([one for one in found if one is not None], default="missing")
            docs.append(doc)
        return [spans_of(doc) for doc in self.nlp.pipe(docs)]

    def predict_with_rules(
        self, examples: Sequence[Example], phrases: Iterable[Phrase], *, after: bool
    ) -> list[Spans]:
        """Predict with an entity ruler before the recognizer, or after it.

        Parameters
        ----------
        examples : sequence of Example
            The texts.
        phrases : iterable of (str, str)
            Phrases with their labels.
        after : bool
            Whether the ruler runs after the recognizer and overwrites its entities.
        """
        ruler = EntityRuler(self.nlp, overwrite_ents=True)
        ruler.add_patterns([{"label": label, "pattern": phrase} for phrase, label in phrases])
        docs = (doc_from_example(self.nlp, example) for example in examples)
        if after:
            return [spans_of(ruler(doc)) for doc in self.nlp.pipe(docs)]
        return [spans_of(doc) for doc in self.nlp.pipe(ruler(doc) for doc in docs)]


def sentence_ranges(lang: str, texts: Iterable[str]) -> list[tuple[Cut, ...]]:
    """Split texts into sentences at punctuation.

    Parameters
    ----------
    lang : str
        Language code of spaCy.
    texts : iterable of str
        The texts.

    Returns
    -------
    list of tuples of (int, int)
        The sentences of each text in code points, without the space between.
    """
    nlp = spacy.blank(lang)
    nlp.add_pipe("sentencizer")
    return [
        tuple((sentence.start_char, sentence.end_char) for sentence in doc.sents)
        for doc in nlp.pipe(texts)
    ]


def common_tokenizers(lang: str) -> dict[str, Callable[[str], tuple[Token, ...]]]:
    """Return tokenizers that other tools commonly use, by name.

    Parameters
    ----------
    lang : str
        Language code of spaCy.
    """
    found: dict[str, Callable[[str], tuple[Token, ...]]] = {"split at spaces": _at_spaces}
    if lang != "xx":
        found["spaCy's multi-language tokenizer"] = tokenizer_of(spacy.blank("xx"))
    if lang != "en":
        found["spaCy's English tokenizer"] = tokenizer_of(spacy.blank("en"))
    return found


def _at_spaces(text: str) -> tuple[Token, ...]:
    tokens, at = [], 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        tokens.append(Token(word, start, at, ws=text[at : at + 1] == " "))
    return tuple(tokens)
