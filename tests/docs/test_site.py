"""The documentation site: whole, by itself, accessible, and with every public name.

It is built as `make docs` builds it, with warnings as errors, but without running the
notebooks, which have tests of their own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from sphinx.util.inventory import InventoryFile

import nbner
from nbner.session.context import public_names

ROOT = Path(__file__).parents[2]
AXE = ROOT / "js" / "node_modules" / "axe-core" / "axe.min.js"
ACCESSORS = {
    "labels": "labels.LabelSet",
    "model": "model.ModelAccessor",
    "quality": "quality.QualityAccessor",
    "experiments": "experiments.ExperimentsAccessor",
    "store": "store.StoreAccessor",
}
PAGES = (
    *("index", "tour", "labelling", "keys", "formats", "coming_from", "how_to/analyst", "learning"),
    *("_generated/api/session", "_generated/notebooks/error_analysis"),
)
RUN_AXE = """async () => (await axe.run()).violations.flatMap(({ id, nodes }) =>
  nodes.map((node) => `${id}: ${node.html}`.slice(0, 300)))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site from a copy of its sources, and return its folder."""
    source = tmp_path_factory.mktemp("source")
    generated = shutil.ignore_patterns("_generated", "__pycache__")
    for folder in ("docs", "notebooks"):
        shutil.copytree(ROOT / folder, source / folder, ignore=generated)
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, source)
    target = source / "built" / "html"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", str(target)],
        cwd=source,
        env={**os.environ, "NBNER_DOCS_EXECUTE": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return target


@pytest.fixture(scope="module")
def documented(site):
    """Return the names that the reference describes."""
    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda _, name: name)
    return {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}


def test_the_reference_has_every_public_name_of_the_package(documented):
    results = set(nbner.results.__all__)
    names = set(nbner.__all__) - results - {"__version__", "results"}
    expected = {f"nbner.{name}" for name in names} | {f"nbner.results.{name}" for name in results}
    assert expected - documented == set()


def test_the_reference_has_every_method_of_a_session_and_of_what_it_holds(documented):
    with nbner.Session("names", labels=["Tool"], store=":memory:") as session:
        expected = {f"nbner.Session.{name}" for name in dir(session)}
        for accessor, path in ACCESSORS.items():
            kind = type(getattr(session, accessor))
            assert path == f"{kind.__module__.rsplit('.', 1)[1]}.{kind.__name__}"
            shown = set(public_names(kind)) - set(dir(tuple)) - {"context"}
            expected |= {f"nbner.session.{path}.{name}" for name in shown}
    assert expected - documented == set()


@pytest.mark.parametrize("name", ["Session.train", "Session.add", "simulate", "Span"])
def test_what_the_reference_says_of_a_name_is_its_docstring(site, name):
    pages = [page.read_text(encoding="utf-8") for page in (site / "_generated/api").glob("*.html")]
    value = nbner
    for part in name.split("."):
        value = getattr(value, part)
    first = value.__doc__.strip().split("\n")[0]
    assert any(first.replace("`", "") in page for page in pages), first


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("the column stands there twice", ""),
        ("colors= takes a mapping", "Write colors="),
        ("and there is no column with the texts", "use nbner.evaluate(gold, frame)"),
    ],
)
def test_messages_are_found_with_their_remedies(site, message, remedy):
    page = (site / "_generated/error_messages.html").read_text(encoding="utf-8")
    entries = page.split("<dt>")
    assert any(message in entry and remedy in entry for entry in entries)


def test_every_notebook_is_a_page(site):
    names = {file.stem for file in (ROOT / "notebooks").glob("*.ipynb")}
    assert {page.stem for page in (site / "_generated/notebooks").glob("*.html")} == {
        *names,
        "index",
    }


def test_every_column_of_a_table_has_a_heading():
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    for page in pages:
        heads = re.findall(
            r"^\|(.*)\|\n\|[-:| ]+\|$", page.read_text(encoding="utf-8"), re.MULTILINE
        )
        for head in heads:
            assert all(cell.strip() for cell in head.split("|")), f"{page.name}: {head}"


def test_a_frame_in_a_notebook_is_accessible(site, browser):
    frame = pd.DataFrame({"label": ["Dish"], "f": [0.5]})
    page = (site / "keys.html").read_text(encoding="utf-8")
    output = f'<div class="cell_output"><div class="text_html">{frame.to_html()}</div></div>'
    shown = site / "with_a_frame.html"
    shown.write_text(page.replace("</article>", f"{output}</article>"), encoding="utf-8")
    with browser.new_context(bypass_csp=True) as context:
        opened = context.new_page()
        opened.goto(shown.as_uri())
        opened.evaluate(AXE.read_text(encoding="utf-8"))
        assert opened.locator(".cell_output table").count() == 1
        assert opened.evaluate(RUN_AXE) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_no_other_host_fits_its_window_and_is_accessible(site, browser, page):
    asked = []
    for scheme, width in (("light", 400), ("dark", 1280)):
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
        )
        opened = context.new_page()
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto((site / f"{page}.html").as_uri())
        opened.evaluate(AXE.read_text(encoding="utf-8"))
        assert [one for one in asked if not one.startswith(("file:", "data:"))] == []
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert opened.evaluate(RUN_AXE) == [], scheme
        context.close()
