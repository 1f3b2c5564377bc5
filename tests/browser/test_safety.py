"""Markup in a text, a label or metadata is shown as text and never runs."""

import pytest
from playwright.sync_api import expect

ATTACK = '<img src=x onerror="window.attacked = true"><script>window.attacked = true</script>'


@pytest.fixture
def attacked(host, world):
    task = world.tokenized(
        1,
        [[ATTACK, " "], ["</span>", ""]],
        [(0, 1, ATTACK, {"source": ATTACK, "score": 0.5})],
        lead=ATTACK,
        loose=[{"text": ATTACK, "label": ATTACK}],
        meta={ATTACK: ATTACK},
        by=ATTACK,
        suggested=True,
    )
    return host.open(
        task,
        labels=[ATTACK, "&amp;", *(f"<b>{i}</b>" for i in range(12))],
        dataset=ATTACK,
        split=ATTACK,
    )


def nothing_ran(host):
    assert host.page.evaluate("window.attacked") is None
    assert host.root.locator("img, script, b").count() == 0


def test_markup_is_text_everywhere(attacked):
    expect(attacked.token(0)).to_have_text(ATTACK)
    expect(attacked.token(1)).to_have_text("</span>")
    assert attacked.root.locator("[data-pick]").first.get_attribute("data-pick") == ATTACK
    expect(attacked.root.locator("[data-pick]").nth(1)).to_contain_text("&amp;")
    expect(attacked.root.locator("[data-span]")).to_have_attribute("data-label", ATTACK)
    nothing_ran(attacked)


def test_markup_stays_text_through_all_that_one_can_do(attacked):
    attacked.press("?", "Escape", "/")
    attacked.page.keyboard.type("<b>")
    attacked.page.keyboard.press("Enter")
    attacked.press("ArrowRight", "1", "2", "1", "f", "a", "Backspace", "Control+z", "Delete")
    nothing_ran(attacked)


def test_a_kernels_message_is_text(attacked):
    attacked.page.evaluate(
        "(why) => { host.kernel.answer = () => ({ type: 'failed', message: why, retry: true }) }",
        ATTACK,
    )
    attacked.press("a")
    expect(attacked.root.get_by_role("status")).to_contain_text(ATTACK)
    nothing_ran(attacked)


def test_a_colour_is_a_colour_or_nothing(host, world):
    host.page.goto(world.ORIGIN)
    host.page.wait_for_selector("html[data-ready]")
    shown = world.world(world.task(1, "Uber left", [(0, 1, "ORG")]))
    shown["setup"]["colors"]["ORG"] = "red; background-image: url(http://elsewhere.test/x)"
    host.page.evaluate("(world) => host.start(world)", shown)
    expect(host.mark(0, 1)).to_be_visible()
    assert "url" not in host.mark(0, 1).get_attribute("style")


def test_broken_messages_leave_the_rest_unharmed(host, world):
    host.open(world.task(1, "Uber left"), world.task(2, "Second"))
    for message in (
        None,
        7,
        "saved",
        {},
        {"type": "saved"},
        {"type": "tasks", "tasks": [None, {}]},
    ):
        host.page.evaluate("(message) => host.model.emit('msg:custom', message)", message)
    host.press("a")
    expect(host.root).to_have_attribute("data-example", "2")


def test_nothing_needs_inline_handlers_or_inline_styles(host, world):
    # A notebook server may forbid both; then only what a script sets piece by piece counts.
    policy = "default-src 'self'; style-src 'self'; script-src 'self'; img-src data:"
    host.page.route(
        world.ORIGIN,
        lambda route: route.fulfill(
            body=world.FILES[""][0].read_text(encoding="utf-8"),
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
        ),
    )
    refused = []
    host.page.on("console", lambda message: refused.append(message.text))
    host.open(world.task(1, "Uber left", [(0, 1, "ORG")]))
    refused.clear()
    host.press("ArrowRight", "Shift+ArrowRight", "2", "?", "a", "a", "Backspace")
    expect(host.mark(0, 2)).to_be_visible()
    assert refused == []
    handlers = host.root.evaluate(
        "root => [...root.querySelectorAll('*')].flatMap(one => one.getAttributeNames())"
        ".filter(name => name.startsWith('on'))"
    )
    assert handlers == []
