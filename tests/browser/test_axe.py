"""No state of a widget, and no panel of a result, has a violation that axe-core finds.

In light, in dark and in forced colours. What a host page itself lacks, such as
landmarks, is not looked at.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from playwright.sync_api import expect

import nbner
from nbner._common.result import write_page
from nbner.evaluation.regressions import LabelRegression
from nbner.evaluation.report import Evaluation
from nbner.evaluation.scores import score
from nbner.training.records import TrainingRecord
from nbner.training.report import TrainingReport
from nbner.types import Span

HERE = Path(__file__).parent
AXE = HERE.parents[1] / "js" / "node_modules" / "axe-core" / "axe.min.js"
LABELS = [f"Label {i}" for i in range(1, 15)]
VERSIONS = [
    {"by": "ann", "answer": "accept", "spans": [[0, 1, "Label 1"], [2, 4, "Label 3"]]},
    {"by": "bob", "answer": "accept", "spans": [[0, 1, "Label 2"]]},
]
RUN = """async ([target, rules]) => {
  const found = await axe.run(document.querySelector(target), rules ? { runOnly: rules } : {});
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) =>
    `${id}: ${node.html} ${node.any.map((one) => one.message).join(" ")}`.slice(0, 500)));
}"""
#: The classes of the host page, and what the browser is asked to emulate. What a look
#: changes are colours alone: the first look is held against all rules.
LOOKS = {
    "": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}


def load(name):
    file = HERE / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"nbner_tests_browser_{name}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


errors, trace = load("test_errors"), load("test_trace")
made = errors.made


def violations(page, target="[data-nbner]"):
    """Return what axe-core finds in each look of the page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for look, media in LOOKS.items():
        page.emulate_media(**media, reduced_motion="reduce")
        page.evaluate("(name) => { document.documentElement.className = name }", look)
        rules = ["color-contrast"] if look else None
        found += [f"{look or 'light'}: {one}" for one in page.evaluate(RUN, [target, rules])]
    return found


def open_list(host):
    host.press("l")
    expect(host.root.locator("[data-row]")).to_have_count(30)


def open_filter(host):
    host.press("/")
    host.page.keyboard.type("1")


def open_help(host):
    host.press("?")
    expect(host.root.get_by_role("dialog")).to_be_visible()


def write_note(host):
    host.press("n")
    host.page.keyboard.type("why?")


def list_occurrences(host):
    host.press("Home", "e", "ArrowRight")
    expect(host.root.get_by_role("option").first).to_be_visible()


def select_a_span(host):
    host.press("Home", "Shift+ArrowRight")


def search_inside(host):
    host.press("s")
    host.page.keyboard.type("New")
    expect(host.root).to_contain_text("1 of 1")


def stop_in_the_middle(host):
    host.press("Home", "b")
    expect(host.root).to_contain_text("done up to")


def decide_all(host):
    for _ in range(30):
        host.press("a")
    expect(host.root).not_to_have_attribute("data-example", "30")


STATES = {
    "as it opens": lambda host: host.root.focus(),
    "list": open_list,
    "filter": open_filter,
    "help": open_help,
    "note": write_note,
    "occurrences": list_occurrences,
    "selection": select_a_span,
    "search inside": search_inside,
    "done in part": stop_in_the_middle,
    "empty": decide_all,
}


@pytest.mark.parametrize("state", STATES)
def test_the_annotator(host, world, state):
    host.open(
        *(
            world.task(i, "Uber left New York", [[0, 1, "Label 1", {"score": 0.7}]] * (i < 20))
            for i in range(30)
        ),
        labels=LABELS,
    )
    STATES[state](host)
    assert violations(host.page) == []


def test_the_guideline_and_what_stands_around_the_text(kernel):
    text = "# Rules\n\nSpans are **short**, see [a paper](https://a.test/b).\n\n- one\n- `two`"
    labels = {"Dish": "What is cooked", "Tool": "What it is cooked with"}
    with nbner.Session("g", labels=labels, guidelines=text, store=":memory:") as session:
        session.add([{"text": "Boil it.", "meta": {"p": "Then: Boil it.", "u": "https://a.test"}}])
        page = kernel(session.manual(context="p", daily_target=2), "annotator", [])
        page.root.focus()
        page.page.keyboard.press("i")
        expect(page.root.get_by_role("heading", name="Rules")).to_be_visible()
        assert violations(page.page) == []


def test_the_label_set(kernel):
    with nbner.Session("m", labels=["Dish", "Tool"], store=":memory:") as session:
        session.add(["Boil it."])
        page = kernel(session.manual(), "annotator", [])
        page.root.focus()
        page.page.keyboard.press("m")
        expect(page.root.locator("[data-label-row=Dish]")).to_be_visible()
        assert violations(page.page) == []


def test_what_the_model_is_sure_of(kernel, trained_path, dev):
    labels = ["Action", "Amount", "Reagent"]
    with nbner.Session("p", labels=labels, model=trained_path, store=":memory:") as session:
        session.add([one.text for one in dev[:4]])
        page = kernel(session.make_gold(), "annotator", [])
        page.root.focus()
        page.page.keyboard.press("p")
        expect(page.root.locator("[data-sure]").first).to_be_visible()
        page.page.keyboard.press("Space")
        assert violations(page.page) == []


def test_a_review(host, world):
    host.open(
        world.task(1, "Uber left New York", [[0, 1, "Label 1"]], versions=VERSIONS), labels=LABELS
    )
    host.press("v")
    assert violations(host.page) == []


def test_a_correction(host, world):
    parses = [
        {"probability": 0.7, "spans": [[0, 1, "Label 1"]]},
        {"probability": 0.2, "spans": [[2, 4, "Label 2"]]},
    ]
    host.open(
        world.task(1, "Uber left New York", [[0, 1, "Label 1", {"score": 0.7}]]),
        analyses=parses,
        mode="make_gold",
        labels=LABELS,
    )
    host.press("ArrowDown")
    assert violations(host.page) == []


def test_the_error_explorer(made, kernel):
    _, explorer = made
    page = kernel(explorer, "errors", ["_errors"])
    assert violations(page.page) == []
    errors.cell(page.root, 2, 0).focus()
    page.page.keyboard.press("Enter")
    expect(page.root.locator("[data-finding]")).to_have_count(2)
    assert violations(page.page) == []
    page.page.keyboard.press("Enter")
    expect(page.root.locator("[data-nbner=annotator] [data-token]").first).to_be_visible()
    assert violations(page.page) == []
    page.page.keyboard.press("?")
    assert violations(page.page) == []


def test_the_state_machine(context, world):
    viewer = trace.Viewer(context.new_page(), world)
    viewer.press("ArrowRight")
    assert violations(viewer.page) == []
    viewer.press("?")
    assert violations(viewer.page) == []


def spans(text, **labels):
    return [
        {"start": text.index(words), "end": text.index(words) + len(words), "label": label}
        for words, label in labels.items()
    ]


def panels(session):
    """Yield results of all kinds of panels that need no model."""
    text = "Toast the hazelnuts"
    row = {"text": text, "spans": spans(text, hazelnuts="Ingredient"), "answer": "accept"}
    other = {"text": text, "spans": spans(text, Toast="Action"), "answer": "accept"}
    cut = {"text": text, "spans": [{"start": 1, "end": 9, "label": "Action"}]}
    yield session.add([row, cut], split="train", misaligned="expand")
    yield session.summary
    yield session.quality.progress()
    yield session.quality.consistency()
    yield session.quality.data_warnings()
    yield session.quality.tokenization()
    yield nbner.differences([row], [other])
    evaluation = Evaluation(
        score([[Span(0, 2, "A"), Span(3, 4, "B")]], [[Span(0, 2, "A")]], labels=("A", "B"))
    )
    yield evaluation
    yield TrainingReport(
        path=Path("model-best"),
        f=0.5,
        fingerprint="0123456789ab",
        seconds=6.0,
        steps=101,
        stopped="by hand",
        n_train=1200,
        n_dev=300,
        dev_source="given",
        evaluations=[TrainingRecord(0, 0, 0.1, 90, 0.7, True, 0.0, 0.0, 0.0)],
        regressed_labels=(LabelRegression("Drink", 0.61, 0.35, 18),),
        in_use=False,
    )


def test_every_panel(context):
    page = context.new_page()
    with nbner.Session("panels", labels=("Ingredient", "Action"), store=":memory:") as session:
        shown = "".join(one._repr_html_() for one in panels(session))
    figure = Evaluation(score([[Span(0, 2, "A")]], [[Span(0, 2, "A")]])).to_html()
    page.set_content(write_page("Panels", shown))
    assert violations(page, "html") == []
    page.set_content(figure)
    assert violations(page, "html") == []


def test_the_page_of_errors(made, context):
    _, explorer = made
    page = context.new_page()
    page.set_content(explorer.to_html())
    assert violations(page, "html") == []
