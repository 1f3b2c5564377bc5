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
    meta = {"source": "page 12"}
    first = world.tokenized(1, tokens, [(10, 12, "ORG")], meta=meta)
    return host.open(first, world.task(2, "Short"))


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


def test_the_text_grows_and_its_lines_widen(host, world):
    page = host.open(world.task(1, " ".join(["word"] * 60)))
    token = page.token(0)
    before = token.bounding_box()["height"]
    page.press("+")
    assert token.bounding_box()["height"] > before
    page.press("-")
    assert token.bounding_box()["height"] == before
    page.page.set_viewport_size({"width": 1800, "height": 900})
    words = page.root.locator(".nbner-words")
    narrow = words.bounding_box()["width"]
    page.press("w")
    assert words.bounding_box()["width"] > narrow * 1.3


def test_words_are_searched_in_the_text(long):
    long.press("s")
    field = long.page.get_by_label("Search in this text")
    field.fill("word19990")
    expect(long.token(19_990)).to_be_in_viewport()
    count = long.root.locator(".nbner-text-search-count")
    field.fill("word1999")
    expect(count).to_have_text("2 of 11")
    field.press("Enter")
    expect(count).to_have_text("3 of 11")
    field.press("Shift+Enter")
    expect(count).to_have_text("2 of 11")
    # What is known of the example stays in sight.
    expect(long.root.get_by_text("source: page 12")).to_be_in_viewport(ratio=1)
    field.press("Escape")
    expect(field).to_be_hidden()
    long.press("1")
    assert ["19990:19991", "ORG"] in long.spans()


def test_a_text_is_done_up_to_the_caret(long):
    long.press("ArrowRight", "ArrowRight", "b")
    expect(long.token(1)).to_have_attribute("data-done", "last")
    expect(long.root).to_contain_text("done up to 2 of 20,000 tokens")
    assert long.sent()[-1]["done"] == 2


def test_what_stands_around_a_text_is_shown_and_not_part_of_it(host, world):
    around = ["Before <b>it</b>.\n", " After it."]
    page = host.open(world.task(1, "The text", context=around))
    expect(page.root).to_contain_text("Before <b>it</b>.")
    expect(page.root).to_contain_text("After it.")
    page.press("ArrowRight", "Control+End", "Shift+Control+Home", "1")
    assert page.spans() == [["0:2", "ORG"]]


@pytest.mark.parametrize(
    ("value", "is_link"),
    [
        ("https://example.org/a?b=1", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("data:text/html,<b>x</b>", False),
        ("https://", False),
        ("see https://example.org", False),
    ],
)
def test_an_address_in_the_metadata_is_a_link(host, world, value, is_link):
    page = host.open(world.task(1, "The text", meta={"source": value}))
    expect(page.root).to_contain_text(f"source: {value}")
    link = page.root.locator("a")
    expect(link).to_have_count(int(is_link))
    if is_link:
        expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_a_target_for_today_ends_quietly(host, world):
    target = {"daily": 3, "today": 1, "answered": 0}
    page = host.open(world.task(1, "One"), world.task(2, "Two"), target=target)
    expect(page.root).to_contain_text("1 of 3 today")
    page.press("a")
    expect(page.root).to_contain_text("2 of 3 today")
    page.press("a")
    expect(page.root).to_contain_text("3 of 3 today: that is today's target")
