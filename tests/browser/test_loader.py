"""The loader stands in for the front end where a page has it, and gets it where it has not."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import nbner


@pytest.fixture
def session():
    with nbner.Session("d", labels=["Dish"], store=":memory:") as made:
        made.add(["Boil it.", "Stew."])
        yield made


def asked_for(page):
    return sum(message["type"] == "bundle" for message in page.asked)


def test_a_page_without_the_front_end_asks_for_it_once(session, kernel):
    widget = session.manual()
    page = kernel(widget, "annotator.loader", [])
    expect(page.root.locator("[data-token]").first).to_be_visible()
    assert asked_for(page) == 1
    # It looks as it does with a style of its own: the frame is the widget's.
    radius = page.root.evaluate("one => getComputedStyle(one).borderRadius")
    assert radius != "0px"
    page.root.focus()
    page.page.keyboard.press("a")
    expect(page.root.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert session.counts("train").accept == 1
    page.start()
    expect(page.page.locator("[data-nbner] [data-token]").last).to_be_visible()
    assert page.page.locator("[data-nbner]").count() == 2
    assert asked_for(page) == 1
    (hello, *_) = (message for message in page.asked if message["type"] == "hello")
    assert hello["loaded"] is True


def test_only_a_page_with_its_style_says_that_it_has_the_front_end(session, kernel):
    # The host links a style, which is none that the page could find again.
    page = kernel(session.manual(), "annotator", [])
    expect(page.root.locator("[data-token]").first).to_be_visible()
    assert not any(message.get("loaded") for message in page.asked)
