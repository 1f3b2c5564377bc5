"""The decoder beside greedy parsing and spaCy's beam, as ratios within one run."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time

import numpy as np
import pytest

from nbner.decoding.api import lattices, parses, span_probabilities
from nbner.decoding.constraints import Constraints
from nbner.io import formats
from nbner.types import Span

pytestmark = pytest.mark.timeout(3000)

SENTENCES = 1000
WIDTHS = (1, 2, 4, 8, 16, 32, 64)
REPEATS = 3
MOST = {64: 1.5, 256: 2.5}
MOST_MARGINALS = 1.5
LEAST_BEAM = 15
MOST_REDECODE = 5.0  # milliseconds
EXHAUSTIVE = 8000  # more than three tokens of 18 labels have analyses
MOST_GROWTH = 1.1

# Prints the peak memory in MB before and after, and the seconds between.
MEASURE = """
import itertools, sys, time
import spacy
from nbner.io import formats
from nbner.decoding.api import parses, span_probabilities

def peak():
    # A new process begins with its parent's getrusage figure; this one begins anew.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

folder, data, how, size, longest = sys.argv[1:]
nlp = spacy.load(folder)
texts = [row.text for row in formats.read(data)]
longest = int(longest) or None
if how == "one":
    words = [w for w in " ".join(texts).split(" ") if w][: int(size)]
    items = [" ".join(words)]
else:
    items = itertools.islice(itertools.cycle(texts), int(size))
for _ in nlp.pipe(texts):  # the vocabulary is filled
    pass
before, start = peak(), time.perf_counter()
if how == "marginals":
    count = sum(1 for _ in span_probabilities(nlp, items, max_span_length=longest))
else:
    count = sum(1 for _ in parses(nlp, items, 64, max_span_length=longest))
print(before, peak(), time.perf_counter() - start, count)
"""


@pytest.fixture(params=["protocols", "wnut17"])
def corpus(request, trained_on, data):
    """Name a corpus; give its pipeline and the first dev sentences."""
    session, _ = trained_on(request.param)
    rows = formats.read(data / request.param / "dev.conll")
    return request.param, session.nlp, [row.text for row in itertools.islice(rows, SENTENCES)]


def seconds(work):
    start = time.perf_counter()
    for _ in work():
        pass
    return time.perf_counter() - start


def ratio(ours, theirs):
    """Give the median of how much longer ours takes, measured in turn."""
    return statistics.median(seconds(ours) / seconds(theirs) for _ in range(REPEATS))


@pytest.mark.parametrize("k", MOST)
def test_exact_lists_beside_greedy(corpus, say, k):
    name, nlp, texts = corpus
    found = ratio(lambda: parses(nlp, texts, k), lambda: nlp.pipe(texts))
    say(
        f"{name}: exact {k} best, lattice included, beside nlp.pipe",
        f"{found:.2f}",
        f"<= {MOST[k]}",
    )
    assert found <= MOST[k]


def test_marginals_beside_greedy(corpus, say):
    name, nlp, texts = corpus
    found = ratio(lambda: span_probabilities(nlp, texts), lambda: nlp.pipe(texts))
    say(f"{name}: marginals of all spans beside nlp.pipe", f"{found:.2f}", f"<= {MOST_MARGINALS}")
    assert found <= MOST_MARGINALS


def test_one_exact_list_beside_seven_beams(corpus, say):
    name, nlp, texts = corpus
    docs = [nlp.make_doc(text) for text in texts]
    recognizer = nlp.get_pipe("ner")

    def beams():
        for width in WIDTHS:
            for at in range(0, len(docs), 64):
                part = docs[at : at + 64]
                for beam in recognizer.beam_parse(part, beam_width=width, beam_density=0.0):
                    yield recognizer.moves.get_beam_parses(beam)

    exact = min(seconds(lambda: parses(nlp, texts, max(WIDTHS))) for _ in range(REPEATS))
    times = seconds(beams) / exact
    say(
        f"{name}: beam_parse at widths 1 to 64, as multiples of one exact 64 best",
        f"{times:.1f}",
        f">= {LEAST_BEAM}",
    )
    assert times >= LEAST_BEAM


def test_lists_equal_the_beams_where_it_is_exhaustive(corpus, say):
    name, nlp, texts = corpus
    short = [text for text in dict.fromkeys(texts) if len(nlp.make_doc(text)) <= 3][:20]
    short += [text.rsplit(" ", 1)[0] for text in texts if text.count(" ") == 3][:20]
    short = [text for text in short if 1 <= len(nlp.make_doc(text)) <= 3]
    beams = parses(nlp, short, EXHAUSTIVE, decoder="beam")
    same = 0
    for lattice, beam in zip(lattices(nlp, short, normalized=False), beams, strict=True):
        exact = lattice.k_best(EXHAUSTIVE)
        scores = [lattice.score_of(parse.spans) for parse in beam]
        # Two analyses whose scores differ in the last digits alone may change places.
        same += (
            len(exact) == len(beam) < EXHAUSTIVE
            and {parse.spans for parse in exact} == {parse.spans for parse in beam}
            and bool(np.allclose(scores, [parse.score for parse in exact], atol=1e-3))
        )
    say(
        f"{name}: lists identical to the beam's where it holds every analysis",
        f"{same} of {len(short)}",
        "all",
    )
    assert short
    assert same == len(short)


def test_memory_is_flat_in_sentences_and_bounded_for_a_long_text(trained, data, say, tmp_path):
    session, _ = trained
    session.nlp.to_disk(tmp_path / "model")

    def measured(how, size, longest=0):
        arguments = [tmp_path / "model", data / "protocols/dev.conll", how, size, longest]
        command = [sys.executable, "-c", MEASURE, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [float(one) for one in done.stdout.split()]

    for how in ("lists", "marginals"):
        few, many = measured(how, 2000), measured(how, 10_000)
        growth = many[1] / few[1]
        say(
            f"peak memory, {how} of 10,000 sentences",
            f"{many[1]:.0f} MB, of which {many[1] - many[0]:.0f} MB beyond nlp.pipe; "
            f"{growth:.2f} times that of 2,000",
            f"flat: <= {MOST_GROWTH} times",
        )
        assert growth <= MOST_GROWTH
    before, after, took, _ = measured("one", 20_000, 20)
    say(
        "peak memory, 64 best of one text of 20,000 words, entities of up to 20 tokens",
        f"{after:.0f} MB, of which {after - before:.0f} MB beyond nlp.pipe; {took:.1f} s",
        "stated",
    )


def test_searching_again_under_constraints(trained, data, say):
    session, _ = trained
    nlp = session.nlp
    texts = [row.text for row in formats.read(data / "protocols/dev.conll")]
    texts = [text for text in texts if 45 <= len(nlp.make_doc(text)) <= 55]
    taken = []
    for lattice in lattices(nlp, texts):
        for span in lattice.k_best(1)[0].spans:
            other = "Action" if span.label == "Method" else "Method"
            relabelled = Span(span.start, span.end, other)
            for fixed in (
                Constraints(forbidden=(span,)),
                Constraints(forced=(relabelled,)),
                Constraints(forced=(relabelled,), forbidden=(span,)),
            ):
                start = time.perf_counter()
                lattice.k_best(8, fixed)
                taken.append(1000 * (time.perf_counter() - start))
    median = statistics.median(taken)
    say(
        f"8 best again after a correction, median of {len(taken):,} in {len(texts)} texts of about "
        "50 tokens",
        f"{median:.1f} ms",
        f"<= {MOST_REDECODE} ms",
    )
    assert median <= MOST_REDECODE
