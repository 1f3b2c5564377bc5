"""The panel in which the label set is changed, with the kernel's own code behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import nbner

GOLD = {
    "text": "Stew and soup.",
    "answer": "accept",
    "spans": [{"start": 0, "end": 4, "label": "Dish"}, {"start": 9, "end": 13, "label": "Dish"}],
}


@pytest.fixture
def opened(kernel):
    with nbner.Session("d", labels=["Dish", "Tool", "Time"], store=":memory:") as session:
        session.add([GOLD, {"text": "Boil it."}])
        yield session, kernel(session.manual(), "annotator", [])


def row(page, label):
    return page.root.locator(f"[data-label-row={label}]")


def test_a_label_is_renamed_after_a_look_at_what_it_touches(opened):
    session, page = opened
    page.root.focus()
    page.page.keyboard.press("m")
    expect(row(page, "Dish")).to_contain_text("2 spans in 1 example")
    name = row(page, "Dish").get_by_label("Name of")
    name.fill("Food")
    status = page.root.locator(".nbner-label-status")
    expect(status).to_have_text("Rename Dish to Food: 2 spans in 1 example")
    assert session.labels == ("Dish", "Tool", "Time")
    name.press("Enter")
    expect(status).to_contain_text("Renamed 'Dish' to 'Food'")
    assert session.labels == ("Food", "Tool", "Time")
    page.root.get_by_role("button", name="Undo", exact=True).first.click()
    expect(row(page, "Dish")).to_be_visible()
    assert session.labels == ("Dish", "Tool", "Time")


def test_another_labels_name_is_a_merge_and_escape_takes_it_back(opened):
    session, page = opened
    page.root.focus()
    page.page.keyboard.press("m")
    name = row(page, "Dish").get_by_label("Name of")
    name.fill("Tool")
    status = page.root.locator(".nbner-label-status")
    expect(status).to_have_text("Merge Dish into Tool: 2 spans in 1 example")
    name.press("Escape")
    expect(row(page, "Dish").get_by_label("Name of")).to_have_value("Dish")
    row(page, "Time").get_by_role("combobox").select_option("Tool")
    page.root.locator("[data-act=confirm]").click()
    expect(row(page, "Time")).to_have_count(0)
    assert session.labels == ("Dish", "Tool")
    row(page, "Tool").get_by_label("Name of").focus()
    page.page.keyboard.press("Alt+ArrowUp")
    expect(page.root.locator("[data-label-row]").first).to_have_attribute("data-label-row", "Tool")
    page.root.get_by_role("textbox", name="Name of a new label").fill("Snack")
    page.page.keyboard.press("Enter")
    expect(row(page, "Snack")).to_be_visible()
    assert session.labels == ("Tool", "Dish", "Snack")
    page.page.keyboard.press("Escape")
    expect(page.root.locator("[data-panel=labels]")).to_be_hidden()
