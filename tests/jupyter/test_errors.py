"""The error explorer in a real JupyterLab: shown, mended by key, and found in the store."""

from __future__ import annotations

from playwright.sync_api import expect

import nbner

# What is predicted is made by hand: it is wrong in ways that are known beforehand, and quick.
SOURCE = """import nbner
from nbner.results import Errors
from nbner.session.evaluation import open_explorer
session = nbner.Session("NAME", labels=["Reagent", "Amount", "Action"], store="NAME.db",
                        annotator="ann")
def spans(text, found):
    return [dict(start=text.index(w), end=text.index(w) + len(w), label=l) for w, l in found]
SAID = [
    ("Add 5 ml of broth.", [("5 ml", "Amount"), ("broth", "Reagent")], [("5 ml", "Amount")]),
    ("Spin the tubes.", [("Spin", "Action")], [("Spin", "Reagent")]),
    ("Spin it twice.", [("Spin", "Action")], [("Spin", "Reagent")]),
]
session.add([dict(text=t, spans=spans(t, g), answer="accept") for t, g, _ in SAID], split="dev")
predicted = [[nbner.Span(**one) for one in spans(t, p)] for t, _, p in SAID]
errors = Errors(session.examples("dev"), predicted, labels=session.labels, title="dev")
explorer = open_explorer(session.context, errors)
explorer"""


def test_errors_are_mended_where_they_stand(lab, server, name):
    lab.open(
        server.write(
            f"{name}.ipynb",
            SOURCE.replace("NAME", name),
            "explorer.frame['kind'].value_counts().to_dict()",
        )
    )
    lab.run(0)
    assert lab.errors() == []
    page = lab.page
    root = page.locator("[data-nbner=errors]")
    expect(root).to_contain_text("3 errors in 4 spans")
    # Keys that JupyterLab knows too: they stay in the widget.
    page.locator("[data-cell='2:0']").focus()
    page.keyboard.press("Enter")
    expect(root.locator("[data-finding]")).to_have_count(2)
    page.keyboard.press("Enter")
    surface = root.locator("[data-nbner=annotator]")
    expect(surface.locator("mark[data-span]").first).to_be_visible()
    page.keyboard.press("v")
    page.keyboard.press("a")
    expect(root.locator("[data-cell='2:0']")).to_have_text("1")
    expect(surface).to_contain_text("twice")
    page.keyboard.press("m")
    expect(root).to_contain_text("1 example judged")
    expect(surface.locator("[data-save]").first).to_have_attribute("data-save", "saved")
    assert page.locator(".jp-Notebook .jp-Cell").count() == 2
    assert page.locator(".jp-Notebook .jp-MarkdownCell").count() == 0
    lab.run(1)
    assert "'correct': 2" in lab.text(1)
    with nbner.Session(name, store=server.root / f"{name}.db") as session:
        said = {one.text: one for one in session.examples("dev")}
    assert [one.label for one in said["Spin the tubes."].spans] == ["Reagent"]
    assert said["Spin it twice."].extra["judged"] == "model"
    # Without a kernel the matrix is still there.
    (output,) = [o for o in lab.outputs(0) if "text/html" in o.get("data", {})]
    assert "3 errors" in "".join(output["data"]["text/html"])
