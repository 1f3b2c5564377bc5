"""The notebooks run from top to bottom: without a screen, and in a real JupyterLab."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_SECONDS = 300


def run_as_command(notebook, folder):
    """Run a notebook as ``make demo`` does."""
    command = [sys.executable, str(ROOT / "notebooks/run.py"), str(notebook), str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def run_here(notebook, folder):
    """Do what the command does, without its start, which takes as long as a short notebook."""
    spec = importlib.util.spec_from_file_location("nbner_notebooks_run", ROOT / "notebooks/run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The browser of other tests has this thread's event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(module.run, notebook, folder).result()


@pytest.mark.timeout(LONGEST_SECONDS)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda file: file.stem)
def test_runs_without_a_screen_and_leaves_its_pictures(notebook, tmp_path, request, monkeypatch):
    import nbformat  # takes as long as spaCy, and all workers import this file

    if notebook.stem == "team_with_postgresql":
        place = request.getfixturevalue("postgres_server").place()
        monkeypatch.setenv("NBNER_DATABASE", place)
    run = run_as_command if notebook.stem == "quickstart" else run_here
    run(notebook, tmp_path)
    executed = nbformat.read(tmp_path / notebook.name, as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert list(tmp_path.glob(f"{notebook.stem}-*.png"))


@pytest.mark.timeout(LONGEST_SECONDS)
def test_the_quickstart_runs_in_jupyterlab(lab, server):
    written = (ROOT / "notebooks/quickstart.ipynb").read_text(encoding="utf-8")
    # How it is trained in full the test above shows; what is in the page needs two epochs.
    briefly, replaced = re.subn(r"max_epochs=10\b", "max_epochs=2", written)
    assert replaced == 1
    (server.root / "quickstart.ipynb").write_text(briefly, encoding="utf-8")
    lab.open("quickstart.ipynb")
    lab.run_all()
    assert lab.errors() == []
    expect(lab.annotator).to_have_count(3)
    # The second, which learns, goes on where the simulated annotator stopped.
    learner, corrector = lab.annotator.nth(1), lab.annotator.nth(2)
    line = learner.get_by_role("group", name="Learning")
    expect(line).to_contain_text("Last 50 answers: precision")
    # The last holds what the trained model suggests.
    expect(corrector.locator("[data-span]").first).to_be_attached()
    expect(corrector.locator("[data-save]").first).to_have_attribute("data-save", "saved")
