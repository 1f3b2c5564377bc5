"""Make the README's pictures of the widgets, in light and dark: ``make pictures``.

A real JupyterLab shows the sample corpus; a few keys are pressed, and the cell's
output is photographed.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

HERE = Path(__file__).parent
PICTURES = HERE.parent / "notebooks" / "pictures"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDTH = 860
CELL = """import uuid

import nbner

corpus = nbner.sample()
session = nbner.Session("cooking", labels=corpus.labels, store=f"{uuid.uuid4()}.db")
session.add(corpus.train[:23], split="kitchen")
session.add([dict(text=TEXT, spans=SPANS, meta=dict(source="recipe"))], split="kitchen")
session.add(corpus.unlabeled[:60], split="kitchen")
session.make_gold(split="kitchen")
"""
TEXT = (
    "Toast the hazelnuts in a dry pan for 4 minutes, then crush them coarsely. "
    "Whisk 2 tablespoons of sherry vinegar with the mustard and a pinch of salt, "
    "and pour in 80 ml of olive oil until the dressing is glossy. "
    "Serve the warm lentil salad with a glass of Beaujolais."
)
#: What a model might have said; a person has gone over the first of it.
SUGGESTED = [
    ("Toast", "Action", 1.0),
    ("hazelnuts", "Ingredient", 0.98),
    ("pan", "Tool", 0.93),
    ("4 minutes", "Time", 1.0),
    ("Whisk", "Action", 1.0),
    ("2 tablespoons", "Amount", 0.99),
    ("sherry vinegar", "Ingredient", 0.71),
    ("mustard", "Ingredient", 0.97),
    ("80 ml", "Amount", 1.0),
    ("olive oil", "Ingredient", 0.99),
    ("glossy", "Texture", 0.64),
    ("lentil salad", "Dish", 0.88),
]

#: The state machine on a sentence that a briefly trained model gets wrong.
EXPLAINED = """import uuid

import nbner

corpus = nbner.sample()
session = nbner.Session("cooking", labels=corpus.labels, store=f"{uuid.uuid4()}.db", seed=0)
session.add(corpus.train[:200], split="train")
session.add(corpus.dev, split="dev")
session.train(max_epochs=5, progress=False)
traces = [session.explain(example) for example in session.examples("dev")]
shown = [one for one in traces if one.mistakes and one.search_error and 12 <= len(one.steps) <= 26]
trace = max(shown or traces, key=lambda one: len(one.gold))
"""


ERRORS = """import uuid

import nbner

corpus = nbner.sample()
session = nbner.Session("cooking", labels=corpus.labels, store=f"{uuid.uuid4()}.db")
session.add(corpus.train, split="train")
session.add(corpus.dev, split="dev")
session.train(max_epochs=8, progress=False)
explorer = session.errors(progress=False)
explorer
"""


def load(name):
    spec = importlib.util.spec_from_file_location(f"nbner_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def source():
    """Write the cell that shows the widget."""
    spans = [
        {
            "start": TEXT.index(words),
            "end": TEXT.index(words) + len(words),
            "label": label,
            "source": "v3",
            "score": score,
        }
        for words, label, score in SUGGESTED
    ]
    return f"TEXT = {TEXT!r}\nSPANS = {spans!r}\n{CELL}"


def work(page, annotator):
    """Add what the model has missed, take away what it had wrong, and look at one span."""
    annotator.focus()
    for key in ("Home", *["Tab"] * 10, "Delete", "Control+End", "ArrowLeft", "Shift+Digit2"):
        page.keyboard.press(key)
    expect(annotator.locator("[data-label=Drink]")).to_have_count(1)
    expect(annotator.locator("[data-label=Texture]")).to_have_count(0)
    for _ in range(5):
        page.keyboard.press("Shift+Tab")
    expect(annotator.locator("mark[data-current]")).to_contain_text("sherry vinegar")


def dress(page, theme):
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
    )
    is_light = str(theme == THEMES["light"]).lower()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)


def make_gold(lab):
    lab.run(0)
    expect(lab.annotator).to_contain_text("hazelnuts")
    work(lab.page, lab.annotator)
    return lab.annotator


def errors(lab):
    """Open the largest number that is an error, and its first example."""
    lab.run(0)
    root = lab.page.locator("[data-nbner=errors]")
    root.locator("[data-cell][tabindex='0']").focus()
    lab.page.keyboard.press("Enter")
    expect(root.locator("[data-finding]").first).to_be_visible()
    lab.page.keyboard.press("Enter")
    expect(root.locator("[data-nbner=annotator] [data-token]").first).to_be_visible()
    return root


def explained(lab):
    """Step to a word at which the choice costs gold."""
    lab.run(1)
    viewer = lab.page.locator("[data-nbner=trace]")
    viewer.focus()
    for key in ("Home", "m", "m"):
        lab.page.keyboard.press(key)
    expect(viewer.locator("[data-when=now]")).to_be_visible()
    return viewer


#: What is photographed, the cells that show it, and how high the page must be for it.
SHOTS = {
    "make-gold": (make_gold, lambda: [source()], 1000),
    "errors": (errors, lambda: [ERRORS], 1700),
    "explain": (explained, lambda: [EXPLAINED, "trace"], 1000),
}


def main():
    lab, chromium = load("lab"), load("chromium")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = lab.Server(Path(home))
        browser = playwright.chromium.launch(
            executable_path=chromium.require(), args=list(chromium.FLAGS)
        )
        try:
            for name, (show, cells, height) in SHOTS.items():
                size = {"width": WIDTH + 440, "height": height}
                page = browser.new_page(viewport=size, device_scale_factor=1.5)
                page.set_default_timeout(120_000)
                notebook = lab.Lab(page, server).open(server.write(f"{name}.ipynb", *cells()))
                if len(cells()) > 1:
                    notebook.run(0)
                for light, theme in THEMES.items():
                    dress(page, theme)
                    path = PICTURES / f"{name}-{light}.png"
                    show(notebook).screenshot(path=path, animations="disabled")
                    sys.stdout.write(f"{path.name}: {path.stat().st_size / 1024:.0f} KB\n")
                page.close()
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
