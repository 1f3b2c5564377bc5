"""Make-gold: leafing through analyses, corrected neighbours, hidden suggestions."""

import pytest
from playwright.sync_api import expect

TEXT = "Uber left New York in May"
FIRST = [
    [0, 1, "ORG", {"source": "v3", "score": 0.9}],
    [2, 4, "GPE", {"source": "v3", "score": 0.4}],
]
SECOND = [[0, 1, "ORG", {"source": "v3", "score": 0.9}]]
THIRD = [[0, 1, "PERSON", {"source": "v3", "score": 0.1}], FIRST[1]]
ANALYSES = [
    {"probability": 0.5, "spans": FIRST},
    {"probability": 0.21, "spans": SECOND},
    {"probability": 0.1, "spans": THIRD},
]


@pytest.fixture
def gold(host, world):
    tasks = [world.task(name, TEXT, FIRST, suggested=True, by="v3") for name in ("1", "2")]
    make_gold = {"mode": "make-gold", "advises": True, "redecodes": True}
    return host.open(*tasks, analyses=ANALYSES, **make_gold)


def test_down_and_up_leaf_through_whole_analyses(gold):
    gold.press("ArrowDown")
    expect(gold.mark(2, 4)).to_have_count(0)
    expect(gold.root).to_contain_text("analysis 2 of 3 · .21")
    gold.press("ArrowDown")
    expect(gold.mark(0, 1)).to_have_attribute("data-label", "PERSON")
    # What is not in the best analysis is marked.
    expect(gold.mark(0, 1)).to_have_attribute("data-other", "")
    expect(gold.mark(2, 4)).not_to_have_attribute("data-other", "")
    gold.press("ArrowUp", "ArrowUp")
    expect(gold.root).to_contain_text("analysis 1 of 3 · .50")
    assert gold.spans() == [["0:1", "ORG"], ["2:4", "GPE"]]


def test_with_a_caret_up_and_down_move_it(gold):
    gold.press("ArrowRight", "ArrowDown")
    assert gold.sent("analyses") == []


def test_a_fixed_span_has_the_rest_searched_again(gold):
    gold.press("ArrowRight", "2")
    expect(gold.mark(0, 1)).to_have_attribute("data-label", "PERSON")
    expect(gold.mark(0, 1)).not_to_have_attribute("data-suggested", "")
    asked = gold.sent("analyses")
    assert [one["forced"] for one in asked] == [[[0, 1, "PERSON"]]]
    expect(gold.mark(2, 4)).to_have_attribute("data-suggested", "")


def test_a_suggestion_taken_off_stays_off_and_undo_brings_it_back(gold):
    gold.press("Tab", "Tab", "Delete")
    expect(gold.mark(2, 4)).to_have_count(0)
    assert gold.sent("analyses")[0]["forbidden"] == [[2, 4, "GPE"]]
    gold.press("Control+z")
    expect(gold.mark(2, 4)).to_have_attribute("data-suggested", "")


def test_the_slider_hides_what_is_not_sure_enough(gold):
    gold.press("c")
    slider = gold.root.get_by_role("slider")
    expect(slider).to_be_focused()
    for _ in range(10):
        gold.page.keyboard.press("ArrowRight")
    expect(gold.mark(2, 4)).to_have_count(0)
    expect(gold.root).to_contain_text("sure from .50 · 1 hidden")
    gold.page.keyboard.press("Enter")
    expect(gold.root).to_be_focused()
    gold.page.keyboard.press("a")
    # What was hidden is not in the answer; the next example is sifted as well.
    expect(gold.root).to_have_attribute("data-example", "2")
    assert gold.stored("1")["spans"] == [[0, 1, "ORG"]]
    expect(gold.mark(2, 4)).to_have_count(0)


def test_without_confidences_there_is_no_slider(host, world):
    host.open(world.task("1", TEXT))
    expect(host.root.get_by_role("slider")).to_be_hidden()
