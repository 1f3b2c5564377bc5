"""The line below the widget that says which model suggests, and how well."""

import pytest
from playwright.sync_api import expect

TEXT = "Uber left New York in May"
READY = {
    "state": "ready",
    "text": "Suggestions by the model of 14:32, 35 answers.",
    "figures": "Last 20 answers: precision 0.71 (0.60 to 0.80), recall 0.65 (0.50 to 0.75)",
    "offer": "",
    "choice": "",
    "detail": "",
}
OFFERED = {
    **READY,
    "offer": "model ab12 does better than learned model on the same 20 answers.",
    "choice": "Use the model from before",
}
STOPPED = {**READY, "state": "stopped", "text": "Learning is stopped."}
FAILED = {
    **READY,
    "state": "failed",
    "text": "Learning failed: no memory.",
    "detail": "MemoryError",
}


@pytest.fixture
def gold(host, world):
    spans = [[0, 1, "ORG", {"source": "model of 14:32, 35 answers"}]]
    task = world.task("1", TEXT, spans, suggested=True, by="model of 14:32, 35 answers", offer=7)
    return host.open(task, world.task("2", TEXT), mode="make-gold")


def tell(gold, status):
    gold.page.evaluate("(status) => host.kernel.tell({ type: 'learning', ...status })", status)


def test_the_live_line(gold):
    line = gold.root.locator(".nbner-learning")
    expect(line).to_be_hidden()
    below = gold.root.locator("[data-answer=accept]").bounding_box()
    tell(gold, READY)
    expect(line).to_be_visible()
    # It appears below everything: nothing that the hand may be on its way to has moved.
    assert gold.root.locator("[data-answer=accept]").bounding_box() == below
    expect(gold.root).to_contain_text("suggested by model of 14:32, 35 answers")
    said = line.get_by_role("status").filter(has_text="Suggestions by")
    expect(said).to_have_attribute("aria-live", "polite")
    expect(said).to_have_text(READY["text"])
    expect(line).to_contain_text(READY["figures"])
    change = line.locator("[data-learning=switch]")
    expect(change).to_be_hidden()

    tell(gold, OFFERED)
    expect(line).to_contain_text("does better")
    gold.page.evaluate(
        "(replies) => { host.kernel.learning = replies }", {"switch": READY, "stop": STOPPED}
    )
    change.click()
    expect(change).to_be_hidden()
    line.get_by_role("button", name="Stop learning").click()
    expect(line.get_by_role("button", name="Learn again")).to_be_visible()
    assert [one["do"] for one in gold.sent("learning")] == ["switch", "stop"]
    expect(gold.root).to_be_focused()

    tell(gold, FAILED)
    expect(said.or_(line.locator(".nbner-learning-text"))).to_have_attribute("title", "MemoryError")
    gold.press("a")
    expect(gold.root).to_have_attribute("data-example", "2")
    assert gold.sent()[0]["offer"] == 7
