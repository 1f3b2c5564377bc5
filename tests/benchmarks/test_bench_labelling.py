"""Ten headlines labelled by keyboard alone in a real JupyterLab."""

from __future__ import annotations

import json
import shutil

from playwright.sync_api import expect

import nbner

HEADLINES = 10
LABELS = ["ORG", "PERSON", "LOCATION"]


def test_ten_headlines_by_keyboard(lab, server, data, say):
    shutil.copy(data / "headlines/raw.jsonl", server.root / "raw.jsonl")
    texts = [json.loads(line)["text"] for line in (server.root / "raw.jsonl").open()]
    cell = (
        "import nbner\n"
        f"session = nbner.Session('headlines', labels={LABELS!r}, store='headlines.db')\n"
        "print(session.add('raw.jsonl').added)\n"
        "session.manual()"
    )
    lab.open(server.write("headlines.ipynb", cell))
    lab.run(0)
    keyboard = lab.page.keyboard
    lab.annotator.focus()
    for number in range(HEADLINES):
        expect(lab.annotator).to_contain_text(texts[number])
        # The first two words as an organisation, the next as a person.
        for key in ("Home", "Shift+ArrowRight", "1", "ArrowRight", "2"):
            keyboard.press(key)
        expect(lab.annotator.locator("[data-span][data-label=PERSON]")).to_have_count(1)
        keyboard.press("a")
    expect(lab.annotator).to_contain_text(texts[HEADLINES])
    expect(lab.annotator.locator("[data-save]").first).to_have_attribute("data-save", "saved")
    with nbner.Session("headlines", store=server.root / "headlines.db") as session:
        answers = session.answers()
    assert list(answers["text"]) == texts[:HEADLINES]
    assert all(len(spans) == 2 for spans in answers["spans"])
    say("headlines labelled by keyboard and found in the database file", len(answers), HEADLINES)
