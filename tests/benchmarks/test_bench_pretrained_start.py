"""What the layers of a trained pipeline bring to a new recognizer, on small sets.

    make bench DATA=path ARGS="-k pretrained_start"

PRETRAINED= names the pipeline (en_core_web_sm by default), SETS=, SIZES= and SEEDS=
how much is run: a run of 100 sentences takes about 20 seconds.
"""

import os
import random
from time import process_time

import pytest
import spacy

import nbner

SOURCE = os.environ.get("PRETRAINED", "en_core_web_sm")
SETS = os.environ.get("SETS", "protocols wnut17 politics").split()
SIZES = [int(one) for one in os.environ.get("SIZES", "100").split()]
SEEDS = [int(one) for one in os.environ.get("SEEDS", "0").split()]
MAX_TEST = 1000


@pytest.fixture(scope="session")
def without_recognizer(tmp_path_factory):
    """Folder of the pipeline without its recognizer, so that its tok2vec is taken."""
    path = tmp_path_factory.mktemp("source") / "model"
    nlp = spacy.load(SOURCE)
    nlp.remove_pipe("ner")
    nlp.to_disk(path)
    return path


@pytest.mark.timeout(14400)
def test_layers_of_a_trained_pipeline_against_new_ones(data, say, without_recognizer):
    starts = {"blank": None, "tok2vec": without_recognizer, "ner": SOURCE}
    gains = {"tok2vec": [], "ner": []}
    for name in SETS:
        train, dev, test = parts(data / name)
        for size in SIZES:
            for seed in SEEDS:
                found = {}
                for start, source in starts.items():
                    f, seconds = measured(train, dev, test, size, seed, source)
                    found[start] = f
                    say(
                        f"{name}, {size}, seed {seed}, {start}",
                        f"{f:.3f} F, {seconds:.0f} s",
                        "stated",
                    )
                for start, some in gains.items():
                    some.append(found[start] - found["blank"])
    for start, some in gains.items():
        say(f"mean gain of {start}", f"{100 * sum(some) / len(some):+.1f} F", "stated")


def measured(train, dev, test, size, seed, source):
    """Train on a draw, and return F on the test part and CPU seconds."""
    drawn = random.Random(seed).sample(train, size)
    with nbner.Session("bench", store=":memory:", seed=seed) as session:
        session.add(drawn, split="train")
        session.add(dev[: max(100, size // 4)], split="dev")
        session.add(test, split="test")
        begun = process_time()
        session.train(progress=False, init_from=source)
        return session.evaluate("test").f, process_time() - begun


def parts(folder):
    """Read train, dev and test; without a test file, the dev file is divided."""
    found = [list(read(folder, name)) for name in ("train", "dev", "test")]
    train, dev, test = found
    if not test:
        half = len(dev) // 2
        dev, test = dev[:half], dev[half:]
    return train, dev, test[:MAX_TEST]


def read(folder, name):
    for ending in ("conll", "txt"):
        if (folder / f"{name}.{ending}").exists():
            return nbner.read(folder / f"{name}.{ending}", format="conll")
    return []
