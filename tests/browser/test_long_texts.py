"""Texts of any length and any script: they scroll, they are labelled, they are as they came."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

SIZE = 20_000
COPIED = """() => {
    const clipboardData = new DataTransfer();
    const event = new ClipboardEvent("copy", { clipboardData, bubbles: true });
    document.querySelector("[data-token]").dispatchEvent(event);
    return event.clipboardData.getData("text/plain");
}"""


@pytest.fixture
def long(host, world):
    tokens = [[f"word{i}", "\n" if i % 120 == 119 else " "] for i in range(SIZE)]
    return host.open(world.tokenized(1, tokens, [(10, 12, "ORG")]), world.task(2, "Short"))


def test_a_text_of_20000_tokens_is_labelled_from_end_to_end(long):
    long.press("ArrowRight", "1", "Control+End", "2")
    last = SIZE - 1
    expect(long.mark(last, SIZE)).to_be_in_viewport()
    expect(long.mark(last, SIZE)).to_have_attribute("data-label", "PERSON")
    expect(long.button("accept")).to_be_in_viewport()
    long.press("ArrowUp", "3", "Control+Home")
    expect(long.mark(0, 1)).to_be_in_viewport()
    assert [label for _, label in long.spans()] == ["ORG", "ORG", "GPE", "PERSON"]
    long.press("a")
    expect(long.root).to_have_attribute("data-example", "2")
    expect(long.root.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert len(long.stored("1")["spans"]) == 4


def test_a_text_of_20000_tokens_scrolls_and_is_dragged_over_in_its_middle(long):
    middle = SIZE // 2
    long.token(middle).evaluate("one => one.scrollIntoView({ block: 'center' })")
    expect(long.token(middle)).to_be_in_viewport()
    long.drag(middle, middle + 2)
    expect(long.mark(middle, middle + 3)).to_have_attribute("data-label", "ORG")
    assert long.root.bounding_box()["height"] < 800


def test_a_key_touches_only_what_it_changes(long):
    """What is not near the caret is not drawn again: the number of changed nodes does not grow."""
    long.press("ArrowRight")
    long.page.evaluate(
        """() => {
            window.changes = 0;
            new MutationObserver((records) => { window.changes += records.length; })
                .observe(document.querySelector(".nbner-words"), { subtree: true, childList: true,
                    attributes: true, characterData: true });
        }"""
    )
    long.press("1", "2", "Delete", "ArrowRight", "Shift+ArrowRight")
    expect(long.root.locator("[data-selected]")).to_have_count(2)
    assert 0 < long.page.evaluate("window.changes") < 60


WORDS = [
    ["one", "\t"],
    ["two", "   "],
    ["three", "\n\n\n"],
    ["مرحبا", " "],
    ["بكم", "\n"],
    ["👩‍👩‍👧", ""],
    ["天安门", "\u00a0"],
    ["e\u0301te\u0301", "  \n"],
    ["end", "\n"],
]


def test_copying_gives_the_text_back(host, world):
    host.open(world.tokenized(1, WORDS, [(0, 2, "ORG"), (4, 7, "GPE")], lead=" \n"))
    text = " \n" + "".join(word + gap for word, gap in WORDS)
    host.page.evaluate("getSelection().selectAllChildren(document.querySelector('.nbner-words'))")
    assert host.page.evaluate(COPIED) == text
    host.page.evaluate("getSelection().removeAllRanges()")
    host.press("Control+Home", "Control+Shift+End")
    assert host.page.evaluate(COPIED) == text.strip()


def test_tabs_and_runs_of_spaces_take_their_room(host, world):
    host.open(world.tokenized(1, [["a", "\t"], ["a", "     "], ["a", " "], ["a", ""]]))
    x = [host.token(i).bounding_box()["x"] for i in range(4)]
    space = x[3] - x[2] - host.token(2).bounding_box()["width"]
    assert x[2] - x[1] > 4 * space
    assert x[1] - x[0] > 2 * space


def test_each_paragraph_runs_in_its_own_direction(host, world):
    tokens = [["one", " "], ["two", "\n"], ["مرحبا", " "], ["بكم", "\n"], ["three", ""]]
    host.open(world.tokenized(1, tokens))
    boxes = [host.token(i).bounding_box() for i in range(5)]
    assert boxes[0]["x"] < boxes[1]["x"]
    assert boxes[2]["x"] > boxes[3]["x"]
    assert boxes[4]["x"] < boxes[2]["x"]


def test_an_unbroken_word_stays_in_the_frame(host, world):
    host.open(world.tokenized(1, [["x" * 3_000, " "], ["天" * 500, ""]]))
    frame = host.root.bounding_box()
    for i in range(2):
        box = host.token(i).bounding_box()
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    assert re.fullmatch("x+", host.token(0).inner_text())


#: Where each token begins, as text and as it would be in one piece.
PLACES = """(whole) => {
  const words = document.querySelector('.nbner-words');
  if (whole)
    for (const piece of words.querySelectorAll('[data-piece]')) {
      piece.previousElementSibling.append(...piece.childNodes);
      piece.remove();
    }
  return [...words.querySelectorAll('[data-token]')].map((token) => {
    const [box] = token.getClientRects();
    return [Math.round(4 * box.x), Math.round(4 * box.y)].join();
  });
}"""


@pytest.mark.parametrize("word", ["word", "كلمة"], ids=["left to right", "right to left"])
def test_a_paragraph_of_many_lines_looks_as_if_it_were_in_one_piece(host, world, word):
    words = [[f"{word}{'x' * (7 * i % 11)}", " "] for i in range(1_500)]
    host.open(world.tokenized(1, words, [(100, 140, "ORG"), (700, 701, "GPE")]))
    pieces = host.root.locator("[data-piece]")
    expect(pieces.first).to_be_attached()
    narrow = "document.querySelector('[data-nbner]').parentElement.style.width = '430px'"
    before = pieces.count()
    host.page.evaluate(narrow)
    host.page.wait_for_function(
        "many => document.querySelectorAll('[data-piece]').length > many", arg=before
    )
    assert host.page.evaluate(PLACES, False) == host.page.evaluate(PLACES, True)


def test_a_span_over_two_pieces_is_one_span(host, world):
    host.open(world.tokenized(1, [[f"word{i}", " "] for i in range(1_500)]))
    piece = host.root.locator("[data-piece]").first
    expect(piece).to_be_attached()
    first = int(piece.locator("[data-token]").first.get_attribute("data-token"))
    host.token(first - 1).click()
    host.press("Shift+ArrowRight", "1")
    expect(host.mark(first - 1, first + 1)).to_have_attribute("data-label", "ORG")
    part = host.root.locator(f'[data-part-of="{first - 1}:{first + 1}"]')
    expect(part).to_contain_text(f"word{first}")
    host.press("1")
    expect(part).to_have_count(0)
