"""Labelling of a corpus: speed, overhead, memory, kills, and the time to resume.

Texts are protocols and headlines with a number each, so that no two are equal.
Sizes are set by the environment: ``CORPUS_TEXTS`` (2,000,000; memory is measured
at a hundredth and a tenth of it too), ``CORPUS_KILLS`` (20), ``CORPUS_KILL_TEXTS``
(40,000) and ``CORPUS_RESUME`` (1,000 partitions).
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from itertools import islice

import pyarrow as pa
import pytest
import spacy
from pyarrow import parquet

import nbner
from nbner.io.formats import read

pytestmark = pytest.mark.timeout(0)  # two million texts take their time

TEXTS = int(os.environ.get("CORPUS_TEXTS", "2000000"))
KILLS = int(os.environ.get("CORPUS_KILLS", "20"))
KILL_TEXTS = int(os.environ.get("CORPUS_KILL_TEXTS", "40000"))
RESUMED = int(os.environ.get("CORPUS_RESUME", "1000"))
PARTITIONS = 40
PARTITION_TEXTS = 5_000  # where memory is measured
PLAIN = 20_000  # texts for plain nlp.pipe, at most

# Labels in a process of its own, which can be killed and whose memory can be read.
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
    print(json.dumps({
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "texts": report.texts,
        "complete": report.is_complete,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))
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


def plain_pipe(model, texts):
    """Run plain ``nlp.pipe`` in this process; return seconds of the clock and of the processor."""
    nlp = spacy.load(model)
    list(nlp.pipe(texts[:200]))
    wall, cpu = time.perf_counter(), time.process_time()
    for doc in nlp.pipe(texts):
        _ = doc.ents
    return time.perf_counter() - wall, time.process_time() - cpu


def texts_of(source, limit):
    found = []
    for path in sorted(source.iterdir()):
        found += parquet.read_table(path, columns=["text"])["text"].to_pylist()
        if len(found) >= limit:
            break
    return found[:limit]


def test_speed_and_overhead(base, model, tmp_path, say):
    source = write_corpus(tmp_path / "source", base, min(TEXTS, 200_000))
    texts = texts_of(source, min(TEXTS, PLAIN))
    wall, cpu = plain_pipe(model, texts)
    one = write_corpus(tmp_path / "one", base, len(texts), partitions=2)
    alone = label(model, one, tmp_path / "alone")
    overhead = alone["cpu"] / alone["texts"] / (cpu / len(texts)) - 1
    say("corpus: processor time over plain nlp.pipe, one process", f"{overhead:+.1%}", "+5%")
    two = label(model, source, tmp_path / "two", n_process=2)
    speed, plain = two["texts"] / two["seconds"], len(texts) / wall
    say(
        f"corpus: {two['texts']:,} texts, two workers against nlp.pipe",
        f"{speed / plain:.2f} times ({speed:,.0f} against {plain:,.0f} texts a second)",
        "1.7",
    )
    assert two["complete"]


def test_memory_is_flat(base, model, tmp_path, say):
    peaks = {}
    for size in (TEXTS // 100, TEXTS // 10, TEXTS):
        # Of equal partitions: a batch of the pipeline is never larger than a partition.
        parts = max(1, size // PARTITION_TEXTS)
        source = write_corpus(tmp_path / f"source-{size}", base, size, partitions=parts)
        peaks[size] = label(model, source, tmp_path / f"target-{size}")["memory"]
    shown = ", ".join(f"{size:,}: {peak:,.0f} MB" for size, peak in peaks.items())
    say("corpus: peak memory by texts", shown, "within 10%")
    assert max(peaks.values()) <= 1.1 * min(peaks.values()) + 30


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
