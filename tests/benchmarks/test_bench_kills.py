"""Processes that are killed inside of a write: models, calibrations, backups and exports.

``KILLS`` sets the number for each kind; at least half must fall inside of the write.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from contextlib import closing
from types import SimpleNamespace

import pytest
import spacy

from nbner._common.drafts import DRAFT_PREFIX, remove_stale_drafts
from nbner.io.formats import read, write
from nbner.store.store import Store
from nbner.training.model_store import ModelStore
from nbner.training.run_folder import MARKER, RECORD, Reservation, RunFolder, find_interrupted
from nbner.types import Example

KILLS = int(os.environ.get("KILLS", "40"))


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("A")
    nlp.initialize()
    return nlp


def killed_inside(action, *, seed, seconds):
    """Run an action in a forked process, kill it after a while; return whether it was at work."""
    ready, tell = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.write(tell, b".")
            action()
        finally:
            os._exit(0)
    os.read(ready, 1)
    time.sleep(random.Random(seed).uniform(0, seconds))
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    os.close(ready)
    os.close(tell)
    return os.WIFSIGNALED(status)


def duration(action):
    """Return the shortest time of three, so that most kills fall inside of it."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def report(capsys, kind, inside, wrong):
    with capsys.disabled():
        print(f"\n{kind}: {KILLS} kills, {inside} inside of the write, wrong {wrong}")  # noqa: T201
    assert wrong == 0
    assert 2 * inside >= KILLS


def no_drafts(folder):
    return not any(one.name.startswith(DRAFT_PREFIX) for one in folder.rglob("*"))


def test_a_training_runs_save(nlp, tmp_path, capsys):
    models = tmp_path / "m"

    def save():
        with Reservation(models) as reserved:
            run = RunFolder(reserved.path)
            for step in (1, 2):
                run.save_checkpoint(nlp, step)
            run.finalize_best()
            run.write_record(nlp.config, {"f": 1})

    seconds = duration(save)
    inside = wrong = 0
    for seed in range(KILLS):
        inside += killed_inside(save, seed=seed, seconds=seconds)
        named = find_interrupted(models)
        remove_stale_drafts(models)
        settled = [one for one in models.glob(f"*/{RECORD}") if not (one.parent / MARKER).exists()]
        for model in (*named, *(one.parent / "model-best" for one in settled[-1:])):
            try:
                spacy.load(model)
            except Exception:  # noqa: BLE001 - counted
                wrong += 1
        left = {one.name for one in models.iterdir()}
        wrong += left != {one.parent.name for one in (*named, *settled)}
        for one in (*named, *settled):
            shutil.rmtree(one.parent)
    report(capsys, "training's save", inside, wrong)


def test_a_calibration(tmp_path, capsys):
    models = ModelStore(SimpleNamespace(name="d", runs=list), tmp_path / "nbner.db")
    labels = {f"label {n}": 1.0 for n in range(20_000)}

    def save(value):
        models.save_calibration({"model": "m", "overall": value, "per_label": labels})

    seconds = duration(lambda: save(0))
    inside = wrong = 0
    file = tmp_path / "nbner.models" / "d" / "calibration-m.json"
    for seed in range(KILLS):
        inside += killed_inside(lambda seed=seed: save(seed + 1), seed=seed, seconds=seconds)
        found = json.loads(file.read_text())
        wrong += found["per_label"] != labels
        save(0)
        wrong += not no_drafts(file.parent)
    report(capsys, "calibration", inside, wrong)


def test_a_backup(tmp_path, capsys):
    def backup(name):
        with closing(Store(tmp_path / "nbner.db")) as store:
            store.backup(tmp_path / name)

    with closing(Store(tmp_path / "nbner.db")) as store:
        for number in range(40):
            name = f"d{number}"
            store.dataset(name).set_labels([f"{n} {'x' * 400}" for n in range(200)])
    names = iter(("first.db", "second.db", "third.db"))
    seconds = duration(lambda: backup(next(names)))
    inside = wrong = 0
    for seed in range(KILLS):
        inside += killed_inside(lambda: backup("copy.db"), seed=seed, seconds=seconds)
        copy = tmp_path / "copy.db"
        if copy.exists():
            with closing(Store(copy)) as store:
                wrong += len(store.dataset("d39").labels) != 200
            copy.unlink()
        backup(f"{seed}.db")
        wrong += not no_drafts(tmp_path)
        (tmp_path / f"{seed}.db").unlink()
    report(capsys, "backup", inside, wrong)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.spacy", "a.conll", "docs"])
def test_an_export(name, nlp, tmp_path, capsys):
    from nbner.nlp.pipeline import tokenizer_of

    count = 300
    examples = [Example(f"Add {n} ml of water .", answer="accept") for n in range(count)]
    tokenize = tokenizer_of(nlp)

    def export():
        write(examples, tmp_path / name, tokenize=tokenize)

    seconds = duration(export)
    inside = wrong = 0
    for seed in range(KILLS):
        inside += killed_inside(export, seed=seed, seconds=seconds)
        if (tmp_path / name).exists():
            wrong += len(list(read(tmp_path / name))) != count
        else:  # a folder between its two names: the next export renames it back
            wrong += not (tmp_path / f".nbner-before-{name}").exists()
        export()
        wrong += not no_drafts(tmp_path)
    report(capsys, f"export to {name}", inside, wrong)
