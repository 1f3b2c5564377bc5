"""Where no kernel lives, a saved notebook shows the example as it stood."""

from __future__ import annotations

import subprocess
import sys

import pytest
from IPython.core.formatters import DisplayFormatter
from playwright.sync_api import expect

import nbner

ATTACK = "<img src=x onerror='window.ran=1'><script>window.ran=1</script>"
TEXT = f"Add 5 ml of LB broth. {ATTACK} مرحبا"


@pytest.fixture
def saved(tmp_path):
    """Save a notebook as JupyterLab does: the cell's output, and no state of widgets."""
    import nbformat  # takes as long as spaCy, and all workers import this file

    with nbner.Session("s", labels=["Reagent", ATTACK], store=tmp_path / "s.db") as session:
        span = {"start": 12, "end": 20, "label": "Reagent"}
        session.add([{"text": TEXT, "spans": [span], "meta": {ATTACK: ATTACK}}])
        data, metadata = DisplayFormatter().format(session.make_gold())
    assert "text/html" in data
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    cell = nbformat.v4.new_code_cell("session.make_gold()", outputs=[output])
    path = tmp_path / "saved.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    return path


def test_nbconvert_shows_the_example(saved, page):
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", str(saved)]
    subprocess.run(command, check=True, capture_output=True)
    # Without a network, and with scripts running.
    page.context.set_offline(True)
    page.goto(saved.with_suffix(".html").as_uri())
    example = page.locator(".jp-OutputArea-output")
    expect(example).to_contain_text("Add 5 ml of LB broth Reagent. " + ATTACK)
    expect(example).to_contain_text("0 of 1 answered")
    expect(example.locator("img, script")).to_have_count(0)
    assert page.evaluate("window.ran") is None
    mark = example.get_by_text("LB broth").last
    assert mark.evaluate("one => getComputedStyle(one).borderBottomWidth") == "2px"


def test_an_untrusted_notebook_shows_the_example(saved, lab, server, name):
    (server.root / f"{name}.ipynb").write_bytes(saved.read_bytes())
    lab.open(f"{name}.ipynb")
    assert lab.page.evaluate(
        "() => !window.jupyterapp.shell.currentWidget.content.model.cells.get(0).trusted"
    )
    example = lab.page.locator(".jp-OutputArea-output")
    expect(example).to_contain_text("LB broth Reagent")
    expect(example).to_contain_text(ATTACK)
    expect(example.locator("img, script")).to_have_count(0)
    assert lab.page.evaluate("() => window.ran === undefined")
