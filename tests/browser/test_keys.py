"""No key pressed in the widget reaches the notebook, and the widget takes none without focus."""

import string

import pytest
from playwright.sync_api import expect

LISTEN = """() => {
    window.heard = [];
    for (const type of ["keydown", "keypress", "keyup"])
        document.addEventListener(type, (event) => heard.push(`${type} ${event.key}`));
    window.defaults = [];
    document.addEventListener("keydown", (event) => defaults.push([event.key, event]), true);
}"""
EVERY_KEY = [
    *string.ascii_letters,
    *string.digits,
    *"`-=[]\\;',./~!@#$%^&*()_+{}|:\"<>?",
    *(f"F{i}" for i in range(1, 13)),
    *("Space", "Backspace", "Delete", "Enter", "Insert", "Home", "End", "PageUp", "PageDown"),
    *("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Shift", "Control", "Alt", "Meta"),
]
COMBINED = [f"{held}+{key}" for held in ("Control", "Shift", "Alt", "Meta") for key in "abdmyxz1"]


@pytest.fixture
def listening(host, world):
    host.open(*(world.task(i, f"Uber left town {i}") for i in range(200)))
    host.page.evaluate(LISTEN)
    return host


@pytest.mark.parametrize("where", ["the text", "a button"])
def test_no_key_goes_on_to_the_notebook(listening, where):
    for key in [*EVERY_KEY, *COMBINED]:
        # Escape and Tab may take the focus away: they have tests of their own.
        (listening.root if where == "the text" else listening.button("accept")).focus()
        listening.page.keyboard.press(key)
    assert listening.page.evaluate("heard") == []


def test_no_key_typed_into_the_filter_goes_on(host, world):
    host.open(world.task(1, "Uber left"), labels=[f"L{i}" for i in range(20)])
    host.page.evaluate(LISTEN)
    host.press("/")
    for key in string.ascii_lowercase:
        host.page.keyboard.press(key)
    host.page.keyboard.press("ArrowDown")
    expect(host.root.get_by_role("textbox")).to_have_value(string.ascii_lowercase)
    host.page.keyboard.press("Escape")
    assert host.page.evaluate("heard") == []
    expect(host.root).to_be_focused()


def test_jupyterlab_is_told_to_keep_its_shortcuts(listening):
    expect(listening.root).to_have_attribute("data-lm-suppress-shortcuts", "true")
    expect(listening.root).to_have_attribute("tabindex", "0")


@pytest.mark.parametrize(
    ("key", "prevented"),
    [
        ("x", True),
        ("m", True),
        ("Space", True),
        ("PageDown", True),
        ("Control+s", True),
        ("Alt+ArrowLeft", True),
        ("Control+c", False),
        ("Control+r", False),
        ("F5", False),
        ("F12", False),
        ("Control+Equal", False),
    ],
)
def test_only_the_browsers_own_keys_keep_their_meaning(listening, key, prevented):
    # Dispatched by script, so that a reload does not happen.
    *held, name = key.split("+")
    name = {"Space": " ", "Equal": "="}.get(name, name)
    done = listening.page.evaluate(
        """([key, held]) => {
            const event = new KeyboardEvent("keydown", {
                key, bubbles: true, cancelable: true,
                ctrlKey: held.includes("Control"), altKey: held.includes("Alt"),
            });
            document.querySelector("[data-nbner]").dispatchEvent(event);
            return event.defaultPrevented;
        }""",
        [name, held],
    )
    assert done is prevented
    assert listening.page.evaluate("heard") == []


def test_without_focus_the_widget_takes_no_key(listening):
    listening.page.locator("body").press("a")
    listening.page.keyboard.press("2")
    expect(listening.root).to_have_attribute("data-example", "0")
    expect(listening.label("ORG")).to_have_attribute("aria-pressed", "true")
    assert "keydown a" in listening.page.evaluate("heard")


def test_opening_does_not_take_the_focus(listening):
    expect(listening.root).not_to_be_focused()


def test_escape_drops_the_selection_and_then_leaves(listening):
    listening.press("ArrowRight", "Escape")
    expect(listening.root.locator("[data-caret]")).to_have_count(0)
    expect(listening.root).to_be_focused()
    listening.page.keyboard.press("Escape")
    expect(listening.root).not_to_be_focused()


def test_tab_leaves_through_the_buttons(listening):
    listening.page.evaluate("document.body.append(document.createElement('button'))")
    outside = listening.page.locator("body > button")
    listening.root.focus()
    for _ in range(11):
        listening.page.keyboard.press("Tab")
    expect(outside).to_be_focused()
    listening.page.keyboard.press("Shift+Tab")
    expect(listening.root.get_by_role("button", name="Next")).to_be_focused()


def test_space_on_a_focused_button_presses_that_button(listening):
    listening.button("reject").focus()
    listening.page.keyboard.press("Space")
    expect(listening.root).to_have_attribute("data-example", "1")
    assert listening.stored("0")["answer"] == "reject"
    expect(listening.button("reject")).to_be_focused()


def test_a_click_on_a_button_leaves_the_keys_with_the_text(listening):
    listening.button("accept").click()
    expect(listening.root).to_be_focused()
    listening.page.keyboard.press("Space")
    expect(listening.root).to_have_attribute("data-example", "2")
    assert [listening.stored(str(i))["answer"] for i in range(2)] == ["accept", "ignore"]


def test_a_held_key_decides_once(listening):
    listening.root.focus()
    for _ in range(5):
        listening.page.keyboard.down("a")
    listening.page.keyboard.up("a")
    expect(listening.root).to_have_attribute("data-example", "1")
    assert len(listening.sent()) == 1


def test_the_help_card_tells_every_key_and_closes_with_any(listening):
    listening.press("?")
    card = listening.root.get_by_role("dialog", name="Keys")
    expect(card).to_be_visible()
    for words in ("Accept", "Undo, across examples", "Line by line", "Span by span"):
        expect(card.get_by_text(words)).to_be_visible()
    expect(card.get_by_text("Labels 11 to 20")).to_have_count(0)
    listening.page.keyboard.press("a")
    expect(card).to_be_hidden()
    expect(listening.root).to_have_attribute("data-example", "0")
    listening.root.get_by_role("button", name="All keys").click()
    expect(card).to_be_visible()
    card.click()
    expect(card).to_be_hidden()


def test_every_button_tells_its_key(listening):
    for button in listening.root.locator("button:is([data-answer], [data-act], [data-pick])").all():
        assert button.get_attribute("aria-keyshortcuts")
        assert button.locator(".nbner-key").inner_text().strip()
        # Its name is its visible word, or where there is none a label.
        word = button.locator(".nbner-word, .nbner-pick-name")
        assert button.get_attribute("aria-label") or word.inner_text().strip()
