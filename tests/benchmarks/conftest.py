"""Benchmarks take the path of the data: make bench DATA=path."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import nbner


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
    """Print a measured figure beside its target, past pytest's capturing."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def print_line(what, figure, target):
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\n{what}: {figure} (target: {target})\n")

    return print_line


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


def _train(name, data, folder):
    with nbner.Session(name, store=folder / f"{name}.db", seed=0) as session:
        session.add(data / "train.conll", split="train")
        session.add(data / "dev.conll", split="dev")
        return session.train(progress=False).seconds


def _fetch(name, source, target):
    """Copy a closed store and its models: what a benchmark adds is not kept."""
    shutil.copy(source / f"{name}.db", target)
    shutil.copytree(source / f"{name}.models", target / f"{name}.models")
