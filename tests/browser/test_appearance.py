"""Places that hold still, contrast that can be read, texts shown as they are."""

import re

import pytest
from playwright.sync_api import expect

from nbner._common.colors import DISPLACY_COLORS, label_colors

# displaCy's own colours, and then so many labels that the cycle of colours comes round.
MANY = [*DISPLACY_COLORS, *(f"label {i}" for i in range(12))]
LONG = " ".join(f"word{i}" for i in range(2_000))

# Composes what is painted behind an element, layer by layer, and gives WCAG 2.2's ratio.
CONTRAST = """(elements, part) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const paint = (colors) => {
        for (const color of ["white", ...colors]) {
            pen.fillStyle = color;
            pen.fillRect(0, 0, 1, 1);
        }
        return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.map((byte) => {
            const share = byte / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const isSeen = (one) => one.getClientRects().length > 0 && !one.closest("[aria-disabled]");
    return elements.filter(isSeen).map((element) => {
        const layers = [];
        // A border is seen against what lies around its element, a text against what lies in it.
        const behind = part === "color" ? element : element.parentElement;
        for (let one = behind; one; one = one.parentElement)
            layers.unshift(getComputedStyle(one).backgroundColor);
        const back = light(paint(layers));
        const front = light(paint([...layers, getComputedStyle(element)[part]]));
        const ratio = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
        return [element.className + " " + element.textContent, ratio];
    });
}"""
WORDS = (
    "[data-token], .nbner-name, .nbner-score:not(:empty), .nbner-pick-name, .nbner-key, "
    ".nbner-word, .nbner-place, .nbner-count, .nbner-save-word, .nbner-why, .nbner-hint, "
    ".nbner-meta, .nbner-loose, .nbner-help-does, .nbner-help-title"
)


def too_faint(host, selector, part, least):
    """What stands out by less than it should, with its ratio."""
    ratios = host.root.locator(selector).evaluate_all(CONTRAST, part)
    assert ratios
    return [(name, round(ratio, 2)) for name, ratio in ratios if ratio < least]


def open_with_every_label(host, world, theme, **rest):
    spans = [(2 * i, 2 * i + 1, one, {"score": 0.62}) for i, one in enumerate(MANY)]
    task = world.tokenized(1, [[f"word{i}", " "] for i in range(2 * len(MANY))], spans, **rest)
    host.open(task, theme=theme, labels=MANY, colors=label_colors(MANY))


def frame(host):
    """Where everything stands that must not move."""
    parts = "[data-pick], .nbner-choice, .nbner-words, .nbner-text, .nbner-count"
    return host.root.locator(parts).evaluate_all(
        """all => Object.fromEntries(all.filter((one) => one.offsetParent).map((one) => {
            const { x, y, width, height } = one.getBoundingClientRect();
            const isText = one.matches(".nbner-words, .nbner-count");
            const { pick, answer, act } = one.dataset;
            const name = [pick, answer, act, one.className].join();
            return [name, isText ? [x, y] : [x, y, width, height]];
        }))"""
    )


def test_nothing_jumps_from_example_to_example(host, world):
    texts = ["Short", "A middling text of some length " * 5, "Uber\nleft\n\ntown", "Last"]
    spans = [(0, 1, "ORG", {"score": 0.5, "source": "v3"})]
    tasks = [
        world.task(1, texts[0]),
        world.task(2, texts[1].strip(), spans, suggested=True, by="v3", meta={"source": "mail"}),
        world.task(3, LONG),
        world.task(4, texts[2], loose=[{"text": "eft", "label": "ORG"}]),
        world.task(5, texts[3]),
    ]
    host.open(*tasks, labels=MANY)
    host.root.focus()
    start = frame(host)
    keys = "ArrowRight 1 a f 2 x a ArrowRight 3 Delete a Backspace , ."
    for key in keys.split():
        host.press(key)
        assert frame(host) == start, key


def test_the_frame_holds_still_when_something_is_wrong(host, world):
    host.open(world.task(1, "Uber left"), world.task(2, "Second"))
    start = host.root.bounding_box()
    buttons = host.button("accept").bounding_box()
    host.page.evaluate("host.model.status('restarting')")
    expect(host.root.get_by_role("status")).to_be_visible()
    host.press("a")
    assert host.root.bounding_box() == start
    assert host.button("accept").bounding_box() == buttons


def test_a_long_text_scrolls_inside_with_the_buttons_in_view(host, world):
    host.open(world.task(1, LONG))
    host.press("End")
    expect(host.token(1_999)).to_be_in_viewport()
    expect(host.button("accept")).to_be_in_viewport()
    host.press("Control+Home")
    expect(host.token(0)).to_be_in_viewport()
    assert host.root.bounding_box()["height"] < 800


@pytest.mark.parametrize("theme", ["", "dark", "bare", "bare dark"])
def test_everything_can_be_read(host, world, theme):
    loose = [{"text": "x", "label": "ORG"}]
    open_with_every_label(
        host, world, theme, suggested=True, by="v3", meta={"source": "mail"}, loose=loose
    )
    assert too_faint(host, WORDS, "color", 4.5) == []
    # A person's own marks have a stronger tint than suggestions.
    host.page.evaluate(
        "host.kernel.answerElsewhere('1', 'accept',"
        " host.kernel.tasks[0].spans.map(([start, end, label]) => [start, end, label]))"
    )
    host.press(",")
    expect(host.root.locator("[data-suggested]")).to_have_count(0)
    host.page.evaluate("host.model.status('dead')")
    expect(host.root.locator("[data-save]")).to_have_attribute("data-save", "unsaved")
    assert too_faint(host, WORDS, "color", 4.5) == []
    host.press("?")
    assert too_faint(host, WORDS, "color", 4.5) == []


@pytest.mark.parametrize("theme", ["", "dark", "bare", "bare dark"])
def test_underlines_and_rings_stand_out_from_the_page(host, world, theme):
    open_with_every_label(host, world, theme)
    assert too_faint(host, "[data-span]", "borderBottomColor", 3) == []
    host.press("ArrowRight", "ArrowRight")
    expect(host.root.locator(".nbner-ring")).to_be_visible()
    assert too_faint(host, ".nbner-ring", "borderTopColor", 3) == []


def test_a_mark_does_not_push_the_lines_apart(host, world):
    host.open(world.task(1, "word " * 60 + "end"))
    height = host.root.locator(".nbner-words").bounding_box()["height"]
    host.drag(0, 1)
    expect(host.mark(0, 2)).to_be_visible()
    line = host.root.locator(".nbner-words").evaluate(
        "one => parseFloat(getComputedStyle(one).lineHeight)"
    )
    after = host.root.locator(".nbner-words").bounding_box()["height"]
    assert (after - height) % line == pytest.approx(0, abs=0.5)
    first, second = (host.token(i).bounding_box() for i in (1, 2))
    assert first["y"] == pytest.approx(second["y"], abs=0.5)


def test_line_breaks_tabs_and_spaces_are_as_in_the_text(host, world):
    text = "one\ttwo   three\n\nfour"
    tokens = [["one", "\t"], ["two", "   "], ["three", "\n\n"], ["four", ""]]
    host.open(world.tokenized(1, tokens, lead="  "))
    assert host.root.locator(".nbner-words").evaluate("one => one.textContent") == "  " + text
    first, last = host.token(0).bounding_box(), host.token(3).bounding_box()
    line = host.root.locator(".nbner-words").evaluate(
        "one => parseFloat(getComputedStyle(one).lineHeight)"
    )
    assert last["y"] - first["y"] == pytest.approx(2 * line, abs=1)


def test_right_to_left_text_runs_right_to_left(host, world):
    host.open(world.tokenized(1, [["مرحبا", " "], ["بكم", " "], ["باريس", ""]]))
    first, last = host.token(0).bounding_box(), host.token(2).bounding_box()
    assert first["x"] > last["x"]


def test_figures_have_thousands_separators(host, world):
    host.open(world.task(1, "Uber"))
    host.page.evaluate(
        "host.kernel.tell({ type: 'tasks', tasks: [],"
        " counts: { total: 2862, accept: 1400, reject: 0, ignore: 0, open: 1462 } })"
    )
    expect(host.root.get_by_text("1,400 of 2,862")).to_be_visible()


@pytest.mark.parametrize("width", [400, 700])
def test_a_narrow_cell_hides_nothing(host, world, width):
    host.page.set_viewport_size({"width": width, "height": 800})
    host.open(world.task(1, "Uber left New York"), labels=MANY)
    right = host.root.bounding_box()["x"] + host.root.bounding_box()["width"]
    for button in host.root.locator("[data-answer], [data-act]:visible").all():
        box = button.bounding_box()
        assert box["x"] + box["width"] <= right
        assert box["width"] >= 24
        assert box["height"] >= 24
    assert host.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_motion_is_left_out_where_it_is_not_wanted(host, world):
    host.page.emulate_media(reduced_motion="reduce")
    host.open(world.task(1, "Uber left"))
    durations = host.root.evaluate(
        "root => [...root.querySelectorAll('*')]"
        ".map(one => getComputedStyle(one).transitionDuration)"
    )
    assert set(durations) == {"0s"}


def test_every_control_has_a_role_and_a_name(host, world):
    host.open(world.task(1, "Uber left", [(0, 1, "ORG")]), labels=MANY)
    host.press("Tab")
    expect(host.root.get_by_role("button", name="Remove ORG from Uber")).to_be_visible()
    tree = host.root.aria_snapshot()
    for name in ("Accept", "Reject", "Ignore", "Undo", "Flag", "Back", "Next", "All keys"):
        assert re.search(rf'button "{name}"', tree), name
    assert 'textbox "Filter labels by name"' in tree
    assert 'progressbar "Answered"' in tree
    assert host.root.get_attribute("role") == "application"
    assert host.root.get_attribute("aria-label") == "Annotate news, train"
