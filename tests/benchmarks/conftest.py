"""Benchmarks take the path of the data: make bench DATA=path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption("--data", type=Path, help="folder with protocols/, headlines/, ...")


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
