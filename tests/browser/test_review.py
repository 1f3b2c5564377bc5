"""A review: what several people say of a text, side by side below it."""

import pytest
from playwright.sync_api import expect

VERSIONS = [
    {"by": "ann", "answer": "accept", "spans": [[0, 1, "ORG"], [2, 4, "GPE"]]},
    {"by": "<b>bob</b>", "answer": "accept", "spans": [[0, 1, "PERSON"]]},
]


@pytest.fixture
def review(host, world):
    host.open(
        world.task(1, "Uber left New York", [[0, 1, "ORG"]], versions=VERSIONS),
        world.task(2, "Nobody differs here"),
    )
    return host


def test_versions_are_shown_as_text_and_one_key_takes_the_next(review):
    rows = review.root.locator("[data-version]")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("ann")
    expect(rows.nth(0)).to_contain_text("New York")
    expect(rows.nth(1)).to_contain_text("<b>bob</b>")
    review.root.focus()
    review.page.keyboard.press("v")
    expect(rows.nth(0)).to_have_attribute("aria-pressed", "true")
    assert review.spans() == [["0:1", "ORG"], ["2:4", "GPE"]]
    review.page.keyboard.press("v")
    expect(rows.nth(1)).to_have_attribute("aria-pressed", "true")
    assert review.spans() == [["0:1", "PERSON"]]


def test_differences_are_marked_and_taken_one_by_one(review):
    rows = review.root.locator("[data-version]")
    expect(review.root).to_contain_text("2 differences")
    # Both in the rows, where a version that has nothing says so, and on the text.
    expect(rows.nth(0).locator("[data-differs]")).to_have_text(["UberORG", "New YorkGPE"])
    expect(rows.nth(1).locator("[data-differs]")).to_have_text(["UberPERSON", "New Yorknothing"])
    tokens = review.root.locator("[data-token][data-differs]")
    expect(tokens).to_have_text(["Uber", "New", "York"])
    review.press("2")
    assert review.spans() == [["0:1", "PERSON"]]
    review.press("j", "j", "1")
    expect(review.mark(2, 4)).to_have_attribute("data-label", "GPE")
    assert review.spans() == [["0:1", "PERSON"], ["2:4", "GPE"]]
    review.press("k", "k")
    expect(review.mark(2, 4)).to_have_attribute("data-label", "GPE")
    review.press("k", "1")
    expect(review.mark(0, 1)).to_have_attribute("data-label", "ORG")
    review.press("a")
    expect(tokens).to_have_count(0)


def test_a_digit_takes_a_version_where_there_are_fewer_labels(host, world):
    three = [*VERSIONS, {"by": "eve", "answer": "accept", "spans": [[1, 2, "ORG"]]}]
    host.open(world.task(1, "Uber left New York", versions=three), labels=["ORG"])
    host.press("3")
    assert host.spans() == [["1:2", "ORG"]]
    host.press("1")
    assert host.spans() == [["0:1", "ORG"], ["2:4", "GPE"]]


def test_a_version_is_taken_by_click_and_decided_by_key(review):
    review.root.locator("[data-version='ann']").click()
    expect(review.root).to_be_focused()
    review.page.keyboard.press("a")
    expect(review.root).to_have_attribute("data-example", "2")
    expect(review.root.locator("[data-version]")).to_have_count(0)
    (sent,) = review.sent()
    assert [span[:3] for span in sent["spans"]] == [[0, 1, "ORG"], [2, 4, "GPE"]]
