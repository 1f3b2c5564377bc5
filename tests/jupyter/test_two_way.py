"""Code and page speak with each other in a real JupyterLab, and no key gets past the widget."""

from __future__ import annotations

import string

import pytest
from playwright.sync_api import expect

import nbner

TEXTS = ["Add 5 ml of LB broth.", "Spin the LB tubes.", "Discard the LB.", "Wash with LB."]

EVERY_KEY = [
    *string.ascii_letters,
    *string.digits,
    *"`-=[]\\;',./~!@#$%^&*()_+{}|:\"<>?",
    *("Space", "Backspace", "Delete", "Enter", "Insert", "Home", "End", "PageUp", "PageDown"),
    *("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "F1", "F2", "F4", "F6", "F8", "F9"),
    *("Shift+Enter", "Control+Enter", "Alt+Enter", "Shift+Space", "Control+b", "Control+s"),
    *("Control+z", "Control+y", "Control+a", "Control+m", "Control+Shift+c", "Control+Shift+h"),
    *("Control+Shift+d", "Control+Shift+f", "Control+Shift+Minus", "Control+Shift+ArrowUp"),
    *("Alt+ArrowLeft", "Alt+ArrowRight", "Shift+Alt+ArrowLeft", "Shift+ArrowDown", "Shift+m"),
]

STATE = """() => {
  const panel = window.jupyterapp.shell.currentWidget;
  const kernel = panel.sessionContext.session.kernel;
  const cells = panel.content.model.toJSON().cells;
  const known = ({ cell_type, source, execution_count }) => [cell_type, source, execution_count];
  return {
    cells: cells.map(known),
    active: panel.content.activeCellIndex,
    mode: panel.content.mode,
    kernel: kernel.id,
    left: window.jupyterapp.shell.leftCollapsed,
    palette: document.querySelector("#modal-command-palette:not(.lm-mod-hidden)") !== null,
    dialogs: document.querySelectorAll(".jp-Dialog").length,
    menus: document.querySelectorAll(".lm-Menu").length,
  };
}"""


@pytest.fixture
def opened(lab, server, name):
    first = (
        f"import nbner\nsession = nbner.Session({name!r}, labels=['Reagent', 'Action'], "
        f"store={name + '.db'!r}, annotator='ann')\nsession.add({TEXTS!r})\n"
        "widget = session.manual()\nwidget"
    )
    told = (
        "import time\nuntil = time.monotonic() + 20\n"
        "said = lambda: widget.selection and widget.selection.text\n"
        "while said() != '5 ml' and time.monotonic() < until: time.sleep(.05)\n"
        "print(widget.current.text, widget.current.spans[0].label, widget.selection.text)"
    )
    steer = (
        "keys = [one.input_hash for one in session.examples('train')]\n"
        "widget.queue = [keys[3], keys[1]]\nshown = widget.goto(2)"
    )
    watch = "def plot(example):\n    raise ValueError('no axes')\nend = widget.on_answer(plot)"
    lab.open(server.write(f"{name}.ipynb", first, told, steer, watch))
    lab.run(0)
    expect(lab.annotator).to_be_visible()
    return lab


def test_code_sees_the_page_steers_it_and_hears_of_every_answer(opened, server, name):
    lab = opened
    lab.annotator.focus()
    for key in ("Home", "2", "ArrowRight", "Shift+ArrowRight"):
        lab.page.keyboard.press(key)
    lab.run(1)
    assert lab.text(1).strip() == f"{TEXTS[0]} Action 5 ml"
    lab.run(2)
    expect(lab.annotator).to_contain_text(TEXTS[2])
    lab.run(3)
    lab.annotator.focus()
    lab.page.keyboard.press("a")
    expect(lab.annotator.get_by_role("status").first).to_contain_text("plot, line 2 failed")
    expect(lab.annotator.locator("[data-save]").first).to_have_attribute("data-save", "saved")
    # What was in work comes first, with its edits; then the queue.
    expect(lab.annotator).to_contain_text("5 ml of LB broth")
    expect(lab.annotator.locator("[data-label=Action]")).to_be_visible()
    for text in (TEXTS[3], TEXTS[1]):
        lab.page.keyboard.press("x")
        expect(lab.annotator).to_contain_text(text)
    with nbner.Session(name, store=server.root / f"{name}.db") as session:
        assert [row.answer for row in session.answers().itertuples()] == [
            "accept",
            "reject",
            "reject",
        ]


def test_every_occurrence_and_the_list_reach_the_database(opened, server, name):
    lab = opened
    lab.annotator.focus()
    for key in ("End", "ArrowLeft", "ArrowLeft", "1", "e", "ArrowRight"):
        lab.page.keyboard.press(key)
    expect(lab.annotator.locator("[data-place]")).to_have_count(3)
    lab.page.keyboard.press("Enter")
    expect(lab.annotator.get_by_role("status").first).to_contain_text("3 coming examples changed")
    lab.page.keyboard.press("l")
    lab.page.keyboard.type("wash")
    expect(lab.annotator.locator("[data-row]")).to_have_count(1)
    lab.page.keyboard.press("Enter")
    expect(lab.annotator).to_contain_text("Wash with")
    expect(lab.annotator.locator("[data-label=Reagent]")).to_have_attribute("data-span", "2:3")
    lab.page.keyboard.press("a")
    expect(lab.annotator.locator("[data-save]").first).to_have_attribute("data-save", "saved")
    with nbner.Session(name, store=server.root / f"{name}.db") as session:
        found = {one.text: one for one in session.examples("train")}
        assert [TEXTS[3][s.start : s.end] for s in found[TEXTS[3]].spans] == ["LB"]
        assert found[TEXTS[3]].answer == "accept"
        assert [len(found[text].spans) for text in TEXTS[1:3]] == [1, 1]


def test_no_key_of_the_keyboard_changes_the_notebook(opened):
    lab = opened
    lab.annotator.focus()
    before = lab.page.evaluate(STATE)
    for key in EVERY_KEY:
        lab.annotator.focus()
        lab.page.keyboard.press(key)
        assert lab.page.evaluate(STATE) == before, key
        # Whatever it has opened is closed before the next.
        lab.page.keyboard.press("Escape")
        lab.annotator.focus()
        lab.page.keyboard.press("Escape")


FOCUS = """() => {
  const panel = window.jupyterapp.shell.currentWidget;
  const active = document.activeElement;
  const inside = (selector) => active.closest(selector) !== null;
  const at = inside("[data-nbner]") ? "widget" : inside(".cm-content") ? "editor" : "cell";
  return [panel.content.widgets.length, at];
}"""


def test_the_widget_has_the_keys_once_its_cell_is_run_and_takes_them_from_nobody(opened):
    lab = opened
    # The keys that it shows are its own at once: on the notebook, `x` would cut the cell.
    expect(lab.annotator).to_be_focused()
    lab.page.keyboard.press("x")
    expect(lab.annotator).to_contain_text(TEXTS[1])
    expect(lab.annotator.locator(".nbner-keys-off")).to_be_hidden()
    # Left by Escape, the cell has the keys; come back to, Enter leads in again.
    lab.page.keyboard.press("Escape")
    expect(lab.annotator.locator(".nbner-keys-off")).to_have_text("Click to use the keys")
    assert lab.page.evaluate(FOCUS) == [4, "cell"]
    lab.page.keyboard.press("Enter")
    assert lab.page.evaluate(FOCUS) == [4, "editor"]
    for key in ("Escape", "ArrowDown", "ArrowUp"):
        lab.page.keyboard.press(key)
    hint = lab.annotator.locator(".nbner-keys-off")
    expect(hint).to_have_text("Press Enter or click to use the keys")
    lab.page.keyboard.press("Enter")
    expect(lab.annotator).to_be_focused()
    # A person who types elsewhere while the cell runs is left alone.
    lab.annotator.evaluate("(root) => root.setAttribute('data-earlier', '')")
    lab.start(0)
    lab.page.locator(".jp-Cell").nth(1).locator(".cm-content").click()
    expect(lab.page.locator("[data-earlier]")).to_have_count(0)
    # The new widget opens at the first open example.
    expect(lab.annotator).to_contain_text(TEXTS[1])
    assert lab.page.evaluate(FOCUS) == [4, "editor"]


def test_code_answers_one_example_after_another_while_its_cell_runs(opened, server, name):
    lab = opened
    lab.page.evaluate(
        "source => window.jupyterapp.shell.currentWidget.content.widgets[1]"
        ".model.sharedModel.setSource(source)",
        "for _ in range(3):\n    print(widget.current.text)\n    widget.answer('accept', [])",
    )
    # The page says which example it shows: code must not wait for its next word.
    lab.annotator.focus()
    lab.page.keyboard.press("ArrowRight")
    lab.run(1)
    assert lab.text(1).split("\n")[:3] == TEXTS[:3]
    expect(lab.annotator).to_contain_text(TEXTS[3])
    with nbner.Session(name, store=server.root / f"{name}.db") as session:
        assert len(session.answers()) == 3
