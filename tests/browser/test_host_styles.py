"""At home in its host: forced colours, zoom, narrow cells, fingers, a shadow root."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

TEXT = "Uber opened an office in New York"


def outline(locator):
    return locator.evaluate("one => getComputedStyle(one).outlineStyle")


def test_forced_colours_leave_every_state_to_be_seen(host, world):
    host.page.emulate_media(forced_colors="active")
    spans = [(0, 1, "ORG", {"source": "v3", "score": 0.5})]
    host.open(world.task(1, TEXT, spans, suggested=True), world.task(2, "Second"))
    assert host.page.evaluate("matchMedia('(forced-colors: active)').matches")
    assert outline(host.root) == "none"
    host.press("End", "Shift+ArrowLeft", "3", "f")
    assert outline(host.root) == "solid"
    assert outline(host.label("GPE")) == "solid"
    assert outline(host.label("ORG")) == "none"
    assert outline(host.root.get_by_role("button", name="Flag")) == "solid"
    style = "one => getComputedStyle(one).borderBottomStyle"
    assert host.mark(0, 1).evaluate(style) == "dashed"
    assert host.mark(5, 7).evaluate(style) == "solid"
    expect(host.mark(5, 7)).to_contain_text("GPE")
    dot = host.root.locator(".nbner-dot")
    filled = dot.evaluate("one => getComputedStyle(one).backgroundColor")
    host.become("busy")
    host.press("a")
    expect(host.root.locator("[data-save]")).to_have_attribute("data-save", "saving")
    assert dot.evaluate("one => getComputedStyle(one).backgroundColor") != filled


def test_a_label_is_named_wherever_it_has_a_colour(host, world):
    host.open(world.task(1, TEXT, [(0, 1, "ORG"), (5, 7, "GPE")]))
    for mark in host.root.locator("[data-span]").all():
        expect(mark).to_contain_text(mark.get_attribute("data-label"))
    for label in host.root.locator("[data-pick]").all():
        expect(label).to_contain_text(label.get_attribute("data-pick"))


# A 400-pixel-wide cell, a window at 200 %, and both at once.
@pytest.mark.parametrize(("width", "scale"), [(400, 1), (600, 2), (400, 2)])
def test_nothing_is_lost_in_a_narrow_cell_or_at_twice_the_size(browser, host, world, width, scale):
    labels = [f"A label with a long name {i}" for i in range(30)]
    context = browser.new_context(
        viewport={"width": width, "height": 700}, device_scale_factor=scale
    )
    page = context.new_page()
    world.serve(page)
    page.goto(world.ORIGIN)
    page.wait_for_selector("html[data-ready]")
    meta = {"source": "a long name of a source, as they are " * 5}
    task = world.task(1, TEXT + " word" * 300, [(0, 3, labels[0])], meta=meta)
    page.evaluate("(world) => host.start(world)", world.world(task, labels=labels))
    root = page.locator("[data-nbner]")
    frame = root.bounding_box()
    parts = root.locator("button, [data-token], [data-span], .nbner-head, .nbner-info")
    boxes = parts.evaluate_all(
        """all => all.filter((part) => part.getClientRects().length)
            .map((part) => part.getBoundingClientRect()).map(({ left, right }) => [left, right])"""
    )
    assert len(boxes) > 300
    for left, right in boxes:
        assert left >= frame["x"]
        assert right <= frame["x"] + frame["width"] + 0.5
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The last label and every button can be brought into view and clicked.
    root.locator("[data-pick]").last.click()
    expect(root.locator("[data-pick]").last).to_have_attribute("aria-pressed", "true")
    for button in root.locator("[data-answer], [data-act]:visible").all():
        button.scroll_into_view_if_needed()
        expect(button).to_be_in_viewport(ratio=1)
    root.locator("[data-answer=accept]").click()
    expect(root.locator("[data-save]")).to_have_attribute("data-save", "saved")
    context.close()


def test_a_finger_selects_and_then_picks_a_label(browser, world):
    context = browser.new_context(
        viewport={"width": 800, "height": 700}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    world.serve(page)
    page.goto(world.ORIGIN)
    page.wait_for_selector("html[data-ready]")
    page.evaluate("(world) => host.start(world)", world.world(world.task(1, TEXT)))
    root = page.locator("[data-nbner]")
    root.locator("[data-token='5']").tap()
    expect(root.locator("[data-token='5']")).to_have_attribute("data-caret", "place")
    # What the browser's handles do after a long press.
    page.evaluate(
        """() => {
            const [from, to] = [5, 6].map((i) => document.querySelector(`[data-token="${i}"]`));
            getSelection().setBaseAndExtent(from.firstChild, 1, to.firstChild, 2);
        }"""
    )
    expect(root.locator("[data-selected]")).to_have_count(2)
    root.locator("[data-pick=GPE]").tap()
    expect(root.locator("[data-span='5:7']")).to_have_attribute("data-label", "GPE")
    root.locator("[data-answer=accept]").tap()
    expect(root.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert page.evaluate("host.kernel.find('1').spans") == [[5, 7, "GPE"]]
    context.close()


def test_a_shadow_root_changes_nothing(host, world):
    host.page.goto(world.ORIGIN)
    host.page.wait_for_selector("html[data-ready]")
    host.page.evaluate(
        """async (world) => {
            await host.start({ ...world, views: 0 });
            const shadow = document.body.appendChild(document.createElement("div"))
                .attachShadow({ mode: "open" });
            const style = document.createElement("link");
            Object.assign(style, { rel: "stylesheet", href: "/annotator.css" });
            const cell = document.createElement("div");
            shadow.append(style, cell);
            await new Promise((done) => style.addEventListener("load", done));
            host.closers.push(await host.widget.render({ model: host.model, el: cell }));
        }""",
        world.world(world.task(1, TEXT), world.task(2, "Second")),
    )
    host.drag(5, 6)
    expect(host.mark(5, 7)).to_have_attribute("data-label", "ORG")
    host.press("Home", "2")
    expect(host.root.locator("[aria-live]")).to_have_text("Uber: PERSON")
    host.press("Escape", "Escape")
    expect(host.root).not_to_be_focused()
    host.press("a")
    expect(host.root).to_have_attribute("data-example", "2")


def test_what_a_screen_reader_hears(host, world):
    host.open(world.task(1, TEXT), world.task(2, "Second"))
    live = host.root.locator("[aria-live=polite]")
    for key, words in (
        ("ArrowRight", "Uber"),
        ("3", "Uber: GPE"),
        ("Delete", "GPE removed"),
        ("a", "Accepted. Open example, 0 spans. 1 of 2 answered."),
    ):
        host.press(key)
        expect(live).to_have_text(words)
    host.page.evaluate("host.model.status('restarting')")
    expect(host.root.get_by_role("status")).to_contain_text("run the cell again")


@pytest.mark.parametrize("width", [360, 430, 560, 1000])
def test_the_label_bar_shows_whole_rows(host, world, width):
    labels = ["Ingredient", "Action", "Dish", "Tool", "Amount", "Time", "Temperature"]
    labels = [f"{name}{i}" for i in range(4) for name in labels]
    host.page.set_viewport_size({"width": width, "height": 700})
    host.open(world.task(1, "Uber left"), labels=labels)
    cut = """bar => {
      const frame = bar.getBoundingClientRect();
      return [...bar.children].map(one => one.getBoundingClientRect())
        .filter(({ top, bottom }) => top < frame.bottom - 1 && bottom > frame.bottom + 1).length;
    }"""
    bar = host.root.locator(".nbner-labels")
    assert bar.evaluate(cut) == 0
    shown = "({ clientHeight }) => clientHeight"
    assert bar.evaluate(shown) >= 93
    # It scrolls row by row, and a label that gets the focus is whole as well.
    bar.evaluate("bar => bar.scrollBy(0, 40)")
    assert bar.evaluate(cut) == 0


def test_the_text_has_its_size_where_the_host_gives_no_font(host, world):
    host.open(world.task(1, TEXT))
    host.page.evaluate("document.querySelector('link[href=\"/host.css\"]').remove()")
    style = "one => [getComputedStyle(one).fontSize, getComputedStyle(one).lineHeight]"
    size, line = host.root.locator(".nbner-words").evaluate(style)
    assert (size, line) == ("17px", "32.3px")


def test_keys_that_are_not_live_can_still_be_read(host, world):
    host.open(world.task(1, TEXT, [(0, 1, "ORG")]))
    host.page.evaluate("document.activeElement.blur()")
    key = host.root.locator(".nbner-key").first
    assert float(key.evaluate("one => getComputedStyle(one).opacity")) >= 0.8
