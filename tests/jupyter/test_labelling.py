"""Labelling in a real JupyterLab: the decisive things, each seen in the page and in the store."""

from __future__ import annotations

import os
import re
import signal

import pytest
from playwright.sync_api import expect

import nbner

TEXTS = [
    "Add 5 ml of LB broth and incubate at 37 °C.",
    "Spin the tubes for 2 minutes.",
    "Discard the supernatant.",
    "Wash the pellet twice with buffer.",
]
LABELS = ["Reagent", "Action", "Amount"]


def source(name, *, show="session.manual()"):
    return (
        "import nbner\n"
        f"session = nbner.Session({name!r}, labels={LABELS!r}, store={name + '.db'!r}, "
        "annotator='ann')\n"
        f"session.add({TEXTS!r})\n"
        f"widget = {show}\n"
        "widget"
    )


def stored(server, name):
    """Read the answers from the database file, as a stranger to the kernel."""
    with nbner.Session(name, store=server.root / f"{name}.db") as session:
        frame = session.answers()
    return [
        (row.text, row.answer, [(row.text[s:e], label) for s, e, label in row.spans])
        for row in frame.itertuples()
    ]


def token(lab, word):
    return lab.annotator.locator("[data-token]", has_text=re.compile(rf"^\s*{re.escape(word)}"))


def press(lab, *keys):
    for key in keys:
        lab.page.keyboard.press(key)


def saved(lab):
    expect(lab.annotator.locator("[data-save]").first).to_have_attribute("data-save", "saved")


@pytest.fixture
def opened(lab, server, name):
    lab.open(server.write(f"{name}.ipynb", source(name), "session.counts('train').answered"))
    lab.run(0)
    expect(lab.annotator).to_be_visible()
    return lab


def test_label_by_keyboard_alone(opened, server, name):
    lab = opened
    lab.annotator.focus()
    # The caret stands on the first token; "Add" is an action, "5 ml" an amount.
    press(lab, "Home", "2", "ArrowRight", "Shift+ArrowRight", "3")
    expect(lab.annotator.locator("[data-label=Action]")).to_have_attribute("data-span", "0:1")
    expect(lab.annotator.locator("[data-label=Amount]")).to_have_attribute("data-span", "1:3")
    press(lab, "a")
    expect(lab.annotator).to_contain_text("Spin the tubes")
    saved(lab)
    assert stored(server, name) == [(TEXTS[0], "accept", [("Add", "Action"), ("5 ml", "Amount")])]


def test_label_by_drag_and_by_double_click(opened, server, name):
    lab = opened
    first = lab.annotator.locator("[data-token='4']").bounding_box()
    last = lab.annotator.locator("[data-token='5']").bounding_box()
    mouse = lab.page.mouse
    mouse.move(first["x"] + first["width"] / 2, first["y"] + first["height"] / 2)
    mouse.down()
    mouse.move(last["x"] + last["width"] / 2, last["y"] + last["height"] / 2, steps=5)
    mouse.up()
    expect(lab.annotator.locator("[data-span='4:6']")).to_have_attribute("data-label", "Reagent")
    lab.annotator.locator("[data-pick=Action]").click()
    lab.annotator.locator("[data-token='7']").dblclick()
    expect(lab.annotator.locator("[data-span='7:8']")).to_have_attribute("data-label", "Action")
    lab.annotator.locator("[data-answer=accept]").click()
    expect(lab.annotator).to_contain_text("Spin the tubes")
    saved(lab)
    spans = [("LB broth", "Reagent"), ("incubate", "Action")]
    assert stored(server, name) == [(TEXTS[0], "accept", spans)]


def test_no_key_reaches_the_notebook(opened):
    lab = opened
    lab.annotator.focus()
    before = lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.toJSON()")
    press(
        lab,
        "b",
        "m",
        "Escape",
        "y",
        "d",
        "d",
        "z",
        "c",
        "v",
        "Enter",
        "x",
        "a",
        "0",
        "0",
        "1",
        "h",
        "Escape",
    )
    expect(lab.page.locator(".jp-Dialog")).to_have_count(0)
    after = lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.toJSON()")
    assert after["cells"] == before["cells"]


def test_undo_opens_the_last_example_again(opened, server, name):
    lab = opened
    lab.annotator.focus()
    press(lab, "a")
    expect(lab.annotator).to_contain_text("Spin the tubes")
    press(lab, "Backspace")
    expect(lab.annotator).to_contain_text("LB broth")
    saved(lab)
    assert stored(server, name) == []


def test_resumes_where_the_dataset_stands(opened, server, name):
    lab = opened
    lab.annotator.focus()
    press(lab, "a", "x")
    expect(lab.annotator).to_contain_text("Discard the supernatant")
    saved(lab)
    lab.run(0)
    expect(lab.annotator).to_have_count(1)
    expect(lab.annotator).to_contain_text("Discard the supernatant")
    assert [answer for _, answer, _ in stored(server, name)] == ["accept", "reject"]


def test_two_views_of_one_widget_agree(opened):
    lab = opened
    lab.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[1]"
        ".model.sharedModel.setSource('widget')"
    )
    lab.run(1)
    expect(lab.annotator).to_have_count(2)
    lab.annotator.first.focus()
    press(lab, "Home", "2")
    expect(lab.annotator.nth(1).locator("[data-label=Action]")).to_have_count(1)
    press(lab, "a")
    expect(lab.annotator.nth(1)).to_contain_text("Spin the tubes")


@pytest.mark.parametrize("kind", ["lab", "lab_without_subshells"])
def test_labelling_goes_on_while_a_cell_runs(request, name, kind):
    lab = request.getfixturevalue(kind)
    server = lab.server
    # The cell speaks to the page first, as training does when it is done.
    wait = (
        "import time\nfrom pathlib import Path\nwidget.refresh()\n"
        "while not Path('go').exists(): time.sleep(.05)"
    )
    go = server.root / "go"
    go.unlink(missing_ok=True)
    lab.open(server.write(f"{name}.ipynb", source(name), wait))
    lab.run(0)
    expect(lab.annotator).to_be_visible()
    lab.start(1)
    lab.wait_until_busy()
    lab.annotator.focus()
    press(lab, "a", "a", "x")
    expect(lab.annotator).to_contain_text("Wash the pellet")
    if kind == "lab":
        saved(lab)
        assert len(stored(server, name)) == 3
    else:
        expect(lab.annotator.locator("[data-save]").first).not_to_have_attribute(
            "data-save", "saved"
        )
    go.write_text("")
    saved(lab)
    # Of several on their way, one may be sent again, and is stored after the others then.
    answers = sorted((text, answer) for text, answer, _ in stored(server, name))
    kinds = ("accept", "accept", "reject")
    assert answers == sorted(zip(TEXTS[:3], kinds, strict=True))


def test_unacknowledged_answers_survive_a_killed_kernel(opened, server, name):
    lab = opened
    lab.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[1]"
        ".model.sharedModel.setSource('import os; os.getpid()')"
    )
    lab.run(1)
    kernel = int(lab.text(1).strip())
    os.kill(kernel, signal.SIGSTOP)
    lab.annotator.focus()
    press(lab, "Home", "2", "a")
    expect(lab.annotator).to_contain_text("Spin the tubes")
    os.kill(kernel, signal.SIGKILL)
    dialog = lab.page.locator(".jp-Dialog")
    expect(dialog).to_be_visible(timeout=60_000)
    dialog.get_by_role("button").last.click()
    expect(lab.annotator.locator("[data-save]").first).to_have_attribute("data-save", "unsaved")
    assert stored(server, name) == []
    lab.wait_for_kernel()
    lab.run(0)
    saved(lab)
    expect(lab.annotator).to_contain_text("Spin the tubes")
    assert stored(server, name) == [(TEXTS[0], "accept", [("Add", "Action")])]


def test_a_reload_keeps_the_work(opened, server, name):
    lab = opened
    lab.annotator.focus()
    press(lab, "a")
    saved(lab)
    lab.command("docmanager:save")
    lab.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    lab.page.reload()
    lab.wait_for_kernel()
    expect(lab.annotator).to_contain_text("Spin the tubes")
    lab.annotator.focus()
    press(lab, "a")
    expect(lab.annotator).to_contain_text("Discard the supernatant")
    saved(lab)
    assert len(stored(server, name)) == 2


def test_markup_is_shown_as_text(lab, server, name):
    text = "<img src=x onerror='window.ran=1'> <b>bold</b> & plain"
    row = {"text": text, "meta": {"<u>k</u>": "<script>window.ran=1</script>"}}
    cell = (
        f"import nbner\nsession = nbner.Session('m', labels=['<i>L</i>'], store='{name}.db')\n"
        f"session.add([{row!r}])\nsession.manual()"
    )
    lab.open(server.write(f"{name}.ipynb", cell))
    lab.run(0)
    expect(lab.annotator).to_contain_text(text)
    expect(lab.annotator.locator("[data-pick]")).to_contain_text("<i>L</i>")
    assert lab.page.evaluate("() => window.ran === undefined")
    assert lab.annotator.locator("img, b, u, script").count() == 0


def test_a_notebook_opened_without_a_kernel_shows_the_example(opened):
    bundle = opened.outputs(0)[-1]["data"]
    still = "".join(bundle["text/html"])
    assert "LB broth" in still
    assert "<script" not in still
