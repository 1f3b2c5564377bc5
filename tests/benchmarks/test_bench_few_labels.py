"""The fast learner on few sentences of protocols: F, and CPU seconds of training and prediction.

One draw and one fixed set of 500 sentences of the dev part: single figures, to
be read beside the spread over draws, which is 1 to 2 F for the random field.
"""

from __future__ import annotations

import time
from random import Random

import pytest

import nbner
from nbner.evaluation.scores import score
from nbner.nlp.pipeline import load_base
from nbner.nlp.prediction import predict
from nbner.training.crf import train_crf

SIZES = {50: 0.49, 100: 0.545, 200: 0.595, 500: 0.645}  # sentences, and the F that is aimed at
TEST, POOL = 500, 1000  # sentences
DRAW = 1
TOLERANCE = 0.04  # of one draw


@pytest.fixture(scope="module")
def corpus(data):
    with nbner.Session("few", store=":memory:") as session:
        session.add(data / "protocols/train.conll", split="train")
        session.add(data / "protocols/dev.conll", split="dev")
        yield session.examples("train"), session.examples("dev")[:TEST], session.labels


@pytest.mark.timeout(900)
def test_f_of_the_random_field(corpus, say):
    train, test, labels = corpus
    order = Random(DRAW).sample(train, max(SIZES) + POOL)
    pool = [one.text for one in order[max(SIZES) :]]
    base = load_base("blank:en")
    for size, wanted in SIZES.items():
        figures = []
        for texts in ((), pool):
            start = time.process_time()
            nlp = train_crf(base, order[:size], labels=labels, pool_texts=texts)
            seconds = time.process_time() - start
            figures.append((f_of(nlp, test, labels), seconds))
        (f, seconds), (f_pool, seconds_pool) = figures
        say(
            f"protocols, {size} sentences, F (CPU s of training)",
            f"{f:.3f} ({seconds:.1f}); with clusters of {POOL:,} texts {f_pool:.3f} "
            f"({seconds_pool:.1f})",
            wanted,
        )
        assert max(f, f_pool) >= wanted - TOLERANCE
    start = time.process_time()
    done = sum(1 for _ in predict(nlp, train[:1000]))
    say("protocols, CPU s to predict 1,000 sentences", f"{time.process_time() - start:.2f}", "")
    assert done == 1000


def f_of(nlp, examples, labels):
    return score([one.spans for one in examples], predict(nlp, examples), labels=labels).exact.f
