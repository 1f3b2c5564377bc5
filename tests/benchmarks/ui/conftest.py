"""The widget in a real JupyterLab, beside its rivals in the same one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
RIVALS = ROOT / ".bench"
PROBE = (HERE / "probe.js").read_text(encoding="utf-8")


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=200, help="how often the kernel is killed")
    parser.addoption("--reloads", type=int, default=50, help="how often the page is loaded again")


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.timeout(7200))


@pytest.fixture(scope="session")
def rivals():
    """Put the rivals into a folder of their own; give their names, or none where pip has none."""
    wanted = HERE / "rivals.txt"
    done = RIVALS / wanted.name
    if not done.exists() or done.read_text() != wanted.read_text():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        got = subprocess.run(
            [*command, f"--target={RIVALS}", f"--requirement={wanted}"], check=False
        )
        if got.returncode != 0:
            return ()
        done.write_text(wanted.read_text())
    return ("spanmark", "jupyterannotate")


@pytest.fixture(scope="session")
def bench_server(new_server, jupyter_lab, rivals):
    paths = [str(ROOT), str(RIVALS), os.environ.get("PYTHONPATH", "")]
    return new_server(
        options=jupyter_lab.RESTARTS_QUICKLY,
        environment={
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "JUPYTER_PATH": str(RIVALS / "share" / "jupyter"),
        },
    )


@pytest.fixture
def bench(page, bench_server, jupyter_lab):
    """Give a page of JupyterLab with the probe in it."""
    page.add_init_script(PROBE)
    yield jupyter_lab.Lab(page, bench_server)
    bench_server.stop_kernels()


@pytest.fixture
def cells(bench, name):
    """Open a notebook of some cells and run the first."""

    def start(*sources):
        bench.open(bench.server.write(f"{name}.ipynb", *sources))
        bench.run(0)
        assert bench.errors() == []
        return bench

    return start


@pytest.fixture(scope="session")
def tokens():
    """Cut running text out of the sample corpus: so many tokens, a paragraph or several."""
    import nbner

    sentences = " ".join(example.text for example in nbner.sample().train)
    words = re.findall(r"[a-z]{2,}", sentences)

    def text(size, paragraph=10**9):
        chosen = [words[i % len(words)] for i in range(size)]
        ends = ("\n" if i % paragraph == paragraph - 1 else " " for i in range(size))
        return "".join(word + end for word, end in zip(chosen, ends, strict=True)).rstrip()

    return text
