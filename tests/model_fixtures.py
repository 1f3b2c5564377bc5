"""Fixtures with a small corpus that a model learns in seconds, and a model trained on it."""

from __future__ import annotations

import fcntl
import os
import random
from pathlib import Path

import pytest
import spacy
from spacy.training import Example as SpacyExample

from nbner.nlp.pipeline import load_base
from nbner.training.loop import train
from nbner.types import Example, Span, Token

LABELS = ("Action", "Amount", "Reagent")
VERBS = ("Add", "Pour", "Mix", "Stir", "Discard", "Heat")
AMOUNTS = ("5 ml", "10 µl", "two drops", "3 g", "half a litre")
REAGENTS = ("water", "LB broth", "ethanol", "🧪 buffer", "salt", "E. coli")
TAILS = ("carefully .", "into the flask .", "and wait .", ", then rest .")


def example_of(parts, **more):
    """Join (words, label or None) pairs into an example."""
    text, spans = "", []
    for words, label in parts:
        start = len(text) + bool(text)
        text = f"{text} {words}" if text else words
        if label:
            spans.append(Span(start, len(text), label))
    return Example(text, spans=tuple(spans), **{"answer": "accept", "labels": LABELS, **more})


def split_at_spaces(example):
    """Give an example the tokens between its spaces, as a CoNLL file would."""
    tokens, at = [], 0
    for word in example.text.split(" "):
        tokens.append(Token(word, at, at + len(word), ws=at + len(word) < len(example.text)))
        at += len(word) + 1
    return tuple(tokens)


def make_corpus(size, seed):
    draw = random.Random(seed)
    return [
        example_of(
            [
                (draw.choice(VERBS), "Action"),
                (draw.choice(AMOUNTS), "Amount"),
                ("of", None),
                (draw.choice(REAGENTS), "Reagent"),
                (draw.choice(TAILS), None),
            ]
        )
        for _ in range(size)
    ]


@pytest.fixture(scope="session")
def corpus():
    """Accepted examples to train on."""
    return make_corpus(60, seed=1)


@pytest.fixture(scope="session")
def dev():
    """Accepted examples to measure on."""
    return make_corpus(30, seed=2)


def train_briefly(base, examples, measured, output, **options):
    """Train to the end, and return the result."""
    options = {"labels": LABELS, "max_steps": 24, "eval_frequency": 12, **options}
    with train(base, examples, measured, output=output, **options) as training:
        for _ in training:
            pass
        return training.finish()


@pytest.fixture
def run(corpus, dev, tmp_path):
    """Train to the end, briefly, and give the result."""

    def to_the_end(base="blank:en", examples=corpus, measured=dev, **options):
        output = options.pop("output", tmp_path / "run")
        return train_briefly(base, examples, measured, output, **options)

    return to_the_end


@pytest.fixture(scope="session")
def finished(corpus, dev, tmp_path_factory):
    """Result of such a run with seed 3, which tests only look at or copy."""
    output = tmp_path_factory.mktemp("finished") / "run"
    return train_briefly("blank:en", corpus, dev, output, seed=3)


@pytest.fixture(scope="session")
def once_a_run(tmp_path_factory):
    """Build a folder in the first worker that needs it; the others wait for it.

    What is built is the same in all of them, is only read, and names no other folder.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own

    def built(name, build):
        found = shared / f"{name}.txt"
        with (shared / f"{name}.lock").open("w") as lock:
            # Closing the file, as a worker's end does, takes the lock away.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not found.exists():
                found.write_text(str(build(shared / name)), encoding="utf-8")
        return Path(found.read_text(encoding="utf-8"))

    return built


@pytest.fixture(scope="session")
def trained_path(corpus, dev, once_a_run):
    """Folder of a model that has learnt the corpus, one for all workers."""
    return once_a_run(
        "trained",
        lambda folder: (
            train_briefly("blank:en", corpus, dev, folder, max_steps=120, eval_frequency=None).path
        ),
    )


@pytest.fixture(scope="session")
def trained(trained_path):
    """That model, which tests only look at."""
    return load_base(trained_path)


@pytest.fixture
def make_example():
    return example_of


@pytest.fixture
def at_spaces():
    return split_at_spaces


# A pipeline as somebody else might have trained it: a tagger, a recognizer and rules.

PERSONS = ("Mina Kovac", "Tim Cook", "Anna Berg", "John Smith", "Ben Ito")
CITIES = ("Naples", "Berlin", "Rome", "Paris", "Oslo")
DAYS = ("Monday", "Tuesday", "Friday", "Sunday")


def travel_sentence(draw):
    """Draw a text with its persons, cities and days as (start, end, label)."""
    who, other, where, when = (draw.choice(some) for some in (PERSONS, PERSONS, CITIES, DAYS))
    person, city, day = (who, "PERSON"), (where, "GPE"), (when, "DATE")
    parts = draw.choice(
        [
            [person, " met ", (other, "PERSON"), " in ", city, " on ", day],
            ["In ", city, " ", person, " bought a lamp"],
            ["On ", day, " the shop of ", person, " is closed"],
            [person, " ate a soup in ", city],
        ]
    )
    text, spans = "", []
    for part in parts:
        words, label = part if isinstance(part, tuple) else (part, None)
        if label:
            spans.append((len(text), len(text) + len(words), label))
        text += words
    return text + ".", spans


@pytest.fixture(scope="session")
def travel_texts():
    """40 texts with persons, cities and days, and nothing else."""
    draw = random.Random(3)
    return list(dict.fromkeys(travel_sentence(draw)[0] for _ in range(60)))[:40]


@pytest.fixture(scope="session")
def travel_path(once_a_run):
    """Folder of a tagger, a recognizer of PERSON, GPE and DATE, and rules for PRODUCT."""
    return once_a_run("travel", build_travel_model)


def build_travel_model(path):
    spacy.util.fix_random_seed(0)
    draw = random.Random(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.add_pipe("ner")
    examples = []
    for _ in range(120):
        text, spans = travel_sentence(draw)
        doc = nlp.make_doc(text)
        tags = ["NNP" if token.text[0].isupper() else "NN" for token in doc]
        examples.append(SpacyExample.from_dict(doc, {"tags": tags, "entities": spans}))
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(8):
        draw.shuffle(examples)
        for batch in spacy.util.minibatch(examples, 16):
            nlp.update(batch, sgd=optimizer, drop=0.1)
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PRODUCT", "pattern": "lamp"}])
    nlp.to_disk(path)
    return path
