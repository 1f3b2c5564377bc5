"""marimo: another host, which puts the widget behind a shadow root and has keys of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

import nbner

TEXTS = ["Add 5 ml of LB broth to it.", "Spin the tubes.", "Wash the pellet."]
NOTEBOOK = f"""import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import nbner

    session = nbner.Session("m", labels=["Reagent", "Amount"], store="m.db", annotator="ann")
    session.add({TEXTS!r})
    return mo, session


@app.cell
def _(mo, session):
    widget = mo.ui.anywidget(session.manual())
    widget
    return
"""
START_SECONDS = 60


@pytest.fixture
def marimo(tmp_path):
    """Serve one notebook; give its address and its folder."""
    (tmp_path / "labelling.py").write_text(NOTEBOOK, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "marimo", "--yes", "edit", "labelling.py", "--headless"]
    command += ["--no-token", "--skip-update-check", "--host=127.0.0.1", f"--port={port}"]
    folders = {name: str(tmp_path / name) for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, **folders}, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    wait(f"{address}/health", server, tmp_path / "log")
    yield address, tmp_path
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()


def wait(address, server, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except (urllib.error.URLError, OSError):
            # Polling a port that opens when it opens; there is nothing else to wait on.
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"marimo did not answer:\n{log.read_text()[-3000:]}")


def test_label_by_keyboard_and_by_drag_in_marimo(marimo, page):
    address, folder = marimo
    page.goto(address)
    cells = page.get_by_test_id("cell-editor")
    expect(cells).to_have_count(2, timeout=60_000)
    page.keyboard.press("Control+Shift+R")
    root = page.locator("[data-nbner=annotator]")
    expect(root).to_be_visible(timeout=60_000)
    root.focus()
    for key in ("Home", "ArrowRight", "Shift+ArrowRight", "2"):
        page.keyboard.press(key)
    expect(root.locator("[data-span='1:3']")).to_have_attribute("data-label", "Amount")
    expect(root.locator("[aria-live]")).to_have_text("5 ml: Amount")
    page.keyboard.press("Escape")
    root.locator("[data-pick=Reagent]").click()
    drag(page, root.locator("[data-token='4']"), root.locator("[data-token='5']"))
    expect(root.locator("[data-span='4:6']")).to_have_attribute("data-label", "Reagent")
    for key in (
        "b",
        "m",  # opens the labels
        "Escape",
        "d",
        "d",
        "j",
        "k",
        "z",
        "Control+Enter",
        "Shift+Enter",
        "Control+k",
        "a",
    ):
        page.keyboard.press(key)
    expect(root).to_contain_text("Spin the tubes")
    expect(root.locator("[data-save]")).to_have_attribute("data-save", "saved")
    expect(cells).to_have_count(2)
    expect(page.get_by_role("dialog")).to_have_count(0)
    with nbner.Session("m", store=folder / "m.db") as session:
        (row,) = session.answers().itertuples()
    assert (row.text, row.answer) == (TEXTS[0], "accept")
    spans = [(row.text[start:end], label) for start, end, label in row.spans]
    assert spans == [("5 ml", "Amount"), ("LB broth", "Reagent")]


def drag(page, first, last):
    start, end = first.bounding_box(), last.bounding_box()
    y = start["y"] + start["height"] / 2
    page.mouse.move(round(start["x"] + 3), y)
    page.mouse.down()
    page.mouse.move(round(end["x"] + end["width"] - 3), y, steps=5)
    page.mouse.up()
