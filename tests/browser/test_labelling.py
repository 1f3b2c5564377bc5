"""Making, changing and removing spans, by mouse and by keyboard."""

import pytest
from playwright.sync_api import expect

TEXT = "Uber opened an office in New York"


@pytest.fixture
def shown(host, world):
    return host.open(world.task(1, TEXT), world.task(2, "Second example"))


def wait_for_spans(host, *spans):
    expect(host.root.locator("[data-span]")).to_have_count(len(spans))
    assert host.spans() == [list(span) for span in spans]


def test_a_drag_labels_whole_tokens_with_the_active_label(shown):
    shown.drag(5, 6)
    wait_for_spans(shown, ("5:7", "ORG"))
    expect(shown.mark(5, 7)).to_contain_text("New York")


def test_a_drag_backward_does_the_same(shown):
    shown.drag(6, 5)
    wait_for_spans(shown, ("5:7", "ORG"))


def test_a_drag_from_the_middle_of_one_token_to_the_middle_of_another_takes_both(shown):
    shown.drag(1, 3, start=0.8, end=0.2)
    wait_for_spans(shown, ("1:4", "ORG"))


def test_a_drag_that_starts_in_the_gap_takes_what_it_touches(shown):
    x0, y = shown.point(1, 1)
    x1, _ = shown.point(3, 0.5)
    mouse = shown.page.mouse
    mouse.move(x0 + 2, y)
    mouse.down()
    mouse.move(x1, y, steps=4)
    mouse.up()
    wait_for_spans(shown, ("2:4", "ORG"))


def test_a_drag_may_end_outside_the_widget(shown):
    x, y = shown.point(5, 0.3)
    mouse = shown.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 300, 790, steps=4)
    mouse.up()
    wait_for_spans(shown, ("5:7", "ORG"))


def test_a_drag_shows_beforehand_what_it_will_label(shown):
    x0, y = shown.point(1, 0.7)
    x1, _ = shown.point(2, 0.3)
    mouse = shown.page.mouse
    mouse.move(x0, y)
    mouse.down()
    mouse.move(x1, y, steps=4)
    expect(shown.root.locator("[data-preview]")).to_have_text(["opened", "an"])
    assert shown.page.evaluate("String(getSelection())").strip()
    mouse.up()
    expect(shown.root.locator("[data-preview]")).to_have_count(0)
    wait_for_spans(shown, ("1:3", "ORG"))
    assert shown.page.evaluate("getSelection().isCollapsed")


def test_a_drag_labels_where_the_browser_selects_nothing(shown):
    shown.page.evaluate("addEventListener('selectstart', (event) => event.preventDefault())")
    shown.drag(4, 2)
    wait_for_spans(shown, ("2:5", "ORG"))


def test_a_double_click_labels_one_token(shown):
    shown.label("GPE").click()
    shown.token(5).dblclick()
    wait_for_spans(shown, ("5:6", "GPE"))


def test_a_trembling_click_labels_nothing(shown):
    x, y = shown.point(0, 0.5)
    mouse = shown.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 2, y)
    mouse.up()
    expect(shown.token(0)).to_have_attribute("data-caret", "place")
    wait_for_spans(shown)


@pytest.mark.parametrize(
    ("tokens", "first", "last", "covered", "edge"),
    [
        ([["مرحبا", " "], ["بكم", " "], ["في", " "], ["باريس", ""]], 1, 3, "بكم في باريس", 0.9),
        ([["我", ""], ["爱", ""], ["北京", ""], ["天安门", ""]], 0, 2, "我爱北京", 0.1),
        (
            [["👩‍👩‍👧", " "], ["met", " "], ["👨🏽‍🚀", ""], ["Ana", ""]],
            0,
            2,
            "👩‍👩‍👧 met 👨🏽‍🚀",
            0.1,
        ),
        ([["e\u0301", ""], ["te\u0301", " "], ["naïve", ""]], 0, 1, "e\u0301te\u0301", 0.1),
    ],
    ids=["right-to-left", "without spaces", "joined emoji", "combining marks"],
)
@pytest.mark.parametrize("backward", [False, True])
def test_a_drag_means_tokens_in_every_script(
    host, world, tokens, first, last, covered, edge, backward
):
    host.open(world.tokenized(1, tokens))
    if backward:
        host.drag(last, first, start=1 - edge, end=edge)
    else:
        host.drag(first, last, start=edge, end=1 - edge)
    wait_for_spans(host, (f"{first}:{last + 1}", "ORG"))
    expect(host.mark(first, last + 1)).to_contain_text(covered)
    host.press("a")
    expect(host.root.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert host.stored("1")["spans"] == [[first, last + 1, "ORG"]]


def test_a_new_span_takes_the_place_of_those_it_overlaps(shown):
    shown.drag(0, 2)
    shown.drag(4, 6)
    shown.label("PERSON").click()
    shown.drag(2, 5)
    wait_for_spans(shown, ("2:6", "PERSON"))


def test_white_space_is_never_at_the_end_of_a_span(host, world):
    tokens = [["Uber", ""], ["\n", ""], ["left", ""], ["  ", ""], ["town", ""]]
    host.open(world.tokenized(1, tokens))
    host.press("ArrowRight", "Shift+ArrowRight", "1")
    wait_for_spans(host, ("0:3", "ORG"))
    host.press("Delete", "Escape")
    host.page.evaluate(
        """() => {
            const [from, to] = [1, 3].map((i) => document.querySelector(`[data-token="${i}"]`));
            getSelection().setBaseAndExtent(from.firstChild, 0, to.firstChild, 2);
            const fire = (type, clientX, target) =>
                target.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX, detail: 1 }));
            fire("mousedown", 0, from);
            fire("mouseup", 50, to);
        }"""
    )
    wait_for_spans(host, ("2:3", "ORG"))


def test_a_span_over_paragraphs_is_one_span(host, world):
    host.open(world.tokenized(1, [["New", "\n"], ["York", "\n\n"], ["City", " "], ["left", ""]]))
    host.drag(0, 2)
    wait_for_spans(host, ("0:3", "ORG"))
    host.token(2).click()
    expect(host.mark(0, 3)).to_have_attribute("data-current", "")
    host.press("2")
    wait_for_spans(host, ("0:3", "PERSON"))
    host.press("Delete")
    wait_for_spans(host)
    assert host.root.locator("mark").count() == 0
    shown = host.root.locator(".nbner-words").evaluate("one => one.textContent")
    assert shown == "New\nYork\n\nCity left"


def test_clicking_a_mark_selects_it_and_a_label_then_relabels_it(shown):
    shown.drag(5, 6)
    shown.token(5).click()
    expect(shown.mark(5, 7)).to_have_attribute("data-current", "")
    shown.label("GPE").click()
    wait_for_spans(shown, ("5:7", "GPE"))
    shown.press("2")
    wait_for_spans(shown, ("5:7", "PERSON"))
    shown.press("2")
    wait_for_spans(shown)


def test_the_cross_on_a_mark_removes_it(shown):
    shown.drag(5, 6)
    shown.mark(5, 7).hover()
    shown.root.get_by_role("button", name="Remove ORG from New York").click()
    wait_for_spans(shown)
    expect(shown.root).to_be_focused()


def test_a_label_without_a_selection_becomes_the_active_one(shown):
    expect(shown.label("ORG")).to_have_attribute("aria-pressed", "true")
    shown.press("2")
    expect(shown.label("PERSON")).to_have_attribute("aria-pressed", "true")
    expect(shown.label("ORG")).to_have_attribute("aria-pressed", "false")
    shown.label("GPE").click()
    expect(shown.label("GPE")).to_have_attribute("aria-pressed", "true")
    wait_for_spans(shown)


def test_a_whole_example_by_keyboard(shown):
    shown.press("ArrowRight", "1", "End", "Shift+ArrowLeft", "3")
    wait_for_spans(shown, ("0:1", "ORG"), ("5:7", "GPE"))
    expect(shown.label("GPE")).to_have_attribute("aria-pressed", "true")
    shown.press("Tab")
    expect(shown.root).not_to_be_focused()
    shown.press("Shift+Tab", "Delete")
    wait_for_spans(shown, ("5:7", "GPE"))
    shown.press("Escape", "Tab", "2")
    wait_for_spans(shown, ("5:7", "PERSON"))
    shown.press("a")
    expect(shown.root).to_have_attribute("data-example", "2")
    assert shown.stored("1")["spans"] == [[5, 7, "PERSON"]]
    assert shown.stored("1")["answer"] == "accept"


def test_enter_gives_the_active_label(shown):
    shown.press("3", "ArrowRight", "Enter")
    wait_for_spans(shown, ("0:1", "GPE"))


def test_the_caret_moves_by_visual_line(host, world):
    host.open(world.task(1, "one two three\nfour five six\nseven eight nine"))
    host.press("ArrowRight", "ArrowRight", "ArrowDown")

    def caret():
        return host.root.locator("[data-caret]").inner_text()

    # A token ends where the fake tokenizer found a space: `three\nfour` is one.
    tops = host.root.locator("[data-token]").evaluate_all(
        "all => all.map(one => one.getClientRects()[0].top)"
    )
    index = int(host.root.locator("[data-caret]").get_attribute("data-token"))
    assert tops[index] > tops[1]
    host.press("ArrowUp")
    assert caret() == "two"


def test_home_and_end_go_to_the_ends_of_the_line(host, world):
    host.open(world.tokenized(1, [["one", " "], ["two", "\n"], ["three", " "], ["four", ""]]))
    host.press("ArrowRight", "End")
    expect(host.token(1)).to_have_attribute("data-caret", "")
    host.press("ArrowRight", "ArrowRight", "Home")
    expect(host.token(2)).to_have_attribute("data-caret", "")
    host.press("Control+End")
    expect(host.token(3)).to_have_attribute("data-caret", "")
    host.press("Control+Shift+Home")
    expect(host.root.locator("[data-selected]")).to_have_count(4)


def test_arrows_go_the_way_they_point_in_right_to_left_text(host, world):
    host.open(world.tokenized(1, [["مرحبا", " "], ["بكم", " "], ["باريس", ""]]))
    host.press("Home", "ArrowLeft")
    expect(host.token(1)).to_have_attribute("data-caret", "")
    host.press("ArrowRight")
    expect(host.token(0)).to_have_attribute("data-caret", "")


def test_many_labels_are_filtered_by_name(host, world):
    labels = [f"label {i:02}" for i in range(40)]
    host.open(world.task(1, TEXT), labels=[*labels, "Zebra"])
    host.press("ArrowRight", "/")
    host.page.keyboard.type("ze")
    expect(host.root.locator("[data-pick]:visible")).to_have_count(1)
    host.page.keyboard.press("Enter")
    wait_for_spans(host, ("0:1", "Zebra"))
    expect(host.root).to_be_focused()
    expect(host.root.locator("[data-pick]:not([hidden])")).to_have_count(41)


def test_labels_that_are_added_stand_in_every_open_view_at_once(host, world):
    host.open(world.task(1, TEXT), labels=["ORG"], views=2)
    expect(host.page.locator("[data-pick]")).to_have_count(2)
    host.page.evaluate("setup => host.kernel.relabel(setup)", world.setup(["ORG", "<i>Food</i>"]))
    expect(host.page.locator("[data-pick='<i>Food</i>']")).to_have_count(2)
    host.press("ArrowRight", "2")
    wait_for_spans(host, ("0:1", "<i>Food</i>"))


def test_keys_reach_thirty_labels(host, world):
    host.open(world.task(1, TEXT), labels=[f"L{i}" for i in range(1, 31)])
    for key, label in (
        ("1", "L1"),
        ("0", "L10"),
        ("Shift+Digit2", "L12"),
        ("Shift+Alt+Digit0", "L30"),
    ):
        host.press(key)
        expect(host.label(label)).to_have_attribute("aria-pressed", "true")


def test_a_suggestion_is_dashed_until_it_is_touched(host, world):
    spans = [
        (0, 1, "ORG", {"source": "v3", "score": 0.71}),
        (5, 7, "GPE", {"source": "v3", "score": 1.0}),
    ]
    host.open(world.task(1, TEXT, spans, suggested=True, by="v3"))
    expect(host.mark(0, 1)).to_have_attribute("data-suggested", "")
    expect(host.mark(0, 1)).to_contain_text(".71")
    expect(host.mark(5, 7)).to_contain_text(">.99")
    expect(host.root.get_by_text("suggested by v3")).to_be_visible()
    host.token(0).click()
    host.press("2")
    expect(host.mark(0, 1)).not_to_have_attribute("data-suggested", "")
    expect(host.mark(0, 1)).to_have_attribute("title", "Suggested was ORG: Uber")


def test_spans_off_the_tokens_are_told(host, world):
    host.open(world.task(1, TEXT, loose=[{"text": "offi", "label": "GPE"}]))
    expect(host.root.get_by_text("1 span does not fit the tokens: GPE “offi”")).to_be_visible()


def test_what_is_selected_by_key_can_be_copied(shown):
    shown.page.evaluate(
        "window.addEventListener('copy', (event) => {"
        "window.copied = event.clipboardData.getData('text/plain') })"
    )
    shown.press("End", "Shift+ArrowLeft", "Control+c")
    shown.page.wait_for_function("window.copied === 'New York'")
