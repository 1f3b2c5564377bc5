"""The guideline beside the text, definitions of labels, and keys of one's own."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

TEXT = """# Rules

Spans are **short**, see [the paper](https://a.test/b) and [this](javascript:window.attacked=1).

<script>window.attacked = true</script><img src=x onerror="window.attacked = true">

- one
- two
"""
HOST = """([text, lines]) => {
  const handle = host.kernel.handle.bind(host.kernel);
  host.kernel.handle = (message) => message.type === "guideline"
    ? { type: "guideline", text: text.repeat(lines), version: host.kernel.setup.guideline }
    : handle(message);
}"""
DEFINED = {"definitions": {"ORG": "A named organisation <b>", "GPE": "A country or city"}}


@pytest.fixture
def guided(host, world):
    host.open(world.task(1, "Acme hired Ada in Paris"), guideline="v1", **DEFINED)
    host.page.evaluate(HOST, [TEXT, 1])
    return host


def test_a_key_opens_the_guideline_and_the_text_stays_in_the_hand(guided):
    panel = guided.root.locator("[data-beside=guideline]")
    expect(panel).to_be_hidden()
    guided.press("ArrowRight", "i")
    expect(panel.get_by_role("heading", name="Rules")).to_be_visible()
    expect(guided.token(0)).to_be_visible()
    assert panel.bounding_box()["x"] > guided.token(0).bounding_box()["x"]
    # Keys of the text go on working beside it.
    guided.page.keyboard.press("1")
    assert guided.spans() == [["0:1", "ORG"]]
    guided.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    guided.page.keyboard.press("a")
    assert [one["guideline"] for one in guided.sent()] == ["v1"]


def test_nothing_in_a_guideline_becomes_live(guided):
    guided.press("i")
    panel = guided.root.locator("[data-beside=guideline]")
    expect(panel.get_by_text("<script>window.attacked")).to_be_visible()
    links = panel.get_by_role("link").evaluate_all("all => all.map(a => [a.href, a.rel, a.target])")
    assert links == [["https://a.test/b", "noopener noreferrer", "_blank"]]
    assert panel.locator("img, script, b").count() == 0
    assert guided.page.evaluate("window.attacked") is None


def test_ten_thousand_lines_are_shown_at_once(guided):
    guided.page.evaluate(HOST, ["- a rule with *emphasis*\n", 10_000])
    guided.root.focus()
    spent = guided.page.evaluate(
        """async () => {
          const from = performance.now();
          const key = new KeyboardEvent("keydown", { key: "i", code: "KeyI", bubbles: true });
          document.activeElement.dispatchEvent(key);
          const drawn = () => document.querySelector("[role=listitem]");
          while (!drawn()) await new Promise(requestAnimationFrame);
          return performance.now() - from;
        }"""
    )
    assert spent < 1_000
    expect(guided.root.locator(".nbner-md [role=listitem]")).to_have_count(10_000)


def test_a_label_shows_its_definition(guided):
    tip = guided.root.locator("[role=tooltip]")
    guided.label("ORG").hover()
    expect(tip).to_have_text("A named organisation <b>")
    guided.label("PERSON").hover()
    expect(tip).to_be_hidden()
    assert guided.label("GPE").get_attribute("aria-description") == "A country or city"
    guided.label("GPE").focus()
    expect(tip).to_have_text("A country or city")


def test_the_filter_finds_a_label_by_its_definition(host, world):
    labels = [f"L{i}" for i in range(12)]
    host.open(world.task(1, "Acme hired"), labels=labels, definitions={"L7": "A verb form"})
    host.press("ArrowRight", "/")
    host.page.keyboard.type("verb")
    expect(host.root.locator("[data-pick]:visible")).to_have_text(["8L7"])
    expect(host.root.locator("[role=tooltip]")).to_have_text("A verb form")
    host.page.keyboard.press("Enter")
    assert host.spans() == [["0:1", "L7"]]


def test_without_a_guideline_its_key_says_so(host, world):
    host.open(world.task(1, "Acme hired"))
    host.press("i")
    expect(host.root.locator("[data-beside=guideline]")).to_be_hidden()
    expect(host.root.locator("[data-act=guideline]")).to_be_hidden()
    expect(host.root.locator("[aria-live]")).to_contain_text("There is no guideline")


def test_chosen_keys_are_live_and_shown(host, world):
    host.open(
        world.task(1, "Acme hired Ada"),
        world.task(2, "Ben left"),
        keys={"accept": "Enter", "help": "F2"},
        labelKeys={"GPE": "d"},
    )
    expect(host.label("GPE").locator(".nbner-key")).to_have_text("d")
    expect(host.button("accept").locator(".nbner-key")).to_have_text("⏎")
    assert host.button("accept").get_attribute("aria-keyshortcuts") == "Enter"
    host.press("ArrowRight", "d", "a", "3")
    assert host.spans() == [["0:1", "GPE"]]
    assert host.sent() == []
    host.press("Enter")
    assert [one["answer"] for one in host.sent()] == ["accept"]
    host.press("F2")
    card = host.root.get_by_role("dialog", name="Keys")
    line = card.get_by_role("listitem").filter(has_text="Accept: these spans")
    expect(line).to_contain_text("enter")
    # Code that changes the keys changes the buttons too.
    host.press("Escape")
    host.page.evaluate("host.kernel.relabel({ ...host.kernel.setup, keys: {} })")
    expect(host.button("accept").locator(".nbner-key")).to_have_text("a")
