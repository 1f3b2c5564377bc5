"""Deciding by expected F against greedy decoding, on texts that chose nothing.

    make bench DATA=path ARGS="-k expected_f"

SETS= and SEEDS= say how much is run: by default protocols with 100, 300 and 1,000
sentences and politics with all of its 200, three draws each. MODELS= is a folder in
which the trained sessions are kept, and found again.
"""

import os
import random
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import pytest

import nbner
from nbner._common.bootstrap import Bootstrap, difference, micro_f_at
from nbner.decoding.api import MAX_SPAN_LENGTH, span_probabilities
from nbner.decoding.decision.component import without_decision
from nbner.decoding.decision.span_sets import filter_spans
from nbner.nlp.prediction import predict

SETS = os.environ.get("SETS", "protocols:100 protocols:300 protocols:1000 politics:200").split()
SEEDS = [int(one) for one in os.environ.get("SEEDS", "0 1 2").split()]
MAX_TEST = 1500
TARGET_GAIN, TARGET_LOSS = 0.015, -0.005


@pytest.mark.timeout(14400)
def test_expected_f_against_greedy(data, say, tmp_path):
    kept = Path(os.environ.get("MODELS", tmp_path))
    kept.mkdir(parents=True, exist_ok=True)
    gains = {}
    for one in SETS:
        name, size = one.split(":")
        for seed in SEEDS:
            store = kept / f"{name}-{size}-{seed}.db"
            if not store.exists():
                train(data / name, store, int(size), seed)
            with nbner.Session(name, store=store, seed=seed) as session:
                gain = measure(session, say, f"{name}, {size}, seed {seed}")
            gains.setdefault(name, []).append(gain)
    for name, some in gains.items():
        target = "+1.5 on protocols; none below -0.5"
        mean = 100 * sum(one.value for one in some) / len(some)
        least = 100 * min(one.value for one in some)
        say(f"{name}: mean gain, least", f"{mean:+.1f}, {least:+.1f} F", target)
    every = [one for some in gains.values() for one in some]
    assert min(one.value for one in every) > TARGET_LOSS
    assert np.mean([one.value for one in gains.get("protocols", every)]) > TARGET_GAIN


def train(folder, store, size, seed):
    """Train on a draw; the held-out gold is a quarter as large, and 100 texts at least."""
    sentences, dev, test = (list(read(folder, part)) for part in ("train", "dev", "test"))
    draw = random.Random(seed)
    draw.shuffle(sentences)
    draw.shuffle(dev)
    held_out = max(100, size // 4)
    with nbner.Session(folder.name, store=store, seed=seed) as session:
        session.add(sentences[:size], split="train")
        session.add(dev[:held_out], split="dev")
        session.add(test or dev[held_out:], split="test")
        session.train(progress=False)


def read(folder, part):
    for ending in ("conll", "txt"):
        if (folder / f"{part}.{ending}").exists():
            return nbner.read(folder / f"{part}.{ending}", format="conll")
    return []


def measure(session, say, what):
    """Decide on dev, say what that does on test, and return the gain with its interval."""
    gold = session.context.gold("test")[:MAX_TEST]
    greedy_nlp = without_decision(session.nlp)
    greedy, first = timed(predict, greedy_nlp, gold)
    report, fitted = timed(session.model.decide, progress=False)
    try:
        decided, second = timed(predict, session.nlp, gold)
    finally:
        session.model.decide("greedy")
    threshold = report.row("greedy, filtered").threshold
    known = span_probabilities(
        greedy_nlp, gold, max_span_length=MAX_SPAN_LENGTH, temperature=report.temperature
    )
    filtered = [
        filter_spans(spans, one.spans, threshold) for spans, one in zip(greedy, known, strict=True)
    ]
    counts = [
        [count(one.spans, spans) for one, spans in zip(gold, some, strict=True)]
        for some in (greedy, decided, filtered)
    ]
    resamples = Bootstrap(np.concatenate([np.array(one) for one in counts], axis=1))
    f = [partial(micro_f_at, column) for column in (0, 3)]
    gain = resamples.estimate(partial(difference, f[1], f[0]))
    for name, some in zip(("greedy", "expected F", "greedy, filtered"), counts, strict=True):
        tp, fp, fn = np.sum(some, axis=0)
        p, r = tp / max(1, tp + fp), tp / max(1, tp + fn)
        say(
            f"{what}, {name}",
            f"{100 * 2 * p * r / (p + r):.1f} F ({100 * p:.0f}/{100 * r:.0f})",
            "stated",
        )
    say(
        f"{what}, gain",
        f"{100 * gain.value:+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f}); theta "
        f"{report.threshold:.3f}, temperature {report.temperature}, filter {threshold}; on dev "
        f"{100 * report.gain.value:+.1f}",
        "above 0",
    )
    say(f"{what}, seconds to decide", f"{fitted:.1f}", "stated")
    say(f"{what}, time to predict over greedy", f"{second / first:.2f}", "about 2")
    return gain


def timed(function, *arguments, **more):
    begun = process_time()
    found = function(*arguments, **more)
    found = found if hasattr(found, "frame") else list(found)
    return found, process_time() - begun


def count(gold, spans):
    hits = len(set(gold) & set(spans))
    return hits, len(spans) - hits, len(gold) - hits
