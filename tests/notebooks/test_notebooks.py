"""The notebooks run from top to bottom: without a screen, and in a real JupyterLab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_SECONDS = 300


@pytest.mark.timeout(LONGEST_SECONDS)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda file: file.stem)
def test_runs_without_a_screen_and_leaves_its_pictures(notebook, tmp_path, request):
    import nbformat  # takes as long as spaCy, and all workers import this file

    env = dict(os.environ)
    if notebook.stem == "team_with_postgresql":
        env["NBNER_DATABASE"] = request.getfixturevalue("postgres_server").place()
    subprocess.run(
        [sys.executable, str(ROOT / "notebooks/run.py"), str(notebook), str(tmp_path)],
        check=True,
        capture_output=True,
        env=env,
    )
    executed = nbformat.read(tmp_path / notebook.name, as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert list(tmp_path.glob(f"{notebook.stem}-*.png"))


@pytest.mark.timeout(LONGEST_SECONDS)
def test_the_quickstart_runs_in_jupyterlab(lab, server):
    shutil.copy(ROOT / "notebooks/quickstart.ipynb", server.root / "quickstart.ipynb")
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
