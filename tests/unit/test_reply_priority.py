"""Background work stands still while a reply to a page is made."""

from __future__ import annotations

import threading

import pytest

from nbner._common import reply_priority
from nbner._common.reply_priority import ReplyPriority


def started(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def test_others_wait_until_the_reply_ends_and_the_reply_does_not(monkeypatch):
    monkeypatch.setattr(reply_priority, "MAX_WAIT", 60.0)
    replies, steps = ReplyPriority(), []
    replies.give_way()  # nobody replies

    def work():
        replies.give_way()
        steps.append("work")

    with replies.reply():
        thread = started(work)
        with replies.reply():
            # What makes a reply goes on, and so does the outer of two.
            replies.give_way()
        thread.join(0.05)
        assert thread.is_alive()
        steps.append("reply")
    thread.join(10)
    assert steps == ["reply", "work"]


def test_a_reply_that_waits_for_something_slow_does_not_stop_the_others(monkeypatch):
    monkeypatch.setattr(reply_priority, "MAX_WAIT", 0.01)
    replies = ReplyPriority()
    with replies.reply():
        thread = started(replies.give_way)
        thread.join(10)
        assert not thread.is_alive()


def test_a_reply_that_fails_ends_too(monkeypatch):
    monkeypatch.setattr(reply_priority, "MAX_WAIT", 60.0)
    replies = ReplyPriority()
    with pytest.raises(ZeroDivisionError), replies.reply():
        1 / 0  # noqa: B018
    thread = started(replies.give_way)
    thread.join(10)
    assert not thread.is_alive()
