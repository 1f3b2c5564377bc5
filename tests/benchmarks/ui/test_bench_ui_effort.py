"""Keys for an entity: by hand, correcting suggestions, and with the keys that others document."""

from __future__ import annotations

import importlib.util
import itertools
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

import nbner

HERE = Path(__file__).parent
TEXTS = 200
EPOCHS = 3


def load(path):
    spec = importlib.util.spec_from_file_location(f"nbner_effort_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


worlds = load(HERE.parents[1] / "browser" / "world.py")


def food(data, folder):
    """Give files to train on and to label: the last lines are kept for labelling."""
    lines = (data / "food/food.jsonl").read_text(encoding="utf-8").splitlines()
    parts = {"train.jsonl": lines[:-TEXTS], "dev.jsonl": lines[-TEXTS:]}
    for name, part in parts.items():
        (folder / name).write_text("\n".join(part) + "\n", encoding="utf-8")
    return [folder / name for name in parts]


def protocols(data, _folder):
    return [data / "protocols/train.conll", data / "protocols/dev.conll"]


@dataclass
class Material:
    """Gold, and the examples as they come to the page by hand and with suggestions."""

    labels: list
    gold: dict
    by_hand: list
    suggested: list


@pytest.fixture(scope="module", params=[food, protocols], ids=["food", "protocols"])
def material(request, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("effort")
    train, dev = request.param(data, folder)
    with nbner.Session("effort", store=folder / "effort.db", seed=0) as session:
        session.add(train, split="train")
        session.add(dev, split="dev")
        session.train(max_epochs=EPOCHS, progress=False)
        examples = session.examples("dev", answer="accept")[:TEXTS]
        session.add([row(one) for one in examples], split="open")
        widgets = (session.manual("open"), session.make_gold("open"))
        by_hand, suggested = (everything(widget) for widget in widgets)
        yield Material(list(session.labels), gold(examples), by_hand, suggested)


def row(example):
    tokens = [
        {"id": i, "text": one.text, "start": one.start, "end": one.end}
        for i, one in enumerate(example.tokens)
    ]
    return {"text": example.text, "tokens": tokens}


def gold(examples):
    """Give the spans of each text in tokens."""
    found = {}
    for one in examples:
        starts = {token.start: i for i, token in enumerate(one.tokens)}
        ends = {token.end: i + 1 for i, token in enumerate(one.tokens)}
        found[one.text] = sorted([starts[s.start], ends[s.end], s.label] for s in one.spans)
    return found


def everything(widget):
    """Ask a widget for all its examples, as a page does."""
    tasks = []
    while True:
        question = {"type": "fetch", "id": uuid.uuid4().hex, "want": 100}
        reply = widget.receive({**question, "have": [task["id"] for task in tasks]})
        if not reply["tasks"]:
            return tasks
        tasks += reply["tasks"]


def text_of(task):
    return task["lead"] + "".join(word + gap for word, gap in task["tokens"])


@pytest.fixture
def host(browser):
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    worlds.serve(page)
    page.add_init_script(path=HERE / "annotator.js")
    yield page
    page.close()


def work(page, material, tasks):
    """Label every text in the page; give what each took."""
    page.goto(worlds.ORIGIN)
    page.wait_for_selector("html[data-ready]")
    page.evaluate("world => host.start(world)", worlds.world(*tasks, labels=material.labels))
    taken = []
    for task in tasks:
        page.wait_for_selector(f"[data-nbner][data-example='{task['id']}']")
        arguments = [material.gold[text_of(task)], material.labels]
        taken.append(page.evaluate("([gold, labels]) => annotate(gold, labels)", arguments))
    wrong = [
        (text_of(task), one) for task, one in zip(tasks, taken, strict=True) if not one["done"]
    ]
    assert wrong == []
    return taken


def changes_of_label(spans, active):
    """How often a hand that drags has to name another label first."""
    named = [active, *(span[2] for span in spans)]
    return sum(left != right for left, right in itertools.pairwise(named))


def test_keys_for_an_entity(host, material, say, request):
    entities = sum(map(len, material.gold.values()))
    where = f"{request.node.callspec.id}, {len(material.gold)} texts, {entities:,} entities"
    hand = work(host, material, material.by_hand)
    gold_made = work(host, material, material.suggested)
    keys = [sum(one["presses"] for one in taken) / entities for taken in (hand, gold_made)]
    say(
        f"{where}: key presses for an entity, no mouse",
        f"{keys[0]:.2f} by hand, {keys[1]:.2f} in make-gold",
        "fewer in make-gold",
    )
    for what, taken in (("by hand", hand), ("in make-gold", gold_made)):
        drags = sum(len(one["missing"]) for one in taken)
        clicks = sum(len(one["start"]) for one in taken) - (entities - drags)
        named, active = 0, material.labels[0]
        for one in taken:
            named += changes_of_label(one["missing"], active)
            active = one["missing"][-1][2] if one["missing"] else active
        for rival, most in (("Prodigy", None), ("spanmark", 9)):
            beyond = f", where labels beyond the {most}th need a click" if most else ""
            say(
                f"{where}, {what}, as {rival} documents its keys",
                f"{(named + len(taken)) / entities:.2f} keys, {drags / entities:.2f} drags and "
                f"{clicks / entities:.2f} clicks{beyond}",
                "for comparison",
            )
    assert keys[1] < keys[0]
