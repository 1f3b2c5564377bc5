"""Notebook 7: what decides whether one can label there."""

from __future__ import annotations

from playwright.sync_api import expect

import nbner

TEXTS = ["Add 5 ml of LB broth.", "Spin the tubes."]


def test_label_by_keyboard_in_notebook_7(lab, server, name):
    cell = (
        "import nbner\n"
        f"session = nbner.Session('n', labels=['Reagent', 'Amount'], store='{name}.db')\n"
        f"session.add({TEXTS!r})\nsession.manual()"
    )
    lab.open_in_notebook(server.write(f"{name}.ipynb", cell, "1 + 1"))
    lab.run(0)
    cells = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells"
    before = lab.page.evaluate(cells)
    lab.annotator.focus()
    for key in ("Home", "ArrowRight", "Shift+ArrowRight", "2"):
        lab.page.keyboard.press(key)
    expect(lab.annotator.locator("[data-span='1:3']")).to_have_attribute("data-label", "Amount")
    for key in ("b", "m", "Escape", "y", "d", "d", "z", "c", "v", "o", "0", "0", "a"):
        lab.page.keyboard.press(key)
    expect(lab.annotator).to_contain_text("Spin the tubes")
    expect(lab.annotator.locator("[data-save]")).to_have_attribute("data-save", "saved")
    expect(lab.page.locator(".jp-Dialog")).to_have_count(0)
    assert lab.page.evaluate(cells) == before
    with nbner.Session("n", store=server.root / f"{name}.db") as session:
        (row,) = session.answers().itertuples()
    assert (row.text, row.answer) == (TEXTS[0], "accept")
    assert [(row.text[s:e], label) for s, e, label in row.spans] == [("5 ml", "Amount")]
