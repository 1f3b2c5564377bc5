"""Labelling of a corpus: speed, overhead, memory, kills, and the time to resume.

Texts are protocols and headlines with a number each, so that no two are equal.
Sizes are set by the environment: ``CORPUS_TEXTS`` (100,000, for two workers),
``CORPUS_PLAIN`` (20,000, for overhead), ``CORPUS_PAIRS`` (5 alternating
repetitions), ``CORPUS_MEMORY_TEXTS`` (2,000,000; a hundredth and a tenth of it
too), ``CORPUS_KILLS`` (20), ``CORPUS_KILL_TEXTS`` (40,000) and ``CORPUS_RESUME``
(1,000 partitions).
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from itertools import islice
from statistics import mean, median

import pyarrow as pa
import pytest
import spacy
from pyarrow import parquet
from spacy.training import Example
from spacy.util import fix_random_seed, minibatch

import nbner
from nbner.io.formats import read
from nbner.nlp import dask

pytestmark = pytest.mark.timeout(0)  # two million texts take their time

TEXTS = int(os.environ.get("CORPUS_TEXTS", "100000"))
PLAIN = int(os.environ.get("CORPUS_PLAIN", "20000"))
PAIRS = int(os.environ.get("CORPUS_PAIRS", "5"))
MEMORY_TEXTS = int(os.environ.get("CORPUS_MEMORY_TEXTS", "2000000"))
KILLS = int(os.environ.get("CORPUS_KILLS", "20"))
KILL_TEXTS = int(os.environ.get("CORPUS_KILL_TEXTS", "40000"))
RESUMED = int(os.environ.get("CORPUS_RESUME", "1000"))
PARTITIONS = 40
PARTITION_TEXTS = 5_000  # where memory is measured
WORDS = 4  # of a text where memory is measured

PREPARED = 8  # seconds until plain processes that run side by side have their models
SMALL = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "use_upper": True,
    "nO": None,
    "hidden_width": 32,
    "maxout_pieces": 2,
    "tok2vec": {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": 32,
        "depth": 1,
        "embed_size": 500,
        "window_size": 1,
        "maxout_pieces": 2,
        "pretrained_vectors": None,
        "subword_features": True,
    },
}

# Labels in a process of its own, which can be killed and whose memory can be read. What the
# workers cost before their first partition is taken from the times in the manifest.
RUN = """
import json, resource, sys, time
import nbner
if __name__ == "__main__":
    model, source, target, n_process, address = sys.argv[1:]
    client = None
    if address:
        from distributed import Client
        client = Client(address, timeout=60)
    session = nbner.Session("bench", model=model, store=":memory:")
    session.predict(["Warm up ."], progress=False)
    wall, cpu = time.perf_counter(), time.process_time()
    report = session.label_corpus(source, target, client=client, keep=["id"],
                                  n_process=int(n_process), progress=False)
    seconds = time.perf_counter() - wall
    print(json.dumps({
        "seconds": seconds,
        "apart": seconds - sum(one.seconds for one in report.records) / int(n_process),
        "cpu": time.process_time() - cpu,
        "texts": report.texts,
        "complete": report.is_complete,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))
"""

# Plain nlp.pipe in a process of its own, which begins at a time that is given.
PLAIN_RUN = """
import sys, time
import spacy
from pyarrow import parquet
if __name__ == "__main__":
    model, source, begin = sys.argv[1:]
    texts = parquet.read_table(source, columns=["text"])["text"].to_pylist()
    nlp = spacy.load(model)
    list(nlp.pipe(texts[:200]))
    time.sleep(max(0.0, float(begin) - time.time()))
    started = time.perf_counter()
    for doc in nlp.pipe(texts):
        _ = doc.ents
    print(len(texts) / (time.perf_counter() - started))
"""


@pytest.fixture(scope="module")
def base(data):
    """Short texts: protocols and headlines."""
    found = [one.text for one in read(data / "protocols" / "train.conll")]
    found += [one.text for one in islice(read(data / "headlines" / "headlines.jsonl"), 2_000)]
    return [one for one in found if one.strip()]


@pytest.fixture(scope="module")
def model(trained, tmp_path_factory):
    session, _ = trained
    path = tmp_path_factory.mktemp("model") / "model"
    session.nlp.to_disk(path)
    return path


def write_corpus(folder, base, size, partitions=PARTITIONS):
    """Write a corpus piece by piece, so that the benchmark itself stays small."""
    folder.mkdir(parents=True)
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    for part in range(partitions):
        first, last = part * size // partitions, (part + 1) * size // partitions
        with parquet.ParquetWriter(folder / f"part-{part:04d}.parquet", schema) as writer:
            for start in range(first, last, 10_000):
                ids = range(start, min(last, start + 10_000))
                texts = [f"{base[i % len(base)]} {i}" for i in ids]
                writer.write_table(pa.table([pa.array(ids), pa.array(texts)], schema=schema))
    return folder


def command(model, source, target, n_process=1, address=""):
    return [sys.executable, "-c", RUN, *map(str, (model, source, target, n_process, address))]


def label(*args, **options):
    done = subprocess.run(command(*args, **options), check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def processor_time_of_plain(model, texts, warm):
    """Return the seconds of the processor that plain ``nlp.pipe`` takes in this process."""
    nlp = spacy.load(model)
    list(nlp.pipe(warm))
    gc.collect()
    started = time.process_time()
    for doc in nlp.pipe(texts):
        _ = doc.ents
    return time.process_time() - started


def processor_time_of_corpus(session, folder, texts):
    """Return those of labelling a corpus in this process, and those of its start alone."""
    source = folder / "source"
    source.mkdir(parents=True)
    half = len(texts) // 2
    for number, mine in enumerate((texts[:half], texts[half:])):
        table = pa.table({"id": list(range(len(mine))), "text": mine})
        parquet.write_table(table, source / f"part-{number}.parquet")
    dask._loaded.clear()
    gc.collect()
    started = time.process_time()
    session.label_corpus(source, folder / "target", keep=["id"], n_process=1, progress=False)
    total = time.process_time() - started
    # The same with next to nothing to label: checks, the model written and read, the manifest.
    parquet.write_table(table.slice(0, 2), source / "part-0.parquet")
    (source / "part-1.parquet").unlink()
    dask._loaded.clear()
    started = time.process_time()
    session.label_corpus(source, folder / "start", keep=["id"], n_process=1, progress=False)
    return total, time.process_time() - started


def test_overhead(base, model, tmp_path, say):
    """Alternate plain ``nlp.pipe`` and the corpus in one process; every text is new each time."""
    found = []
    with nbner.Session("bench", model=model, store=":memory:") as session:
        session.predict(base[:200], progress=False)
        for pair in range(PAIRS):
            numbers = range(pair * PLAIN, (pair + 1) * PLAIN)
            texts = [f"{base[(i + pair * 7919) % len(base)]} {i}" for i in numbers]
            folder = tmp_path / str(pair)
            if pair % 2:
                total, start = processor_time_of_corpus(session, folder, texts)
                plain = processor_time_of_plain(model, texts, base[:200])
            else:
                plain = processor_time_of_plain(model, texts, base[:200])
                total, start = processor_time_of_corpus(session, folder, texts)
            found.append((total / plain - 1, (total - start) / plain - 1, start))
    everything, apart, start = (sorted(one) for one in zip(*found, strict=True))
    spread = [f"{one[0]:+.1%} to {one[-1]:+.1%}" for one in (everything, apart)]
    say(
        f"corpus: processor time over plain nlp.pipe, {PLAIN:,} texts in one process, median of "
        f"{PAIRS} pairs",
        f"{median(everything):+.1%} ({spread[0]}); without the start of {median(start):.2f} s "
        f"{median(apart):+.1%} ({spread[1]})",
        "+5%",
    )


def plain_speeds(model, files):
    """Run plain ``nlp.pipe`` on each file at the same time; return texts a second of each."""
    begin = time.time() + PREPARED
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PLAIN_RUN, str(model), str(file), str(begin)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for file in files
    ]
    return [float(run.communicate()[0]) for run in runs]


def test_two_workers(base, model, tmp_path, say):
    """Two workers beside what two plain processes reach on this machine, the ceiling."""
    (first, second) = sorted(write_corpus(tmp_path / "plain", base, PLAIN, 2).iterdir())
    before = plain_speeds(model, [first])
    both = plain_speeds(model, [first, second])
    source = write_corpus(tmp_path / "source", base, TEXTS)
    two = label(model, source, tmp_path / "two", n_process=2)
    plain = mean([*before, *plain_speeds(model, [second])])
    say(
        "corpus: the ceiling, two plain nlp.pipe side by side against one",
        f"{sum(both) / plain:.2f} times ({sum(both):,.0f} against {plain:,.0f} texts a second)",
        "-",
    )
    speed = two["texts"] / two["seconds"]
    steady = two["texts"] / (two["seconds"] - two["apart"])
    say(
        f"corpus: {two['texts']:,} texts, two workers against one nlp.pipe",
        f"{speed / plain:.2f} times ({speed:,.0f} against {plain:,.0f} texts a second); "
        f"{steady / plain:.2f} times without {two['apart']:.1f} s of start and end",
        "1.7",
    )
    assert two["complete"]


@pytest.fixture(scope="module")
def small_model(data, tmp_path_factory):
    """A model of a small network: what stays in memory does not depend on its weights."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", config={"model": SMALL})
    examples = []
    for one in islice(read(data / "protocols" / "train.conll"), 1_000):
        spans = [(span.start, span.end, span.label) for span in one.spans]
        doc = nlp.make_doc(one.text)
        examples.append(Example.from_dict(doc, {"entities": spans}))
    nlp.initialize(lambda: examples)
    for batch in minibatch(examples * 2, 32):
        nlp.update(batch)
    path = tmp_path_factory.mktemp("small") / "model"
    nlp.to_disk(path)
    return path


def test_memory_is_flat(base, small_model, tmp_path, say):
    peaks = {}
    base = [" ".join(one.split()[:WORDS]) for one in base]
    for size in (MEMORY_TEXTS // 100, MEMORY_TEXTS // 10, MEMORY_TEXTS):
        # Of equal partitions: a batch of the pipeline is never larger than a partition.
        parts = max(1, size // PARTITION_TEXTS)
        source = write_corpus(tmp_path / f"source-{size}", base, size, partitions=parts)
        peaks[size] = label(small_model, source, tmp_path / f"target-{size}")["memory"]
    shown = ", ".join(f"{size:,}: {peak:,.0f} MB" for size, peak in peaks.items())
    say("corpus: peak memory by texts", shown, "within 10%")
    assert max(peaks.values()) <= 1.1 * min(peaks.values())


def content(target):
    files = [one for one in sorted(target.rglob("*")) if one.is_file()]
    names = {str(one.relative_to(target)): one for one in files}
    return {name: one.read_bytes() for name, one in names.items() if not name.startswith("_nbner")}


class Cluster:
    """A scheduler and two workers, each a process of its own."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self.scheduler = self.workers = None
        self.start()

    def _run(self, name, *args):
        with (self.folder / f"{name}.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli." + name, *args],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    def start(self):
        """Start what does not run."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            port = f"--port={self.port}"
            self.scheduler = self._run("dask_scheduler", "--host=127.0.0.1", port, "--no-dashboard")
        if self.workers is None or self.workers.poll() is not None:
            self.workers = self._run(
                *("dask_worker", self.address, "--nworkers=2", "--nthreads=1", "--no-dashboard")
            )

    def worker_pid(self):
        """Return the process of one of the workers, below its nanny."""
        listed = subprocess.run(
            ["pgrep", "-g", str(self.workers.pid)], capture_output=True, text=True, check=False
        )
        pids = [int(one) for one in listed.stdout.split() if int(one) != self.workers.pid]
        return pids[-1] if pids else None

    def stop(self):
        for process in (self.scheduler, self.workers):
            if process is not None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def test_kills(base, model, tmp_path, say):
    """Kill workers, schedulers and notebooks by turns, each while partitions are open."""
    source = write_corpus(tmp_path / "source", base, KILL_TEXTS)
    undisturbed = label(model, source, tmp_path / "undisturbed", n_process=2)
    target, draw = tmp_path / "target", random.Random(0)
    records = target / "_nbner" / "partitions"
    cluster, kills, starts = Cluster(tmp_path), dict.fromkeys(("worker", "scheduler", "run"), 0), 0
    done = lambda: len(list(records.glob("*.json"))) if records.exists() else 0  # noqa: E731
    run, complete = None, False
    try:
        while not complete:
            if run is None or run.poll() is not None:
                if run is not None and run.returncode == 0:
                    complete = json.loads(run.stdout.read().splitlines()[-1])["complete"]
                    continue
                cluster.start()
                run = subprocess.Popen(
                    command(model, source, target, address=cluster.address),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
                starts += 1
            total = sum(kills.values())
            # Spread over the run: the nth kill waits for its share of the partitions.
            if total < KILLS and done() >= total * (PARTITIONS - 2) // KILLS and done() > 0:
                time.sleep(draw.uniform(0, undisturbed["seconds"] / PARTITIONS))
                kind = list(kills)[total % 3]
                if kind == "worker" and (pid := cluster.worker_pid()):
                    os.kill(pid, signal.SIGKILL)
                    kills[kind] += 1
                elif kind == "scheduler":
                    os.killpg(cluster.scheduler.pid, signal.SIGKILL)
                    cluster.scheduler.wait()
                    kills[kind] += 1
                    cluster.start()
                elif kind == "run" and run.poll() is None:
                    run.kill()
                    run.wait()
                    kills[kind] += 1
            time.sleep(0.2)
    finally:
        cluster.stop()
        if run is not None and run.poll() is None:
            run.kill()
    found, wanted = content(target), content(tmp_path / "undisturbed")
    ids = [
        one
        for path in target.glob("*.parquet")
        for one in set(parquet.read_table(path)["id"].to_pylist())
    ]
    assert len(ids) == len(set(ids))
    assert sum(kills.values()) == KILLS
    assert found == wanted
    shown = ", ".join(f"{count} {kind}" for kind, count in kills.items())
    say(
        f"corpus: {KILL_TEXTS:,} texts in {PARTITIONS} partitions, {starts} starts, kills: {shown}",
        "equal byte for byte",
        "equal",
    )


def test_time_to_resume(base, model, tmp_path, say):
    source = write_corpus(tmp_path / "source", base, RESUMED, partitions=RESUMED)
    with nbner.Session("bench", model=model, store=":memory:") as session:
        session.label_corpus(source, tmp_path / "target", n_process=1, progress=False)
        started = time.perf_counter()
        report = session.label_corpus(source, tmp_path / "target", n_process=1, progress=False)
        seconds = time.perf_counter() - started
    assert report.new == 0
    say(f"corpus: seconds to resume {RESUMED:,} partitions that are done", f"{seconds:.2f}", "2")
