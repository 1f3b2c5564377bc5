"""The error explorer on a page without Jupyter, with its Python behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import nbner
from nbner._common.guidelines import Guidelines
from nbner.evaluation.errors.report import Errors
from nbner.evaluation.errors.span_features import TrainingVocabulary
from nbner.queues.error_review import ErrorReviewQueue, StoreBinding
from nbner.types import Span
from nbner.widgets.error_explorer import ErrorExplorer
from nbner.widgets.key_bindings import KeyBindings

LABELS = ("Reagent", "Amount", "Action")
EVIL = "<img src=x onerror=alert(1)>"
# Text, gold, predicted; each span by its words.
SAID = [
    ("Add 5 ml of LB broth.", {"5 ml": "Amount", "LB broth": "Reagent", "Add": "Action"}, None),
    ("Spin the 😀 tubes at 4 °C.", {"Spin": "Action"}, {"Spin": "Reagent"}),
    ("Wash with PBS buffer.", {"Wash": "Action", "PBS buffer": "Reagent"}, {"PBS": "Reagent"}),
    ("Discard the supernatant.", {"Discard": "Action"}, {}),
    ("Heat for 5 min.", {"Heat": "Action"}, {"Heat": "Action", "5 min": "Amount"}),
    (f"Mix {EVIL} well.", {"Mix": "Action"}, {"Mix": "Reagent"}),
]


def spans(text, said):
    return [
        Span(text.index(words), text.index(words) + len(words), label)
        for words, label in sorted(said.items(), key=lambda item: text.index(item[0]))
    ]


@pytest.fixture
def made():
    """Give a session, and an explorer over its gold and predictions that were made by hand."""
    with nbner.Session("steps", labels=LABELS, store=":memory:", annotator="ann") as session:
        rows = [
            {
                "text": text,
                "answer": "accept",
                "spans": [
                    {"start": s.start, "end": s.end, "label": s.label} for s in spans(text, gold)
                ],
                "meta": {"source": "book" if i % 2 else "web"},
            }
            for i, (text, gold, _) in enumerate(SAID)
        ]
        session.add(rows, split="dev")
        examples = session.examples("dev")
        predicted = [spans(text, gold if said is None else said) for text, gold, said in SAID]
        errors = Errors(
            examples,
            predicted,
            training_vocabulary=TrainingVocabulary(examples[:1]),
            labels=LABELS,
            title="dev",
        )
        backing = StoreBinding(
            session.context.dataset,
            "ann",
            "store",
            session.context.tokenize,
            session.context.answer_bus,
        )
        yield (
            session,
            ErrorExplorer(errors, ErrorReviewQueue(errors, binding=backing, labels=LABELS)),
        )


def gold(session, text):
    example = next(one for one in session.examples("dev") if one.text == text)
    return example.answer, {text[s.start : s.end]: s.label for s in example.spans}


def cell(root, row, column):
    return root.locator(f'[data-cell="{row}:{column}"]')


def test_a_number_opens_its_examples_which_are_mended_there(made, kernel):
    session, explorer = made
    page = kernel(explorer, "errors", ["_errors"])
    root, keyboard = page.root, page.page.keyboard
    expect(root).to_contain_text("6 errors in 10 spans")
    # Right ones, a wrong label, one missed, one too many, other borders.
    for place, count in {"2:2": 2, "2:0": 2, "2:-1": 2, "-1:1": 1, "0:-2": 1}.items():
        expect(root.locator(f'[data-cell="{place}"]')).to_have_text(str(count))
    # By keys: to the largest error, and into its examples; what is said is text, not markup.
    cell(root, 2, 0).focus()
    keyboard.press("Enter")
    rows = root.locator("[data-finding]")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator("mark")).to_have_text(["SpinAction", "SpinReagent"])
    expect(rows.nth(0)).to_contain_text("😀 tubes at 4 °C")
    expect(rows.nth(1)).to_contain_text(EVIL)
    expect(root.locator("img")).to_have_count(0)
    # The gold is corrected in the annotation surface: the prediction is taken, and accepted.
    keyboard.press("Enter")
    surface = root.locator("[data-nbner=annotator]")
    expect(surface.locator("mark[data-span]")).to_have_attribute("data-label", "Action")
    keyboard.press("v")
    keyboard.press("a")
    expect(cell(root, 2, 0)).to_have_text("1")
    expect(cell(root, 0, 0)).to_have_text("2")
    expect(rows.nth(0)).to_have_attribute("data-gone", "")
    assert gold(session, SAID[1][0]) == ("accept", {"Spin": "Reagent"})
    # The way goes on to the next one, on which the model is wrong.
    expect(surface).to_contain_text("onerror")
    keyboard.press("m")
    expect(root).to_contain_text("1 example judged")
    assert [one.extra.get("judged") for one in session.examples("dev")][-1] == "model"
    # Back to the rows; each change is taken back as a whole.
    keyboard.press("Escape")
    keyboard.press("u")
    expect(root).not_to_contain_text("1 example judged")
    keyboard.press("Control+z")
    expect(cell(root, 2, 0)).to_have_text("2")
    assert gold(session, SAID[1][0]) == ("accept", {"Spin": "Action"})
    expect(root.locator("[data-act=revert]")).to_have_attribute("aria-disabled", "true")


def test_conditions_narrow_what_is_counted_and_an_empty_slice_says_so(made, kernel):
    _, explorer = made
    page = kernel(explorer, "errors", ["_errors"])
    root = page.root
    root.locator("[data-condition=seen]").select_option("not seen in training")
    expect(root).to_contain_text("of 10 in all")
    expect(cell(root, 2, 0)).to_have_text("2")
    root.locator("[data-condition=source]").select_option("book")
    root.locator("[data-condition=text]").fill("nowhere")
    root.locator("[data-condition=text]").press("Enter")
    expect(root).to_contain_text("Nothing meets these conditions.")
    root.locator("[data-condition=none]").click()
    expect(root).to_contain_text("6 errors in 10 spans")
    # Code sets any function of a finding; the page can only take it off.
    explorer.filter(lambda one: one.words == "Spin", name="spinning")
    page.tell()
    expect(root).to_contain_text("of 10 in all")
    assert set(explorer.frame["words"]) == {"Spin"}
    root.locator("[data-condition='code:spinning']").click()
    expect(root).to_contain_text("6 errors in 10 spans")


def test_a_bar_opens_its_examples(made, kernel):
    _, explorer = made
    page = kernel(explorer, "errors", ["_errors"], theme="dark")
    root = page.root
    root.locator("[data-view=length]").click()
    expect(root).to_contain_text("Error rate by how many tokens the span has")
    root.locator("[data-bar='2']").click()
    rows = root.locator("[data-finding]")
    expect(rows).to_have_count(2)
    expect(root.locator(".nbner-findings-title")).to_have_text("Errors, length 2: 2")
    assert {one.text for one in explorer.examples} == {SAID[2][0], SAID[4][0]}
    # A view leaves nothing behind.
    page.page.evaluate("host.close(), host.end()")
    assert page.page.evaluate("host.model.listenerCount") == 0


def test_the_guideline_and_keys_of_ones_own_are_at_hand(made, kernel):
    session, explorer = made
    bus = session.context.answer_bus
    bus.guidelines = Guidelines("# Short spans", {"Action": "What is done"})
    bus.keys = KeyBindings({"reject": "m"}, {"Reagent": "u"})
    explorer.update_labels()
    page = kernel(explorer, "errors", ["_errors"])
    root, keyboard = page.root, page.page.keyboard
    cell(root, 2, 0).focus()
    keyboard.press("Enter")
    expect(root.locator("[data-finding]")).to_have_count(2)
    keyboard.press("Enter")
    inner = root.locator("[data-nbner=annotator]")
    expect(inner.locator("[data-pick=Reagent]")).to_contain_text("u")
    keyboard.press("i")
    beside = root.locator("[data-beside=guideline]")
    expect(beside).to_contain_text("Short spans")
    expect(beside).to_contain_text("What is done")
    keyboard.press("Escape")
    expect(beside).to_be_hidden()
    # The keys mean here what they mean in every other annotator, and nothing else.
    keyboard.press("Home")
    keyboard.press("u")
    expect(inner.locator('[data-span="0:1"]')).to_have_attribute("data-label", "Reagent")
    keyboard.press("m")
    expect(root.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert gold(session, "Spin the 😀 tubes at 4 °C.")[0] == "reject"
