"""The store under forks and kills: what was acknowledged is there, and holds together.

    pytest -c pyproject.toml -o norecursedirs=ui tests/benchmarks/test_bench_store_faults.py

``NBNER_KILLS`` is the number of kills, over all kinds of work together (300), and
``NBNER_RUNS`` the number of runs with forked and spawned children (50).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing, suppress
from itertools import count
from multiprocessing import Pipe, get_context

import pytest

from nbner import Answer
from nbner._common.batch_ids import batch_answer_id
from nbner.io.formats import read
from nbner.io.importer import prepare_rows
from nbner.store.store import Store

RUNS = int(os.environ.get("NBNER_RUNS", "50"))
KILLS = int(os.environ.get("NBNER_KILLS", "300"))
WORK = ("migration", "add", "backup", "restore", "bulk", "undo")

# Longest wait for a word of a process, in seconds.
PATIENCE = 120


# Forks.


def answer_all(dataset, name):
    """Answer every example, and count what was acknowledged."""
    examples = list(dataset.examples())
    given = (
        Answer(f"{name} {n}", one.input_hash, "train", name, "accept")
        for n, one in enumerate(examples)
    )
    return sum(dataset.record(one) for one in given)


def spawned(place, name, queue):
    with closing(Store(place)) as store:
        queue.put(answer_all(store.dataset("demo"), name))


def forked(dataset, name, queue):
    queue.put(answer_all(dataset, name))


@pytest.mark.timeout(3600)
def test_forked_and_spawned_children(place, filled, say):
    """Two of each on every run, while the parent answers and then closes."""
    lost, wrong = 0, 0
    store, _ = filled(place, 5)
    for run in range(RUNS):
        dataset = store.dataset("demo")
        before = sum(1 for _ in dataset.answers(current=False))
        fork, spawn = get_context("fork"), get_context("spawn")
        results = fork.SimpleQueue(), spawn.SimpleQueue()
        children = [
            fork.Process(target=forked, args=(dataset, f"fork {run} {n}", results[0]))
            for n in range(2)
        ]
        children += [
            spawn.Process(target=spawned, args=(place, f"spawn {run} {n}", results[1]))
            for n in range(2)
        ]
        for child in children:
            child.start()
        acknowledged = answer_all(dataset, f"parent {run}")
        store.close()
        acknowledged += sum(results[n // 2].get() for n in range(4))
        for child in children:
            child.join()
        store = Store(place)
        after = sum(1 for _ in store.dataset("demo").answers(current=False))
        lost += acknowledged - (after - before)
        wrong += not all(check.ok for check in store.verify())
    kind = store.url.split(":")[0]
    store.close()
    say(f"{RUNS} runs with two forked and two spawned children on {kind}: lost", lost, 0)
    say("... verify() false", wrong, 0)
    assert (lost, wrong) == (0, 0)


# Kills.


def make_older(path):
    """Turn a store into one of version 1."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "ALTER TABLE nbner_examples DROP COLUMN created;"
            "ALTER TABLE nbner_answers DROP COLUMN stored;"
            "DROP TABLE nbner_claims; DROP TABLE nbner_settings;"
            "UPDATE nbner_store SET schema_version = 1; VACUUM;"
        )


def answers(examples, name, kind):
    return [
        Answer(batch_answer_id(name, one.input_hash), one.input_hash, one.split, "ann", kind)
        for one in examples
    ]


def act(work, path, folder, say):
    """Do one kind of work again and again, and name each act before and after it."""
    if work == "migration":
        say(("begin", "open"))
        Store(path)
        say(("done", "open"))
        time.sleep(PATIENCE)
    store = Store(path)
    dataset = store.dataset("demo")
    examples = list(dataset.examples())[:400]
    for n in count():
        name = f"{work} {time.time_ns()}"
        if work == "add":
            rows = [f"{name} text {one}" for one in range(300)]
            say(("begin", name))
            dataset.add(prepare_rows(read(rows), tokenize=None))
        elif work == "backup":
            say(("begin", name))
            store.backup(folder / f"{name}.db")
        elif work == "bulk":
            say(("begin", name))
            dataset.record_many(answers(examples, name, "accept"))
        else:
            moment = time.time()
            dataset.record_many(answers(examples, name, ("accept", "reject")[n % 2]))
            say(("begin", name))
            if work == "undo":
                dataset.undo_batch(name)
            else:
                dataset.at(moment).restore()
        say(("done", name))


def kill_one(work, path, folder, chance, duration):
    """Start the work and kill it at a random moment of an act.

    Returns
    -------
    said : list of (str, str)
        What it said, to the end.
    duration : float
        Seconds of one act, measured where it was not known.
    """
    here, there = Pipe(duplex=False)
    process = get_context("fork").Process(target=act, args=(work, path, folder, there.send))
    process.start()
    there.close()
    assert here.poll(PATIENCE)
    said = [here.recv()]
    if duration is None:
        began = time.perf_counter()
        while said[-1][0] != "done":
            said.append(here.recv())
        duration = time.perf_counter() - began
    else:
        time.sleep(chance.random() * duration)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with suppress(EOFError):
        while True:
            said.append(here.recv())
    return said, duration


def missing(work, dataset, folder, done):
    """Count what was acknowledged and is not there."""
    if work == "backup":
        lost = 0
        for name in done:
            with closing(Store(folder / f"{name}.db")) as copy:
                is_whole = all(check.ok for check in copy.verify())
                lost += not (is_whole and copy.dataset("demo").counts().total)
        return lost
    if work == "add":
        texts = {one.text for one in dataset.examples()}
        return sum(f"{name} text {n}" not in texts for name in done for n in range(300))
    found = list(dataset.answers(current=False))
    ids = {one.id.partition(":")[0] for one in found}
    if work == "undo":
        undone = {one.id.partition(":")[0] for one in found if one.id.startswith("back from ")}
        return sum(f"back from {name}" not in undone for name in done)
    # What a restore took back was stored before it.
    return sum(name not in ids for name in done)


@pytest.mark.timeout(7200)
def test_killed_in_the_middle_of_the_work(tmp_path, filled, say):
    chance = random.Random(0)
    lost, false, inside, drafts = 0, 0, 0, 0
    for work in WORK:
        folder = tmp_path / work
        folder.mkdir()
        path = folder / "nbner.db"
        store, dataset = filled(path, 400)
        if work in ("migration", "backup"):
            dataset.record_many(
                Answer(f"a {n}", one.input_hash, "train", "ann", "accept")
                for n, one in enumerate(dataset.examples())
            )
        store.close()
        duration, done = None, []
        if work == "migration":
            make_older(path)
            shutil.copy(path, folder / "older")
        for _ in range(KILLS // len(WORK) + 1):
            if work == "migration":
                for one in folder.glob("nbner*"):
                    one.unlink()
                shutil.copy(folder / "older", path)
            is_first = duration is None
            said, duration = kill_one(work, path, folder, chance, duration)
            acknowledged = [name for kind, name in said if kind == "done"]
            done += acknowledged
            if not is_first:
                inside += said[-1][0] == "begin"
            with closing(Store(path)) as store:
                false += not all(check.ok for check in store.verify())
                if work == "migration":
                    counts = store.dataset("demo").counts()
                    lost += (counts.total, counts.accept) != (400, 400)
        if work != "migration":
            with closing(Store(path)) as store:
                lost += missing(work, store.dataset("demo"), folder, done)
        drafts += sum(1 for _ in folder.glob(".*"))
    kills = KILLS // len(WORK) * len(WORK)
    say(f"{kills} kills over {', '.join(WORK)}: acknowledged and lost", lost, 0)
    say("... verify() false", false, 0)
    say("... kills inside of an act", inside, f">= {kills // 2}")
    say(
        "... incomplete copies left behind, hidden and never under the name asked for",
        drafts,
        "any",
    )
    assert (lost, false) == (0, 0)
    assert inside >= kills // 2
