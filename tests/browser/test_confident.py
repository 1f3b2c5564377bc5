"""The panel of what the model is sure of, with the kernel's own code behind it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import nbner

LABELS = ("Action", "Amount", "Reagent")


@pytest.fixture
def opened(kernel, trained_path, dev):
    options = {"labels": LABELS, "model": trained_path, "store": ":memory:", "annotator": "ann"}
    with nbner.Session("sure", **options) as session:
        session.add([one.text for one in dev])
        yield session, kernel(session.make_gold(), "annotator", [])


def panel(page):
    return page.root.locator("[data-panel=confident]")


def accept(page):
    return page.root.locator("[data-act=accept-sure]")


def open_panel(page):
    page.root.focus()
    page.page.keyboard.press("p")
    expect(panel(page).get_by_role("option").first).to_be_visible()


def test_what_is_sure_is_listed_unticked_accepted_and_opened_again(opened):
    session, page = opened
    open_panel(page)
    found = session.confident_suggestions(progress=False)
    rows = panel(page).get_by_role("option")
    expect(rows).to_have_count(len(found))
    expect(accept(page)).to_contain_text(f"accept {len(found)} unseen")
    spans = sum(len(one.example.spans) for one in found)
    expected = page.root.locator(".nbner-sure-expected")
    expect(expected).to_have_text(
        f"{spans} suggested spans: about {found.expected_wrong:.1f} wrong, "
        f"{found.expected_missed:.1f} missed"
    )
    page.page.keyboard.press("Space")
    expect(rows.first).to_have_attribute("aria-checked", "false")
    expect(accept(page)).to_contain_text(f"accept {len(found) - 1} unseen")
    first = found.texts[0]
    expect(expected).to_contain_text(f"{spans - len(first.example.spans)} suggested spans")
    page.page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(panel(page)).to_contain_text(f"{len(found) - 1} texts are accepted unseen.")
    accepted = session.examples("train", answer="accept")
    assert len(accepted) == len(found) - 1
    assert all(one.accepted_unseen for one in accepted)
    # What is left open is shown below the panel, and can be labelled.
    expect(page.root).not_to_have_attribute("data-example", str(accepted[0].input_hash))
    page.page.keyboard.press("Backspace")
    expect(rows).to_have_count(len(found))
    assert session.counts("train").accept == 0
    page.page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    page.page.keyboard.press("a")
    expect(page.root.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert session.counts("train").accept == 1


def test_the_probability_is_changed_by_keys_and_by_hand(opened):
    session, page = opened
    open_panel(page)
    field = panel(page).get_by_label("Lowest probability")
    expect(field).to_have_value("0.95")
    page.page.keyboard.press("ArrowLeft")
    expect(field).to_have_value("0.9")
    found = session.confident_suggestions(min_probability=0.9, progress=False)
    expect(accept(page)).to_contain_text(f"accept {len(found)} unseen")
    field.fill("0.5")
    field.press("Enter")
    found = session.confident_suggestions(min_probability=0.5, progress=False)
    expect(accept(page)).to_contain_text(f"accept {len(found)} unseen")
    field.fill("1")
    field.press("Enter")
    expect(accept(page)).to_have_attribute("aria-disabled", "true")
    page.page.keyboard.press("Enter")
    assert session.counts("train").accept == 0


def test_an_edit_in_progress_is_kept(opened):
    session, page = opened
    example = page.root.get_attribute("data-example")
    page.root.focus()
    for key in ("Home", "ArrowRight", "1"):
        page.page.keyboard.press(key)
    spans = page.root.locator("[data-span]").count()
    open_panel(page)
    expect(panel(page)).to_contain_text("1 draft left out")
    page.page.keyboard.press("Enter")
    expect(panel(page)).to_contain_text("accepted unseen")
    page.page.keyboard.press("Escape")
    expect(page.root).to_have_attribute("data-example", example)
    expect(page.root.locator("[data-span]")).to_have_count(spans)
    assert example not in {str(one.input_hash) for one in session.examples(answer="accept")}


def test_a_button_opens_it_and_a_click_unticks(opened):
    _, page = opened
    page.root.locator("[data-act=accept_confident]").click()
    rows = panel(page).get_by_role("option")
    rows.nth(1).click()
    expect(rows.nth(1)).to_have_attribute("aria-checked", "false")
    expect(panel(page)).to_contain_text(re.compile("of 30 open texts"))


def test_the_help_card_names_it_where_it_is(opened, kernel):
    session, page = opened
    page.root.focus()
    page.page.keyboard.press("?")
    expect(page.root.get_by_role("dialog")).to_contain_text("what the model is sure of")
    other = kernel(session.manual(), "annotator", [])
    other.root.focus()
    other.page.keyboard.press("?")
    expect(other.root.get_by_role("dialog")).to_be_visible()
    expect(other.root.get_by_role("dialog")).not_to_contain_text("what the model is sure of")
    expect(other.root.locator("[data-act=accept_confident]")).to_be_hidden()
