"""The state machine, stepped through in the page."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from playwright.sync_api import expect

from nbner._common.colors import label_colors

GREEDY, BEST, GOLD = 1, 2, 4
ACTIONS = ["O", "B-Food", "I-Food", "L-Food", "U-Food", "U-<b>x</b>"]
WORDS = ["Fry", "brown", "rice", "<i>now</i>", "."]
# Greedy search takes "rice" alone; the gold, and the beam in the end, "brown rice".
CHOSEN = [0, 0, 4, 0, 0]
RIGHT = [0, 1, 3, 0, 0]


def steps():
    found = []
    for token, (chosen, right) in enumerate(zip(CHOSEN, RIGHT, strict=True)):
        # Once "brown" has been passed over, nothing can be done for it any more.
        free = {right} if token == 1 else {chosen}
        others = [i for i in (0, 1, 4, 5) if i != chosen]
        choices = [[chosen, 0.6, 0 if chosen in free else 1]]
        choices += [[i, 0.2 - 0.05 * k, 0 if i in free else 1] for k, i in enumerate(others)]
        found.append(choices)
    return found


def beams():
    found = [[[-1, -1, 0.0, GREEDY | BEST | GOLD]], [[0, 0, 1.0, GREEDY | BEST | GOLD]]]
    for token in range(2, 6):
        first = token == 2
        greedy = [0, CHOSEN[token - 1], float(token), GREEDY]
        other = [0 if first else 1, RIGHT[token - 1], token - 0.5, BEST | GOLD]
        if token == 5:
            # It overtakes in the end.
            found.append([[1, RIGHT[4], 5.5, BEST | GOLD], [0, CHOSEN[4], 5.0, GREEDY]])
        else:
            found.append([greedy, other])
    return found


def run(**rest):
    return {
        "version": "0",
        "lead": "",
        "tokens": [[word, " "] for word in WORDS[:-1]] + [[WORDS[-1], ""]],
        "actions": ACTIONS,
        "colors": label_colors(["Food", "<b>x</b>"]),
        "steps": steps(),
        "beams": beams(),
        "found": [[2, 3, "Food"]],
        "gold": [[1, 3, "Food"]],
        "score": 5.0,
        "width": 2,
        "note": "",
        **rest,
    }


@pytest.fixture
def look():
    """Give what measures contrast, from the test of the annotator's look."""
    path = Path(__file__).parent / "test_appearance.py"
    spec = importlib.util.spec_from_file_location("nbner_tests_browser_appearance", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Viewer:
    def __init__(self, page, world, said=None, *, views=1, theme=""):
        self.page = page
        self.errors = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        world.serve(page)
        page.goto(f"{world.ORIGIN}trace_host.html")
        page.wait_for_selector("html[data-ready]")
        page.evaluate("(theme) => { document.documentElement.className = theme }", theme)
        page.evaluate("([run, views]) => host.start(run, views)", [said or run(), views])
        self.root = page.locator("[data-nbner=trace]").first

    def press(self, *keys):
        self.root.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def at(self, step):
        expect(self.root).to_have_attribute("data-step", str(step))

    def row(self, action):
        return self.root.locator(f'[data-action="{action}"]')


@pytest.fixture
def viewer(context, world):
    made = Viewer(context.new_page(), world)
    yield made
    assert made.errors == []


def test_steps_by_key_forward_and_back(viewer):
    status = viewer.root.get_by_role("status")
    viewer.at(0)
    viewer.press("ArrowRight")
    viewer.at(1)
    expect(status).to_have_text(
        "“brown”: O is chosen, 0.60. It costs gold: B-Food would cost nothing."
    )
    expect(viewer.row("O")).to_have_attribute("data-free", "no")
    expect(viewer.row("B-Food")).to_contain_text("✓ zero cost")
    expect(viewer.root.locator("[data-when=now]")).to_have_text("brown")
    viewer.press("ArrowRight", "ArrowRight")
    viewer.at(3)
    beam = viewer.root.locator("[data-part=beam]")
    expect(beam.locator("[data-lost]")).to_contain_text("brown rice")
    expect(beam).to_contain_text("Greedy search lost a higher score at “brown”: 5.50")
    expect(beam.locator("[data-kind=less]")).to_contain_text("rice")
    viewer.press("End")
    viewer.at(5)
    expect(status).to_contain_text("1 entity found. 0 of them right, of 1 in the gold.")
    viewer.press("ArrowRight", "ArrowLeft", "Home")
    viewer.at(0)
    # Nothing is left of where one was.
    expect(viewer.root.locator("mark[data-state=ahead]")).to_have_count(1)
    viewer.press("m")
    viewer.at(1)


def test_plays_pauses_and_follows_python(viewer):
    viewer.press("+", "+", "+", "Space")
    expect(viewer.root).to_have_attribute("data-playing", "")
    viewer.at(5)
    expect(viewer.root).not_to_have_attribute("data-playing", "")
    viewer.press("Space")
    expect(viewer.root).to_have_attribute("data-playing", "")
    viewer.press("Space")
    expect(viewer.root).not_to_have_attribute("data-playing", "")
    viewer.page.evaluate("host.model.set('step', 4)")
    viewer.at(4)
    viewer.root.locator("[data-token='2']").click()
    viewer.at(2)
    assert viewer.page.evaluate("host.model.traits.step") == 2
    assert viewer.page.evaluate("host.model.saved.at(-1)") == 2


def test_data_is_no_markup_and_no_key_goes_on(viewer):
    viewer.page.evaluate(
        "window.heard = []; addEventListener('keydown', (event) => heard.push(event.key))"
    )
    viewer.press("d", "d", "x", "0", "ArrowRight", "?")
    expect(viewer.root.get_by_role("dialog")).to_be_visible()
    viewer.press("q")
    expect(viewer.root.get_by_role("dialog")).to_be_hidden()
    assert viewer.page.evaluate("heard") == []
    expect(viewer.root.locator("b, i")).to_have_count(0)
    expect(viewer.root).to_contain_text("<i>now</i>")
    expect(viewer.root).to_contain_text("U-<b>x</b>")


def test_two_views_agree_and_leave_nothing_behind(context, world):
    viewer = Viewer(context.new_page(), world, views=2)
    viewer.press("ArrowRight", "Space")
    other = viewer.page.locator("[data-nbner=trace]").nth(1)
    expect(other).to_have_attribute("data-playing", "")
    viewer.press("ArrowRight")
    expect(other).to_have_attribute("data-step", viewer.root.get_attribute("data-step"))
    viewer.page.evaluate("host.close()")
    expect(viewer.page.locator("[data-nbner]")).to_have_count(0)
    assert viewer.page.evaluate("host.model.listenerCount") == 0
    assert viewer.errors == []


@pytest.mark.parametrize("theme", ["", "dark"])
def test_nothing_jumps_and_everything_can_be_read(context, world, look, theme):
    viewer = Viewer(context.new_page(), world, theme=theme)
    viewer.page.emulate_media(reduced_motion="reduce")
    parts = ".nbner-step-said, .nbner-step-row, .nbner-choice, .nbner-step-state"
    place = """all => all.map((one) => {
        const { x, y, height } = one.getBoundingClientRect();
        return [one.className, x, y, height];
    })"""
    before = viewer.root.locator(parts).evaluate_all(place)
    for _ in range(5):
        viewer.press("ArrowRight")
        assert viewer.root.locator(parts).evaluate_all(place) == before
        words = "[data-token], .nbner-step-action, .nbner-step-share, .nbner-step-sign, .nbner-tag"
        ratios = viewer.root.locator(words).evaluate_all(look.CONTRAST, "color")
        assert [one for one in ratios if one[1] < 4.5] == []
    moved = viewer.root.locator(".nbner-step-fill").first
    assert moved.evaluate("one => getComputedStyle(one).transitionDuration") in ("0s", "none")


def test_a_text_without_gold_says_so(context, world):
    bare = [[[action, share, None] for action, share, _ in one] for one in steps()]
    viewer = Viewer(context.new_page(), world, run(gold=None, steps=bare, note="no gold is known"))
    expect(viewer.root).to_contain_text("no gold is known")
    expect(viewer.root.get_by_role("status")).to_have_text("“Fry”: O is chosen, 0.60.")
    expect(viewer.root.locator("[data-act=mistake]")).to_have_count(0)
    assert viewer.errors == []


def test_a_long_text_scrolls_inside_to_the_word(context, world):
    words = [[f"word{i}", " "] for i in range(280)]
    long = run(
        tokens=words,
        steps=[[[0, 1.0, None]] for _ in words],
        beams=[[[0 if i else -1, 0 if i else -1, float(i), GREEDY | BEST]] for i in range(281)],
        found=[],
        gold=None,
        score=280.0,
    )
    viewer = Viewer(context.new_page(), world, long)
    height = viewer.root.bounding_box()["height"]
    frame = viewer.root.locator(".nbner-step-text").bounding_box()
    for keys, step in ((("End", "ArrowLeft"), 279), (("Home",), 0)):
        viewer.press(*keys)
        viewer.at(step)
        box = viewer.root.locator("[data-when=now]").bounding_box()
        assert frame["y"] <= box["y"]
        assert box["y"] + box["height"] <= frame["y"] + frame["height"]
    assert viewer.root.bounding_box()["height"] == height
    assert viewer.errors == []
