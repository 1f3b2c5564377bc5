"""The list of examples, every occurrence, notes, the ends of a span: by key and by mouse."""

import pytest
from playwright.sync_api import expect

TEXTS = ("Uber left Berlin for Uber Eats", "Berlin calls uber back", "Nothing to see here")


def tasks(world, count=90):
    return [world.task(i, TEXTS[i % 3]) for i in range(count)]


@pytest.fixture
def shown(host, world):
    return host.open(*tasks(world))


def rows(host):
    return host.root.locator("[data-row]")


def panel(host):
    return host.root.locator("[data-panel]")


def places_of_buttons(host):
    return host.root.locator(".nbner-foot button").evaluate_all(
        "all => all.map((one) => { const { x, y } = one.getBoundingClientRect(); return [x, y] })"
    )


def test_the_ends_of_a_span_move_by_key(shown):
    shown.press("Home", "1", "Alt+ArrowRight", "Alt+ArrowRight")
    expect(shown.mark(0, 3)).to_have_attribute("data-label", "ORG")
    shown.press("Shift+Alt+ArrowRight", "Alt+ArrowLeft")
    expect(shown.mark(1, 2)).to_have_attribute("data-label", "ORG")
    shown.press("Alt+ArrowLeft")
    expect(shown.mark(1, 2)).to_be_visible()


def test_in_a_text_from_right_to_left_the_ends_move_as_one_sees_them(host, world):
    host.open(world.task(1, "ذهب محمد إلى باريس"))
    host.press("End", "1", "Home", "1")
    expect(host.mark(0, 1)).to_be_visible()
    host.press("Alt+ArrowLeft")
    expect(host.mark(0, 2)).to_be_visible()


def test_every_row_of_the_list_can_be_reached_and_edited(shown):
    before = places_of_buttons(shown)
    shown.press("l")
    expect(panel(shown)).to_be_visible()
    expect(rows(shown)).to_have_count(50)
    assert places_of_buttons(shown) == before
    shown.page.keyboard.type("calls")
    expect(rows(shown)).to_have_count(30)
    for _ in range(3):
        shown.page.keyboard.press("ArrowDown")
    expect(rows(shown).nth(3)).to_have_attribute("aria-selected", "true")
    shown.page.keyboard.press("Enter")
    expect(shown.root).to_have_attribute("data-example", "10")
    expect(panel(shown)).to_have_count(0)
    expect(shown.root).to_be_focused()
    expect(shown.root.get_by_text("4 of 30 in the list")).to_be_visible()
    shown.press("Home", "3", "a")
    expect(shown.root).to_have_attribute("data-example", "13")
    assert shown.stored("10")["spans"] == [[0, 1, "GPE"]]
    shown.press("g")
    expect(shown.root).to_have_attribute("data-example", "0")


def test_conditions_are_pressed_by_mouse_or_reached_by_tab(shown):
    shown.press("f", "a", "x")
    shown.root.get_by_role("button", name="List of examples").click()
    expect(rows(shown)).to_have_count(50)
    shown.root.locator("[data-chip='is:flagged']").click()
    expect(rows(shown)).to_have_count(1)
    field = shown.root.get_by_role("combobox")
    expect(field).to_have_value("is:flagged")
    shown.root.locator("[data-chip='is:rejected']").click()
    expect(rows(shown)).to_have_count(0)
    expect(panel(shown).get_by_text("nothing found")).to_be_visible()
    shown.root.locator("[data-chip='is:flagged']").click()
    expect(rows(shown)).to_have_count(1)
    chip = shown.root.locator("[data-chip='is:open']")
    chip.focus()
    shown.page.keyboard.press("Space")
    expect(field).to_have_value("is:open")
    expect(chip).to_be_focused()
    rows(shown).nth(1).click()
    expect(shown.root).to_have_attribute("data-example", "3")


def test_more_rows_come_as_one_goes_down(shown):
    shown.press("l")
    expect(rows(shown)).to_have_count(50)
    for _ in range(5):
        shown.page.keyboard.press("PageDown")
    expect(rows(shown)).to_have_count(90)


def test_a_search_is_kept_by_the_browser(shown, world):
    shown.press("l")
    shown.page.keyboard.type("is:noted calls")
    shown.page.keyboard.press("Control+s")
    kept = shown.root.locator("[data-chip='is:noted calls']")
    expect(kept).to_have_attribute("aria-pressed", "true")
    shown.page.keyboard.press("Escape")
    shown.open(*tasks(world))
    shown.press("l")
    expect(kept).to_have_attribute("aria-pressed", "false")
    kept.click()
    expect(shown.root.get_by_role("combobox")).to_have_value("is:noted calls")
    shown.page.keyboard.press("Control+s")
    expect(kept).to_have_count(0)


def test_no_key_typed_into_a_panel_decides_or_goes_on(shown):
    shown.page.evaluate(
        "window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))"
    )
    for opener in ("l", "e"):
        shown.press("Home", opener)
        expect(panel(shown)).to_be_visible()
        for key in [*"abdfgmnrtxyz01", "Delete", "Backspace", "Home", "End", "F2", ",", "."]:
            shown.page.keyboard.press(key)
        shown.page.keyboard.press("Escape")
        expect(panel(shown)).to_have_count(0)
    assert shown.page.evaluate("heard") == []
    assert shown.sent() == []
    expect(shown.root).to_have_attribute("data-example", "0")


def test_every_occurrence_is_shown_ticked_and_changed_as_one(shown):
    before = places_of_buttons(shown)
    shown.press("Home", "1", "e", "ArrowRight")
    lines = shown.root.locator("[data-place]")
    # One more here, and one in each of the 29 others with the same words.
    expect(lines).to_have_count(59)
    assert places_of_buttons(shown) == before
    expect(panel(shown)).to_contain_text("whole tokens")
    shown.page.keyboard.press("c")
    expect(lines).to_have_count(89)
    expect(lines.first).to_have_attribute("aria-checked", "true")
    shown.page.keyboard.press("Space")
    expect(lines.first).to_have_attribute("aria-checked", "false")
    lines.nth(1).click()
    expect(lines.nth(1)).to_have_attribute("aria-checked", "false")
    shown.page.keyboard.press("Enter")
    expect(panel(shown)).to_have_count(0)
    expect(shown.root.get_by_role("status").first).to_contain_text("coming examples changed")
    assert shown.stored("1")["spans"] == [], "it was unticked"
    assert shown.stored("4")["spans"] == [[2, 3, "ORG"]]
    assert shown.spans() == [["0:1", "ORG"]]
    shown.press("Control+z")
    expect(shown.root.get_by_role("status").first).to_contain_text("changed back")
    assert shown.stored("4")["spans"] == []


def test_a_conflict_is_shown_with_its_reason_and_stays(host, world):
    host.open(
        world.task(1, "Uber and Uber Eats", [(2, 4, "PERSON")]),
        world.task(2, "Uber", [(0, 1, "GPE")]),
    )
    host.press("Home", "e", "ArrowRight")
    lines = host.root.locator("[data-place]")
    expect(lines).to_have_count(3)
    expect(lines.nth(1)).to_contain_text("holds PERSON")
    expect(lines.nth(2)).to_contain_text("holds GPE")
    expect(lines.nth(2)).to_have_attribute("aria-disabled", "true")
    lines.nth(1).click(force=True)
    expect(lines.nth(1)).to_have_attribute("aria-checked", "false")
    host.page.keyboard.press("Enter")
    assert host.spans() == [["0:1", "ORG"], ["2:4", "PERSON"]]


def test_where_gold_is_mended_one_key_gives_all_the_same_words_one_label_and_one_takes_it_back(
    host, world
):
    before = [["0:1", "ORG"], ["2:3", "PERSON"], ["4:6", "GPE"]]
    doubted = {"source": "the usual label", "score": 0.04}
    spans = [(0, 1, "ORG"), (2, 3, "PERSON", doubted), (4, 6, "GPE")]
    by = {"by": "the usual label", "answer": "accept", "spans": [[0, 1, "ORG"]]}
    about = {"draft": True, "suggested": True, "by": "the usual label", "versions": [by]}
    host.open(world.task(1, "Uber and Uber or Uber Eats", spans, **about), mends=True)
    expect(host.mark(2, 3)).to_have_attribute("title", "Doubted by the usual label at .04")
    expect(host.mark(0, 1)).not_to_have_attribute("data-suggested", "")
    expect(host.root.get_by_text("doubted by the usual label")).to_be_visible()
    host.press("Tab", "e")
    lines = host.root.locator("[data-place]")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_have_attribute("aria-checked", "true")
    expect(lines.nth(1)).to_contain_text("holds GPE")
    host.page.keyboard.press("Enter")
    assert host.spans() == [["0:1", "ORG"], ["2:3", "ORG"], ["4:6", "GPE"]]
    host.press("Control+z")
    assert host.spans() == before
    host.press("v")
    assert host.spans() == [["0:1", "ORG"]]


def test_a_label_is_removed_from_every_occurrence(host, world):
    host.open(world.task(1, "Uber and Uber", [(0, 1, "ORG"), (2, 3, "ORG")]))
    host.press("Tab", "r")
    expect(host.root.locator("[data-place]")).to_have_count(2)
    host.root.locator("[data-act=apply]").click()
    expect(host.root.locator("[data-span]")).to_have_count(0)


def test_a_note_is_written_kept_and_undone(shown):
    shown.press("n")
    field = shown.root.get_by_role("textbox", name="Note on this example")
    expect(field).to_be_focused()
    shown.page.keyboard.type("is <b>this</b> one?")
    shown.page.keyboard.press("Enter")
    expect(shown.root).to_be_focused()
    note = shown.root.get_by_role("button", name="Note").nth(0)
    expect(note).to_contain_text("is <b>this</b> one?")
    shown.press("a")
    expect(shown.root).to_have_attribute("data-example", "1")
    assert shown.stored("0")["note"] == "is <b>this</b> one?"
    shown.press("Backspace", "Control+z")
    expect(shown.root).to_have_attribute("data-example", "0")
    expect(field).to_be_hidden()
    shown.root.locator("[data-act=note]").click()
    shown.page.keyboard.type("no")
    shown.page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    shown.press("a")
    assert shown.stored("0")["note"] == ""


def test_what_was_also_suggested_is_one_key_or_one_click_away(host, world):
    also = [[0, 1, "GPE", {"source": "patterns.jsonl", "pattern": 4}]]
    spans = [(0, 2, "ORG", {"source": "v3", "score": 0.7})]
    host.open(world.task(1, "Berlin Uber left", spans, suggested=True, also=also))
    other = host.root.locator("[data-also]")
    expect(other).to_contain_text("Berlin")
    expect(other).to_contain_text("by patterns.jsonl, line 4")
    host.press("t")
    expect(host.mark(0, 1)).to_have_attribute("title", "Suggested was ORG: Berlin Uber")
    expect(other).to_contain_text("by v3 at .70")
    other.click()
    expect(host.mark(0, 2)).to_have_attribute("data-suggested", "")
    expect(host.root).to_be_focused()


def test_thirty_labels_are_reached_by_key(host, world):
    labels = [f"L{i}" for i in range(1, 31)]
    host.open(world.task(1, " ".join(["word"] * 30)), labels=labels)
    host.press("Home")
    for shift in ("", "Shift+", "Shift+Alt+"):
        for digit in "1234567890":
            host.page.keyboard.press(f"{shift}Digit{digit}")
            host.page.keyboard.press("ArrowRight")
    assert [label for _, label in host.spans()] == labels


def test_two_hundred_labels_are_reached_by_what_is_typed(host, world):
    labels = [f"Kind {i:03d}" for i in range(200)]
    host.open(world.task(1, "Uber left Berlin"), labels=labels)
    host.press("Home", "/")
    host.page.keyboard.type("157")
    expect(host.label("Kind 157")).to_have_attribute("data-best", "")
    expect(host.label("Kind 156")).to_be_hidden()
    host.page.keyboard.press("Enter")
    expect(host.mark(0, 1)).to_have_attribute("data-label", "Kind 157")
    expect(host.root).to_be_focused()
    expect(host.label("Kind 157")).to_have_attribute("aria-pressed", "true")
    expect(host.root.locator("[data-pick][aria-pressed=true]")).to_have_count(1)


def test_code_shows_an_example_and_a_message_in_the_cell(shown):
    shown.page.evaluate("host.kernel.show('77')")
    expect(shown.root).to_have_attribute("data-example", "77")
    shown.page.evaluate(
        "host.kernel.tell({ type: 'notice', text: 'The callback f failed', detail: 'line 1' })"
    )
    said = shown.root.get_by_role("status").first
    expect(said).to_have_text("The callback f failed")
    expect(said).to_have_attribute("title", "line 1")
    shown.press("Escape")
    expect(said).to_be_empty()


def test_the_kernel_hears_what_is_shown_and_selected(shown):
    shown.press("Home", "1", "ArrowRight")
    shown.page.wait_for_function(
        "host.kernel.messages.some(({ type, selection }) => type === 'at' && selection?.[0] === 1)"
    )
    last = shown.sent("at")[-1]
    assert last == {"type": "at", "example": "0", "spans": [0, 1, 0], "selection": [1, 2]}


def test_a_page_of_another_version_says_what_to_do(host, world):
    host.open(*tasks(world, 3), protocol=1)
    expect(host.root.get_by_role("status").first).to_contain_text(
        "Reload the page, and run the cell again."
    )


EVERYWHERE = (
    "Write a note",
    "The first open example",
    "List and search all examples",
    "Move the span's end; with shift, its start",
    "Label every occurrence",
    "Unlabel every occurrence",
)
SUGGESTIONS = ("Hide unsure suggestions", "Take what was also suggested")
ANALYSES = ("Without a caret: other analyses",)
VERSIONS = ("The next version or analysis as it is",)


@pytest.mark.parametrize(
    ("setup", "versions", "also"),
    [
        ({}, [], ()),
        ({"mends": True}, [], SUGGESTIONS),
        ({"mode": "make-gold"}, [], SUGGESTIONS),
        ({"mode": "make-gold", "advises": True}, [], SUGGESTIONS + ANALYSES),
        ({}, [{"by": "bo", "answer": "accept", "spans": [[0, 1, "ORG"]]}], VERSIONS),
    ],
    ids=["manual", "mends", "make-gold", "analyses", "versions"],
)
def test_every_command_that_does_something_here_is_on_the_card(host, world, setup, versions, also):
    host.open(world.task(1, "Uber left", versions=versions), **setup)
    host.press("?")
    card = host.root.get_by_role("dialog", name="Keys")
    for words in EVERYWHERE + also:
        expect(card.get_by_text(words, exact=True)).to_be_visible()
    for words in {*SUGGESTIONS, *ANALYSES, *VERSIONS} - {*also}:
        expect(card.get_by_text(words, exact=True)).to_have_count(0)
