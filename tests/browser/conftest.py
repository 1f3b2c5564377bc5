"""Pages that hold the shipped bundle and nothing of Jupyter."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest


def load(name):
    path = Path(__file__).parent / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"nbner_tests_browser_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


worlds = load("world")


class Host:
    """One page, what it shows, and a record of what went wrong in it."""

    def __init__(self, page):
        self.page = page
        self.errors = []
        self.requests = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        worlds.serve(page)

    def open(self, *tasks, theme="", **world):
        """Open the page on a kernel that holds these examples."""
        self.page.goto(worlds.ORIGIN)
        self.page.wait_for_selector("html[data-ready]")
        self.page.evaluate("(theme) => { document.documentElement.className = theme }", theme)
        # As text, which Playwright passes on as it is: a value it walks through, piece by piece.
        written = json.dumps(worlds.world(*tasks, **world))
        self.page.evaluate("(world) => host.start(JSON.parse(world))", written)
        return self

    @property
    def root(self):
        return self.page.locator("[data-nbner]").first

    def token(self, index):
        return self.root.locator(f'[data-token="{index}"]')

    def mark(self, start, end):
        return self.root.locator(f'[data-span="{start}:{end}"]')

    def button(self, answer):
        return self.root.locator(f'[data-answer="{answer}"]')

    def label(self, name):
        return self.root.locator(f'[data-pick="{name}"]')

    def press(self, *keys):
        """Press keys with the focus in the widget."""
        self.root.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def spans(self):
        """Read the spans off the page."""
        return self.root.locator("[data-span]").evaluate_all(
            "all => all.map(one => [one.dataset.span, one.dataset.label])"
        )

    def sent(self, kind="answer"):
        """Tell what the page has sent."""
        messages = self.page.evaluate("host.kernel.messages")
        return [message for message in messages if message["type"] == kind]

    def stored(self, example):
        return self.page.evaluate("(id) => host.kernel.find(id)", example)

    def become(self, state):
        self.page.evaluate("(state) => host.kernel.become(state)", state)

    def drag(self, first, last, *, start=0.5, end=0.5):
        """Drag from one token to another; 0 is a box's left edge and 1 its right one."""
        x0, y0 = self.point(first, start)
        x1, y1 = self.point(last, end)
        mouse = self.page.mouse
        mouse.move(x0, y0)
        mouse.down()
        mouse.move((x0 + x1) / 2, (y0 + y1) / 2)
        mouse.move(x1, y1)
        mouse.up()

    def point(self, token, share):
        box = self.token(token).bounding_box()
        # Whole pixels: from some places in between Chromium begins no selection at all.
        return round(box["x"] + share * box["width"]), round(box["y"] + box["height"] / 2)


class Kernel:
    """A widget of Python's, and a page that speaks with it as with a kernel."""

    def __init__(self, page, widget, name, traits):
        self.page, self.widget, self.errors, self.asked = page, widget, [], []
        self._out = []
        widget.send = lambda message, buffers=None: self._out.append(message)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.expose_function("ask", self._answer)
        worlds.serve(page)
        page.goto(f"{worlds.ORIGIN}kernel")
        page.wait_for_selector("html[data-ready]")
        self.name, self.traits = name, traits

    def start(self, theme=""):
        state = self.widget.get_state(key=[*self.traits, "_setup", "_snapshot"])
        self.page.evaluate(
            "([name, state, theme]) => host.start(name, state, theme)", [self.name, state, theme]
        )
        return self

    def tell(self):
        """Pass on what code has made the widget say."""
        out, self._out[:] = list(self._out), []
        self.page.evaluate("(messages) => host.model.tell(messages)", out)

    @property
    def root(self):
        return self.page.locator("[data-nbner]").first

    def _answer(self, message):
        self.asked.append(message)
        self._out.clear()
        reply = self.widget.receive(message)
        return [*self._out, *([reply] if reply else [])]


@pytest.fixture
def kernel(context):
    """Give the way to open a page on a widget; no request may leave it, and no error be in it."""
    opened = []

    def start(widget, name, traits, theme=""):
        opened.append(Kernel(context.new_page(), widget, name, traits))
        return opened[-1].start(theme)

    yield start
    assert [error for one in opened for error in one.errors] == []


@pytest.fixture
def world():
    return worlds


@pytest.fixture(scope="session")
def window(new_pages):
    return new_pages(viewport={"width": 1000, "height": 800})


@pytest.fixture
def context(window):
    """Give what opens pages; after the test nothing of them is left."""
    yield window
    window.clear()


@pytest.fixture
def host(context):
    host = Host(context.new_page())
    yield host
    assert host.errors == []
    outside = [url for url in host.requests if not url.startswith((worlds.ORIGIN, "data:"))]
    assert outside == [], "no request leaves the page"
