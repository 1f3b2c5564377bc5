"""How each of the tools is put into a cell, and how a person works in it."""

from __future__ import annotations

import re

LABELS = ["ORG", "PERSON", "GPE", "PRODUCT"]


class Tool:
    """One tool, and what all have in common."""

    name: str
    event = "key"
    modes = ("keydown",)
    accept: str | None = "a"

    def renamed(self, source):
        """Let a cell keep what it makes under names of its own."""
        return re.sub(r"\b(session|documents|texts)\b", r"other_\1", source)

    def need(self, rivals):
        """Fail with the reason where a rival is not to be had."""
        assert self.name == "nbner" or self.name in rivals, f"pip could not install {self.name}"


class Nbner(Tool):
    """This package's own widget."""

    name = "nbner"
    root = "[data-nbner=annotator]"
    words = ".nbner-words"

    def prepare(self, texts):
        return (
            "import nbner, uuid\n"
            f"session = nbner.Session('bench', labels={LABELS!r}, store=f'{{uuid.uuid4()}}.db')\n"
            f"session.add({texts})"
        )

    show = "session.manual()"

    def make_ready(self, page):
        page.locator(self.root).last.focus()
        page.keyboard.press("Home")

    def act(self, page, number):
        """Give a span, give it another label, take it away, and go on to the next word."""
        page.keyboard.press(("1", "2", "Delete", "ArrowRight")[number % 4])


class Spanmark(Tool):
    """Spans come by the mouse alone: what has a key is to give one another label."""

    name = "spanmark"
    root = ".so-root"
    words = ".so-textlayer"

    def prepare(self, texts):
        return (
            "import uuid\nfrom spanmark import AnnotationSession\n"
            "span = {'start': 0, 'end': 4, 'label': 'ORG'}\n"
            "documents = [{'id': str(i), 'text': text, 'suggestions': [span]}\n"
            f"             for i, text in enumerate({texts})]"
        )

    show = (
        f"session = AnnotationSession(documents, {LABELS!r}, f'{{uuid.uuid4()}}.jsonl')\n"
        "session.display()"
    )

    def make_ready(self, page):
        page.locator(f"{self.root} mark").last.click()

    def act(self, page, number):
        page.keyboard.press("12"[number % 2])


class JupyterAnnotate(Tool):
    """Nothing has a key: a span comes by dragging and goes by a click."""

    name = "jupyterannotate"
    root = ".app:has(.content)"
    event = "mouse"
    modes = ("mouseup",)

    def prepare(self, texts):
        return f"from jupyterannotate import AnnotateWidget\ntexts = {texts}"

    show = f"AnnotateWidget(docs=texts, labels={LABELS!r})"

    def make_ready(self, page):
        page.locator(self.root).last.scroll_into_view_if_needed()

    def act(self, page, number):
        box = page.locator(f"{self.root} .content").last.bounding_box()
        y, mouse = box["y"] + 36, page.mouse
        mouse.move(box["x"] + 40 + 8 * number, y)
        mouse.down()
        mouse.move(box["x"] + 46 + 8 * number, y, steps=2)
        mouse.up()

    accept = None


ALL = (Nbner(), Spanmark(), JupyterAnnotate())
