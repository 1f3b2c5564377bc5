"""The state machine in a real JupyterLab: loading, the comm, keys, a text that is at home there."""

from __future__ import annotations

import pytest
import spacy
from playwright.sync_api import expect
from spacy.training import Example as Pair

GOLD = [
    ("Ada lives in New York .", [(0, 3, "Person"), (13, 21, "Place")]),
    ("Bo saw New Rome City .", [(0, 2, "Person"), (7, 20, "Place")]),
]


@pytest.fixture(scope="module")
def model(server):
    """Leave a model that knows two sentences in the server's folder."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    pairs = [Pair.from_dict(nlp.make_doc(text), {"entities": found}) for text, found in GOLD]
    optimizer = nlp.initialize(lambda: pairs)
    for _ in range(40):
        nlp.update(pairs, sgd=optimizer)
    for text, spans in GOLD:
        found = [(ent.start_char, ent.end_char, ent.label_) for ent in nlp(text).ents]
        assert found == spans
    nlp.to_disk(server.root / "tiny")
    return "tiny"


def test_stepped_through_by_key_and_by_code(lab, server, model, name):
    text, spans = GOLD[0]
    shown = (
        "import nbner\n"
        f"session = nbner.Session('s', model={model!r}, store=':memory:')\n"
        f"trace = session.explain({text!r}, {spans!r})\n"
        "trace"
    )
    lab.open(server.write(f"{name}.ipynb", shown, "print(trace.step)", "trace.step = 0"))
    lab.run(0)
    viewer = lab.page.locator("[data-nbner=trace]")
    expect(viewer).to_be_visible()
    viewer.focus()
    for key in ("End", "ArrowLeft", "ArrowLeft", "d", "d", "x", "b"):
        lab.page.keyboard.press(key)
    expect(viewer).to_have_attribute("data-step", "4")
    expect(viewer.get_by_role("status")).to_contain_text("“York”: L-Place is chosen")
    expect(viewer.locator("mark[data-state=open]")).to_contain_text("New York")
    lab.run(1)
    assert lab.text(1).strip() == "4"
    lab.run(2)
    expect(viewer).to_have_attribute("data-step", "0")
    # The step is not the notebook's: no cell was cut, added or deleted.
    assert len(lab.outputs(0)) == 1
    (output,) = lab.outputs(0)
    html = "".join(output["data"]["text/html"])
    assert "U-Person" in html
    assert "<script" not in html
