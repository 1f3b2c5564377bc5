"""Files of other tools: nothing lost on the way in and out, speed, and memory of each format.

``make bench DATA=path ARGS="-k bench_intake -s"`` prints the tables. NBNER_BENCH_MB is the
size of the larger file of each format (200 by default), a tenth of it that of the smaller one.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import subprocess
import sys
import time

import pytest
from intake_shapes import SHAPES, corpus
from span_rows import outcome, row_of_spans, row_of_tags

import nbner
from nbner import Session
from nbner.io import formats

ROWS = 1000
MEGABYTES = int(os.environ.get("NBNER_BENCH_MB", "200"))
MOST_GROWTH = 1.25  # peak memory of the larger file beside the smaller one
TIMED = [".jsonl", ".json", ".csv", ".conll", ".parquet", ".arrow", ".spacy", ".jsonl.gz"]


def spans_of(examples):
    return sum(len(one.spans) for one in examples)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_span_of_a_shape_is_stored_and_comes_back(shape, say, tmp_path):
    rows = corpus(ROWS)
    wanted = sum(len(spans) for _, spans in rows)
    source, options = SHAPES[shape](rows, tmp_path)
    with Session("one", store=tmp_path / "one.db") as session:
        session.add(source, gold=True, **options)
        stored = session.examples()
        session.export(tmp_path / "out.jsonl")
    with Session("two", store=tmp_path / "two.db") as again:
        again.add(tmp_path / "out.jsonl")
        returned = again.examples()
    counts = [wanted, spans_of(stored), spans_of(returned)]
    figure = f"{len(stored)} rows, spans in {counts[0]}, stored {counts[1]}, back {counts[2]}"
    say(f"intake, {shape}", figure, "equal")
    assert counts == [wanted] * 3
    assert [one.spans for one in stored] == [one.spans for one in returned]


@pytest.mark.parametrize("make", [row_of_spans, row_of_tags])
def test_of_span_like_rows_none_is_dropped_in_silence(make, say):
    seeded = random.Random(13)
    results = [outcome(*make(seeded.choice)) for _ in range(2000)]
    right, refused = results.count("right"), results.count("refused")
    silent = len(results) - right - refused
    figure = f"right {right}, refused by name {refused}, dropped in silence {silent}"
    say(f"fuzz of 2,000 rows, {make.__name__}", figure, "0 in silence")
    assert silent == 0


def test_intake_speed_of_each_format(say, tmp_path):
    examples = [
        nbner.Example(text, spans=spans, answer="accept", meta={"n": i})
        for i, (text, spans) in enumerate(corpus(10 * ROWS))
    ]
    for suffix in TIMED:
        path = tmp_path / f"a{suffix}"
        nbner.write(examples, path)
        taken = []
        for run in range(2):
            began = time.process_time()
            read = sum(1 for _ in formats.read(path))
            between = time.process_time()
            with Session("speed", store=tmp_path / f"{suffix}{run}.db") as session:
                session.add(path)
            taken.append((between - began, time.process_time() - between))
            assert read == len(examples)
        reader, importer = (min(one) / len(examples) * 1e5 for one in zip(*taken, strict=True))
        say(f"CPU of {suffix}, a 100,000 rows", f"read {reader:.1f} s, add {importer:.1f} s", "-")


# Memory.

_CHILD = """
import sys
from pathlib import Path
path, how = Path(sys.argv[1]), sys.argv[2]
if how == "add":
    from nbner import Session
    with Session("m", store=path.with_suffix(".db")) as session:
        session.add(path)
else:
    from nbner.io.formats import read
    for row in read(path):
        pass
# Not ru_maxrss, which a child process takes over from its parent.
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def write_lines(path, size, opened=open):
    """Write lines of JSON with texts of about 1,500 characters, to a size before compression."""
    text = "Mina Kovac flew to Oslo and back again. " * 38
    written, i = 0, 0
    with opened(path, "wt", encoding="utf-8") as file:
        while written < size:
            row = {"text": f"{i} {text}", "n": i, "label": [[len(str(i)) + 1, 5, "PER"]]}
            row["label"][0][1] = row["label"][0][0] + 10
            line = json.dumps(row) + "\n"
            file.write(line)
            written, i = written + len(line), i + 1


def write_list(path, size):
    write_lines(path.with_suffix(".lines"), size)
    with path.with_suffix(".lines").open(encoding="utf-8") as lines, path.open("w") as file:
        file.write("[")
        for i, line in enumerate(lines):
            file.write(("," if i else "") + line)
        file.write("]")
    path.with_suffix(".lines").unlink()


def write_table(path, size):
    text = "Mina Kovac flew to Oslo and back again. " * 38
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["text", "n"])
        for i in range(size // 1530):
            table.writerow([f"{i} {text}", i])


def write_conll(path, size):
    sentence = "Mina\tB-PER\nKovac\tI-PER\nflew\tO\nto\tO\nOslo\tB-LOC\n.\tO\n\n"
    with path.open("w", encoding="utf-8") as file:
        for i in range(size // 4 // 60):
            file.write(f"n{i}\tO\n{sentence}")


def write_plain(path, size):
    text = "Mina Kovac flew to Oslo and back again. " * 38
    with path.open("w", encoding="utf-8") as file:
        for i in range(size // 1530):
            file.write(f"{i} {text}\n")


def write_examples(path, size):
    text = "Mina Kovac flew to Oslo and back again. " * 38
    nbner.write((nbner.Example(f"{i} {text}") for i in range(size // 1530)), path)


WRITERS = {
    "a.jsonl": write_lines,
    "a.jsonl.gz": lambda path, size: write_lines(path, size, gzip.open),
    "a.json": write_list,
    "a.csv": write_table,
    "a.conll": write_conll,
    "a.txt": write_plain,
    "a.parquet": write_examples,
    "a.arrow": write_examples,
}
MEASURED = [*((name, "read") for name in WRITERS), ("a.jsonl", "add")]


@pytest.mark.parametrize(("name", "how"), MEASURED, ids=[f"{n}-{how}" for n, how in MEASURED])
def test_memory_does_not_follow_the_size_of_a_file(name, how, say, tmp_path):
    peaks, sizes = [], []
    for part in (10, 1):
        path = tmp_path / name
        WRITERS[name](path, MEGABYTES * 10**6 // part)
        sizes.append(path.stat().st_size / 1e6)
        child = subprocess.run(
            [sys.executable, "-c", _CHILD, str(path), how],
            check=True,
            capture_output=True,
            text=True,
        )
        peaks.append(int(child.stdout) / 1024)
        for one in tmp_path.iterdir():
            one.unlink()
    figure = f"{peaks[0]:.0f} MB of {sizes[0]:.0f}, {peaks[1]:.0f} MB of {sizes[1]:.0f}"
    say(f"peak memory, {how} {name}", figure, f"grows by less than {MOST_GROWTH}")
    # An import buffers 100,000 rows, however many there are.
    assert how == "add" or peaks[1] < MOST_GROWTH * peaks[0]
