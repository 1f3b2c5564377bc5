"""The line between page and kernel is cut, and a session has two widgets."""

from __future__ import annotations

import re

from playwright.sync_api import expect

import nbner

TEXTS = [f"Add {i} ml of LB broth." for i in range(1, 7)]


def source(name):
    return (
        "import nbner\n"
        f"session = nbner.Session('c', labels=['Reagent'], store='{name}.db')\n"
        f"session.add({TEXTS!r})\nsession.manual()"
    )


def stored(server, name):
    with nbner.Session("c", store=server.root / f"{name}.db") as session:
        return list(session.answers()["text"])


class Line:
    """The kernel's socket, on which a word can be lost on its way, in both directions."""

    def __init__(self, page):
        self.is_open = True
        page.route_web_socket(re.compile(r"/api/kernels/.*/channels"), self.connect)

    def connect(self, page_end):
        kernel_end = page_end.connect_to_server()
        page_end.on_message(lambda message: self.is_open and kernel_end.send(message))
        kernel_end.on_message(lambda message: self.is_open and page_end.send(message))


def test_what_was_lost_on_the_line_is_sent_when_the_page_wakes(lab, server, name):
    line = Line(lab.page)
    lab.open(server.write(f"{name}.ipynb", source(name)))
    lab.run(0)
    saving = lab.annotator.locator("[data-save]")
    lab.annotator.focus()
    lab.page.keyboard.press("a")
    expect(saving).to_have_attribute("data-save", "saved")
    line.is_open = False
    for key in "aa":
        lab.page.keyboard.press(key)
    expect(saving).to_have_attribute("data-save", "unsaved", timeout=20_000)
    expect(lab.annotator.get_by_role("status").first).to_contain_text(
        "2 answers are kept in this browser"
    )
    assert stored(server, name) == TEXTS[:1]
    line.is_open = True
    lab.page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(saving).to_have_attribute("data-save", "saved")
    assert stored(server, name) == TEXTS[:3]


def test_two_widgets_of_one_session_agree(lab, server, name):
    lab.open(server.write(f"{name}.ipynb", source(name), "session.manual()"))
    lab.run(0)
    lab.run(1)
    left, right = lab.annotator.first, lab.annotator.nth(1)
    expect(right).to_contain_text(TEXTS[0])
    left.focus()
    lab.page.keyboard.press("a")
    expect(right).to_contain_text(TEXTS[1])
    expect(right.get_by_text("1 of 6", exact=True)).to_be_visible()
    right.focus()
    lab.page.keyboard.press("Backspace")
    expect(left).to_contain_text(TEXTS[0])
    expect(left.get_by_text("0 of 6", exact=True)).to_be_visible()


def test_what_is_shown_again_comes_without_script_and_style(lab, server, name):
    received = []
    lab.page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))),
    )
    lab.open(server.write(f"{name}.ipynb", source(name), "session.manual()"))
    lab.run(0)
    expect(lab.annotator.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert sum(received) > 150_000
    # The page's word that it has them has come before its answer.
    lab.annotator.focus()
    lab.page.keyboard.press("a")
    expect(lab.annotator.locator("[data-save]")).to_have_attribute("data-save", "saved")
    received.clear()
    lab.run(1)
    second = lab.page.locator("[data-nbner=annotator]").nth(1)
    expect(second.locator("[data-token]").first).to_be_visible()
    assert sum(received) < 60_000
    second.focus()
    lab.page.keyboard.press("a")
    expect(second.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert stored(server, name) == TEXTS[:2]
    # Another page of the same kernel has nothing yet, and gets all of it.
    lab.command("docmanager:save")
    other = lab.page.context.new_page()
    other.goto(lab.page.url)
    expect(other.locator("[data-nbner=annotator] [data-token]").first).to_be_visible(timeout=60_000)
