"""Replies to a page go before the background work of the same process.

One thread of Python computes at a time. While a thread in the background computes, a
reply waits up to 5 ms (``sys.getswitchinterval``) each time that it comes back from the
database, thirty times an answer. So the background stops between its pieces, some
milliseconds each, while a reply is made.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds that one piece of work waits at most: a reply may itself wait for something slow,
#: or for a lock of the thread that gives way.
MAX_WAIT = 0.2


class ReplyPriority:
    """Lets background threads wait while a reply is made."""

    def __init__(self) -> None:
        self._ended = threading.Condition()
        self._replying: Counter[int] = Counter()

    @contextmanager
    def reply(self) -> Iterator[None]:
        """Make a reply: other threads that give way wait until its end."""
        own = threading.get_ident()
        with self._ended:
            self._replying[own] += 1
        try:
            yield
        finally:
            with self._ended:
                self._replying[own] -= 1
                self._replying += Counter()  # without those of 0
                self._ended.notify_all()

    def give_way(self) -> None:
        """Wait while another thread makes a reply, `MAX_WAIT` at most.

        To be called between pieces of work, holding no lock that a reply needs.
        """
        own = threading.get_ident()
        with self._ended:
            # What computes a reply is never in the background.
            if self._replying and own not in self._replying:
                self._ended.wait_for(lambda: not self._replying, MAX_WAIT)


#: That of this process: the interpreter's lock is one for all widgets and sessions.
REPLIES = ReplyPriority()
