"""The page to try nbner without installing it: one file that works from a disk."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

import nbner

ROOT = Path(__file__).parents[2]
AXE = ROOT / "js" / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async () => (await axe.run()).violations.flatMap(({ id, nodes }) =>
  nodes.map((node) => `${id}: ${node.html}`.slice(0, 300)))"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the page with a pipeline that is trained briefly."""
    spec = importlib.util.spec_from_file_location("nbner_try_page", ROOT / "docs/try_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.MAX_EPOCHS = 2
    file = tmp_path_factory.mktemp("try") / "try.html"
    module.build(module.record(), file)
    return file


@pytest.fixture
def opened(built, browser):
    """Open the page from the disk; no request may leave it, and no error be in it."""
    context = browser.new_context(viewport={"width": 1000, "height": 800}, bypass_csp=True)
    page = context.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(built.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    assert [one for one in asked if not one.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []
    context.close()


def surface(page, part):
    page.get_by_role("tab", name=part).click()
    return page.locator("[role=tabpanel]:not([hidden]) [data-nbner]").first


def test_it_is_one_file_under_two_megabytes(built):
    assert built.stat().st_size < 2_000_000
    assert "<script src" not in built.read_text(encoding="utf-8")


def test_the_text_is_large_enough_where_no_jupyter_gives_a_font(opened):
    text = surface(opened, "Label by hand").locator(".nbner-words")
    style = "getComputedStyle(one)"
    size, line = text.evaluate(f"one => [{style}.fontSize, {style}.lineHeight]")
    assert float(size.removesuffix("px")) >= 16
    assert float(line.removesuffix("px")) >= 1.8 * 16


def test_labelling_undo_list_and_guideline_work_and_last_a_reload(opened):
    root = surface(opened, "Label by hand")
    first = root.locator(".nbner-words").inner_text()
    root.focus()
    opened.keyboard.press("Home")
    opened.keyboard.press("1")
    expect(root.locator("[data-span]")).to_have_count(1)
    opened.keyboard.press("a")
    expect(root).to_contain_text("1 of 120")
    opened.keyboard.press("Backspace")
    expect(root).to_contain_text("0 of 120")
    expect(root.locator("[data-span]")).to_have_count(1)
    opened.keyboard.press("a")
    expect(root).to_contain_text("1 of 120")
    opened.keyboard.press("i")
    expect(root.get_by_role("region", name="Guideline")).to_be_visible()
    opened.reload()
    opened.wait_for_selector("html[data-ready]")
    root = surface(opened, "Label by hand")
    expect(root).to_contain_text("1 of 120")
    expect(root.locator(".nbner-words")).not_to_have_text(first)


def test_a_model_learns_while_one_labels(opened):
    root = surface(opened, "Label by hand")
    root.focus()
    for done in range(1, 6):
        opened.keyboard.press("Home")
        opened.keyboard.press("1")  # the first word of every text
        opened.keyboard.press("a")
        expect(root).to_contain_text(f"{done} of 120")
    expect(opened.locator("#learned")).to_contain_text("learned from 5 answers")
    opened.keyboard.press("a")
    expect(root).to_contain_text("6 of 120")
    mark = root.locator("[data-span]").first
    expect(mark).to_be_visible()
    assert mark.evaluate("one => getComputedStyle(one).borderBottomStyle") == "dashed"


def test_suggestions_have_probabilities_and_next_best_analyses(opened):
    root = surface(opened, "Correct suggestions")
    expect(root.locator("[data-span]").first).to_be_attached()
    root.focus()
    opened.keyboard.press("ArrowDown")
    expect(root).to_contain_text("2 of 8")


def test_errors_open_and_the_state_machine_steps(opened):
    root = surface(opened, "Look at errors")
    root.get_by_role("gridcell").filter(has_text="1").last.click()
    expect(root.locator("[data-finding]").first).to_be_visible()
    viewer = surface(opened, "See it decide")
    viewer.get_by_role("button", name="Next").click()
    expect(viewer).to_contain_text("word 2 of 9")


def test_answers_are_downloaded_as_a_session_reads_them(opened, tmp_path):
    root = surface(opened, "Correct suggestions")
    root.focus()
    opened.keyboard.press("a")
    expect(root).to_contain_text("1 of 120")
    with opened.expect_download() as download:
        opened.get_by_role("button", name="Download").click()
    file = tmp_path / "answers.jsonl"
    download.value.save_as(file)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    with nbner.Session("read", store=":memory:", annotator="you") as session:
        session.add(file, split="train")
        (example,) = session.examples("train")
        assert example.answer == "accept"
        assert [(s.start, s.end, s.label) for s in example.spans] == [
            (s["start"], s["end"], s["label"]) for s in rows[0]["spans"]
        ]
    # Also where its part of the page has not been opened in this visit.
    opened.reload()
    opened.wait_for_selector("html[data-ready]")
    with opened.expect_download() as download:
        opened.get_by_role("button", name="Download").click()
    download.value.save_as(file)
    assert [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] == rows
    opened.get_by_role("button", name="Forget").click()
    opened.wait_for_selector("html[data-ready]")
    expect(surface(opened, "Correct suggestions")).to_contain_text("0 of 120")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_part_has_a_violation_that_axe_finds(opened, scheme):
    opened.emulate_media(color_scheme=scheme)
    opened.evaluate(AXE.read_text(encoding="utf-8"))
    for part in ("Label by hand", "Correct suggestions", "Look at errors", "See it decide"):
        expect(surface(opened, part)).to_be_visible()
        assert opened.evaluate(RUN_AXE) == [], part
