"""The error explorer in a real JupyterLab: shown, mended by key, and found in the store."""

from __future__ import annotations

from playwright.sync_api import expect

import nbner

# A pipeline of rules: it is wrong in ways that are known beforehand, and quick.
SOURCE = """import nbner, spacy
rules = spacy.blank("en")
rules.add_pipe("entity_ruler").add_patterns([
    {"label": "Reagent", "pattern": "Spin"},
    {"label": "Amount", "pattern": "5 ml"},
])
rules.to_disk("NAME")
session = nbner.Session("NAME", labels=["Reagent", "Amount", "Action"], model="NAME",
                        store="NAME.db", annotator="ann")
def task(text, *spans):
    found = [dict(start=text.index(w), end=text.index(w) + len(w), label=l) for w, l in spans]
    return dict(text=text, spans=found, answer="accept")
session.add([
    task("Add 5 ml of broth.", ("5 ml", "Amount"), ("broth", "Reagent")),
    task("Spin the tubes.", ("Spin", "Action")),
    task("Spin it twice.", ("Spin", "Action")),
], split="dev")
explorer = session.errors(progress=False)
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
    for key in ("Enter", "Enter", "v", "a"):
        page.keyboard.press(key)
        if key == "Enter":
            expect(root.locator("[data-finding]")).to_have_count(2)
    expect(root.locator("[data-cell='2:0']")).to_have_text("1")
    surface = root.locator("[data-nbner=annotator]")
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
