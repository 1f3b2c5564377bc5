"""Benchmarks take the path of the data: make bench DATA=path."""

from __future__ import annotations

import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import nbner
from nbner.io.formats import read
from nbner.io.importer import prepare_rows
from nbner.store.store import Store

ROOT = Path(__file__).parents[2]


def pytest_addoption(parser):
    parser.addoption("--data", type=Path, help="folder with protocols/, headlines/, ...")
    parser.addoption("--kept", type=Path, help="keep trained models here, and use what is there")


@pytest.fixture(scope="session")
def data(request):
    folder = request.config.getoption("--data")
    if folder is None or not folder.is_dir():
        pytest.exit("Say where the data is: make bench DATA=path/to/data", returncode=2)
    return folder.resolve()


@pytest.fixture(scope="session")
def say(request):
    """Print a measured figure beside its target, past pytest's capturing, and keep it.

    All figures of a run are written to a file below ``.bench`` in the end.
    """
    capture = request.config.pluginmanager.getplugin("capturemanager")
    figures = []

    def print_line(what, figure, target):
        figures.append({"what": str(what), "figure": str(figure), "target": str(target)})
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\n{what}: {figure} (target: {target})\n")

    yield print_line
    if figures:
        file = load("figures").write_figures(figures, ROOT / ".bench")
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\nAll figures: {file}\n")


def load(name):
    """Import a file that lies beside this one."""
    spec = spec_from_file_location(f"bench_{name}", Path(__file__).parent / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def trained_on(data, request, tmp_path_factory):
    """Give a session trained on a folder's train.conll, and the seconds that took.

    Each is trained once for all benchmarks. The seconds are None for a model
    that was kept from an earlier run.
    """
    kept = request.config.getoption("--kept")
    folder = tmp_path_factory.mktemp("trained")
    sessions = {}

    def give(name):
        if name not in sessions:
            is_there = kept is not None and (kept / f"{name}.db").exists()
            seconds = _fetch(name, kept, folder) if is_there else _train(name, data / name, folder)
            if kept is not None and not is_there:
                kept.mkdir(parents=True, exist_ok=True)
                _fetch(name, folder, kept)
            session = nbner.Session(name, store=folder / f"{name}.db", seed=0)
            sessions[name] = session, seconds
        return sessions[name]

    yield give
    for session, _ in sessions.values():
        session.close()


@pytest.fixture(scope="session")
def trained(trained_on):
    return trained_on("protocols")


@pytest.fixture(scope="session")
def durable_server():
    """A PostgreSQL server that writes to the disk before it acknowledges."""
    spec = spec_from_file_location("bench_postgres", Path(__file__).parents[1] / "postgres.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.Server(durable=True)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Where a store may be: a file, or a database of a server."""
    if request.param == "sqlite":
        return tmp_path / "nbner.db"
    return request.getfixturevalue("durable_server").place()


@pytest.fixture
def filled():
    """Open a store, and add a number of texts to its dataset "demo"."""

    def fill(place, count):
        store = Store(place)
        dataset = store.dataset("demo")
        dataset.add(prepare_rows(read(f"text {n}" for n in range(count)), tokenize=None))
        return store, dataset

    return fill


def _train(name, data, folder):
    with nbner.Session(name, store=folder / f"{name}.db", seed=0) as session:
        session.add(data / "train.conll", split="train")
        session.add(data / "dev.conll", split="dev")
        return session.train(progress=False).seconds


def _fetch(name, source, target):
    """Copy a closed store and its models: what a benchmark adds is not kept."""
    shutil.copy(source / f"{name}.db", target)
    shutil.copytree(source / f"{name}.models", target / f"{name}.models")
