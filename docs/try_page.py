"""Build the page to try nbner without installing it: ``make try`` writes ``site/try.html``.

The page holds the real front end over the sample corpus, with a stand-in for the kernel
(``js/src/tryPage``). What needs Python is recorded here: suggestions and the best analyses
of a trained pipeline, the error explorer's replies, the steps of a state machine. The page
is one file, works from a disk, and asks no host.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbner

HERE = Path(__file__).parent
ROOT = HERE.parent
STATIC = Path(nbner.__file__).parent / "widgets" / "static"
MAX_EPOCHS = 10
#: Analyses that are recorded of each example.
BEST = 8
SENTENCE = "Whisk the eggs with a pinch of salt."
#: Rows of the error explorer that a click asks for, and more of them: FIRST_ROWS and
#: PAGE_SIZE in js/src/errorExplorer/explorer.ts.
FIRST_ROWS, PAGE_SIZE = 8, 24
#: The column of spans with wrong borders: WRONG_BORDERS in js/src/errorExplorer/messages.ts.
WRONG_BORDERS = -2
Message = dict[str, Any]


def record() -> dict[str, Any]:
    """Return what the page holds, from a session over the sample corpus.

    Returns
    -------
    dict
        For ``label`` and ``correct`` the setup, the examples, the guideline and the best
        analyses; for ``errors`` and ``trace`` the traits, and the replies by their request.
    """
    corpus = nbner.sample()
    with (
        TemporaryDirectory(prefix="nbner-try-") as folder,
        nbner.Session(
            "cooking",
            labels=corpus.labels,
            guidelines=corpus.guideline,
            store=Path(folder) / "try.db",
            annotator="you",
            seed=0,
        ) as session,
    ):
        session.add(corpus.train, split="train")
        session.add(corpus.dev, split="dev")
        session.add(corpus.unlabeled, split="kitchen")
        label = _annotator(session.manual(split="kitchen"))
        session.train(max_epochs=MAX_EPOCHS, progress=False)
        correct = _annotator(session.make_gold(split="kitchen"))
        return {
            "label": label,
            "correct": correct,
            "errors": _explorer(session.errors("dev", progress=False)),
            "trace": {"traits": _traits(session.explain(SENTENCE), "_run", "step", "_widget_id")},
        }


def _traits(widget: Any, *names: str) -> Message:
    return dict(widget.get_state(key=list(names)))


def _ask(widget: Any, message: Message) -> Message:
    """Return the reply to a request, as the page would get it."""
    reply = widget.receive({"id": "recorded", **message})
    if reply is None or reply["type"] == "failed":
        raise RuntimeError(f"{message} was answered by {reply}")
    return {name: value for name, value in reply.items() if name != "re"}


def _annotator(widget: Any) -> dict[str, Any]:
    setup = _traits(widget, "_setup")["_setup"]
    # What the page's stand-in cannot do without Python.
    setup |= {
        "redecodes": False,
        "relabels": False,
        "confident": False,
        "key": f"try-{setup['mode']}",
    }
    tasks = list(_tasks(widget))
    found = {
        "setup": setup,
        "tasks": tasks,
        "guideline": _ask(widget, {"type": "guideline"})["text"] if setup["guideline"] else "",
    }
    if setup["advises"]:
        found["analyses"] = {one["id"]: _analyses(widget, one["id"]) for one in tasks}
    return found


def _tasks(widget: Any) -> Iterator[Message]:
    """Yield all open examples; each batch is asked for with those that are there already."""
    have: list[str] = []
    while True:
        tasks = _ask(widget, {"type": "fetch", "have": have, "want": 50})["tasks"]
        if not tasks:
            return
        yield from tasks
        have += [one["id"] for one in tasks]


def _analyses(widget: Any, example: str) -> list[Message]:
    request = {"type": "analyses", "example": example, "want": BEST, "forced": [], "forbidden": []}
    return list(_ask(widget, request)["analyses"])


def _explorer(explorer: Any) -> dict[str, Any]:
    """Return the traits of an error explorer, and its replies to every click."""
    traits = _traits(explorer, "_setup", "_snapshot", "_errors", "_widget_id")
    overview = traits["_errors"] | {"changes": False, "undoes": False}
    traits["_errors"] = overview
    replies: dict[str, Message] = {}

    def ask(request: Message) -> Message:
        key = request_key(request)
        replies[key] = _ask(explorer, request)
        return replies[key]

    cells = [{}, *_cells(overview)]
    for factor, _ in overview["factors"]:
        bars = ask({"type": "bars", "factor": factor})["bars"]
        cells += [{"factor": factor, "bucket": name} for name, *_ in bars]
    examples: set[str] = set()
    for cell in cells:
        offset, want, total = 0, FIRST_ROWS, 1
        while offset < total:
            reply = ask({"type": "open", "at": cell, "offset": offset, "want": want})
            examples |= {row["id"] for row in reply["rows"]}
            total = reply["total"]
            offset, want = offset + want, PAGE_SIZE
    for example in sorted(examples):
        ask({"type": "find", "examples": [example]})
    return {"traits": traits, **_without_repetition(replies)}


def _without_repetition(replies: dict[str, Message]) -> dict[str, Any]:
    """Return the replies with numbers in place of their rows, which many of them share."""
    rows: dict[str, int] = {}
    for reply in replies.values():
        if "rows" in reply:
            written = (json.dumps(row, ensure_ascii=False) for row in reply["rows"])
            reply["rows"] = [rows.setdefault(row, len(rows)) for row in written]
    return {"replies": replies, "rows": [json.loads(row) for row in rows]}


def _cells(overview: Message) -> Iterator[Message]:
    names = overview["labels"]
    for row, column, *_ in overview["cells"]:
        gold = names[row] if row >= 0 else None
        predicted = names[column] if column >= 0 else None
        yield {"gold": gold, "predicted": predicted, "borders": column == WRONG_BORDERS}


def request_key(message: Message) -> str:
    """Return a request as `requestKey` in recordedKernel.ts writes it."""
    return json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# The page.

TABS = {
    "label": (
        "Label by hand",
        "A model in this page learns from every five texts that you accept.",
    ),
    "correct": (
        "Correct suggestions",
        "A pipeline of 378 sentences suggests. Press a where it is right; up and down show more.",
    ),
    "errors": (
        "Look at errors",
        "Click a number: its sentences open below, gold over prediction.",
    ),
    "trace": (
        "See it decide",
        "Arrow keys step through the decisions of the recognizer; space plays.",
    ),
}


def build(recorded: dict[str, Any], target: Path) -> None:
    """Write the page, with scripts, styles and recordings inside of it.

    Parameters
    ----------
    recorded : dict
        From `record`.
    target : Path
        The file; its folder is made.
    """
    with TemporaryDirectory(prefix="nbner-try-") as folder:
        bundle = Path(folder) / "tryPage.js"
        npm = ["node", "build.mjs", "--try", str(bundle)]
        subprocess.run(npm, cwd=ROOT / "js", check=True)
        script = bundle.read_text(encoding="utf-8")
    names = json.loads((ROOT / "js/bundles.json").read_text(encoding="utf-8"))
    styles = "\n".join((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in names)
    tabs = "".join(
        f'<button role="tab" id="{name}-tab" aria-controls="{name}">{escape(title)}</button>'
        for name, (title, _) in TABS.items()
    )
    panels = "".join(
        f'<section role="tabpanel" id="{name}" aria-labelledby="{name}-tab" hidden>'
        f'<h2>{escape(title)}</h2><p>{escape(text)}</p><div id="{name}-widget"></div></section>'
        for name, (title, text) in TABS.items()
    )
    page = (HERE / "try_page.html").read_text(encoding="utf-8")
    # A script ends where its end tag stands, also inside of a string.
    data = json.dumps(recorded, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "styles": styles,
        "tabs": tabs,
        "panels": panels,
        "recorded": data,
        "script": script.replace("</script", "<\\/script"),
    }
    for name, text in parts.items():
        page = page.replace(f"<!-- {name} -->", text)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    build(record(), Path(sys.argv[1] if len(sys.argv) > 1 else "site/try.html"))
