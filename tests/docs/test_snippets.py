"""What the README and the site show runs as it stands, or calls what there is."""

import ast
import functools
import inspect
import re
from pathlib import Path

import pytest

import nbner
from nbner import Session

ROOT = Path(__file__).parents[2]
PAGES = [
    *((ROOT / name) for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/how_to").glob("*.md")),
]
UNKNOWN = object()


def snippets(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


#: Pages that go on with the session of the page before them.
STORIES = [["README.md", "docs/store.md", "docs/extending.md"], ["docs/tour.md"]]


@pytest.mark.parametrize("pages", STORIES, ids=lambda pages: pages[0])
def test_the_snippets_run(pages, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Two epochs show that it runs; how good it gets is the benchmarks' business.
    brief = functools.partialmethod(Session.train, max_epochs=2, progress=False)
    monkeypatch.setattr(Session, "train", brief)
    names = {}
    for page in pages:
        found = snippets(ROOT / page)
        assert found, page
        for snippet in found:
            exec(compile(snippet, page, "exec"), names)
    assert (tmp_path / "cooking.spacy").is_file()
    if "frame" in names:
        assert list(names["frame"].columns[:3]) == ["example", "start", "end"]
    names["session"].close()


@pytest.fixture(scope="module")
def known():
    """Return the names that snippets may use without defining them."""
    with Session("known", labels=["Tool"], store=":memory:") as session:
        yield {"nbner": nbner, "session": session}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_snippets_call_what_there_is_with_arguments_that_it_takes(page, known):
    for snippet in snippets(page):
        for call in ast.walk(ast.parse(snippet)):
            if isinstance(call, ast.Call):
                target = resolve(call.func, known)
                if target is not UNKNOWN:
                    assert callable(target), ast.unparse(call)
                    bind(target, call)


def resolve(node, known):
    """Return the object that a dotted name leads to; it fails where a part is not there."""
    if isinstance(node, ast.Name):
        return known.get(node.id, UNKNOWN)
    if isinstance(node, ast.Attribute):
        owner = resolve(node.value, known)
        return UNKNOWN if owner is UNKNOWN else getattr(owner, node.attr)
    return UNKNOWN


def bind(target, call):
    """Fail where the target does not take the arguments of the call."""
    if any(isinstance(one, ast.Starred) for one in call.args):
        return
    keywords = {one.arg: None for one in call.keywords if one.arg}
    positional = [None for one in call.args if ast.unparse(one) != "..."]
    try:
        signature = inspect.signature(target)
    except ValueError:  # of a class written in C
        return
    signature.bind_partial(*positional, **keywords)
