"""A review of sets: a few analyses to choose from by digits, and what is said of other sets."""

from __future__ import annotations

from playwright.sync_api import expect

ANALYSES = [
    {"by": "analysis 1", "answer": "accept", "probability": 0.62, "spans": [[0, 1, "ORG"]]},
    {
        "by": "analysis 2",
        "answer": "accept",
        "probability": 0.21,
        "spans": [[0, 1, "ORG"], [2, 4, "GPE"]],
    },
    {"by": "analysis 3", "answer": "accept", "probability": 0.1, "spans": [[2, 4, "GPE"]]},
    {"by": "analysis 4", "answer": "accept", "probability": 0.04, "spans": []},
]
FEW = {"level": 0.95, "size": 4, "complete": True, "current": True}


def test_a_digit_chooses_among_the_analyses_of_a_set(host, world):
    text = "Uber left New York"
    suggested = {"spans": [[0, 1, "ORG", {"source": "v1"}]], "suggested": True, "by": "v1"}
    host.open(
        world.task(1, text, versions=ANALYSES, set=FEW, **suggested),
        world.task(2, "Nobody is here", set={**FEW, "size": 300, "complete": False}),
        world.task(3, "Nobody was there", versions=ANALYSES[3:], set={**FEW, "size": 1}),
        world.task(4, "It is late", set={**FEW, "size": 0, "current": False}),
        labels=["ORG", "GPE"],
    )
    rows = host.root.locator("[data-version]")
    expect(rows).to_have_count(4)
    expect(host.root).to_contain_text("4 analyses at 95 %, 2 differences")
    expect(rows.nth(1)).to_contain_text("probability .21, 2 spans")
    expect(rows.nth(0)).to_have_attribute("aria-pressed", "true")
    expect(rows.nth(3).locator("[data-differs]")).to_have_text(["Ubernothing", "New Yorknothing"])
    # There are two labels, and four analyses have a key.
    host.press("4")
    expect(rows.nth(3)).to_have_attribute("aria-pressed", "true")
    assert host.spans() == []
    host.press("Control+z")
    assert host.spans() == [["0:1", "ORG"]]
    host.press("2", "a")
    (sent,) = host.sent()
    assert [span[:3] for span in sent["spans"]] == [[0, 1, "ORG"], [2, 4, "GPE"]]
    expect(host.root).to_contain_text("The set at 95 % goes beyond a list of 300: label as usual")
    expect(rows).to_have_count(0)
    host.press("?")
    expect(host.root.get_by_role("dialog")).not_to_contain_text("That version or analysis")
    host.press("Escape", ".")
    expect(host.root).to_contain_text("The only analysis at 95 %")
    host.press("?")
    expect(host.root.get_by_role("dialog")).to_contain_text("That version or analysis")
    host.press("Escape", ".")
    expect(host.root).to_contain_text("out of date: another model is in use")
