"""Learners for tests, named as "stub_learners:name"; they run in another process."""

import os
import time
from pathlib import Path

import spacy
from spacy.training import Example as SpacyExample

from nbner.nlp.pipeline import clone_pipeline


def learn(base, train_examples, *, labels, pool_texts=(), seed=0):
    """Train a small recognizer for a few steps, in less than a second."""
    assert list(pool_texts), "the pool's texts come along"
    spacy.util.fix_random_seed(seed)
    nlp = clone_pipeline(base)
    ner = nlp.get_pipe("ner")
    for label in labels:
        ner.add_label(label)
    gold = [
        SpacyExample.from_dict(
            nlp.make_doc(one.text), {"entities": [(s.start, s.end, s.label) for s in one.spans]}
        )
        for one in train_examples
    ]
    optimizer = nlp.initialize(lambda: gold[:50])
    for _ in range(8):
        nlp.update(gold[-40:], sgd=optimizer)
    return nlp


def fail(base, train_examples, **options):
    raise RuntimeError("no memory for the weights")


def die(base, train_examples, **options):
    """End as a process does that the system kills."""
    os._exit(9)


def learn_once_allowed(base, train_examples, **options):
    """Wait for a file whose path an environment variable names, as long as the test lasts."""
    while not Path(os.environ["NBNER_TEST_ALLOW"]).exists():
        time.sleep(0.02)
    return learn(base, train_examples, **options)
