"""Forks of the process: no connection to a SQLite file is open while one happens.

SQLite keeps, for each process, which locks it holds on a file. A forked child
would inherit that record without the locks, and the parent could delete the log
that the child writes to. Therefore a fork waits for the transactions of other
threads, and the idle connections are closed before it; parent and child open
their own afterwards. How SQLite loses data otherwise:
https://sqlite.org/howtocorrupt.html#_carrying_an_open_database_across_a_fork_
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from weakref import WeakSet

_LOG = logging.getLogger(__name__)

#: How long a fork waits for the transactions of other threads, in seconds.
PATIENCE = 30.0


class Forkable(Protocol):
    """Holder of connections to a database, which survives a fork."""

    transactions: Counter[int]

    def before_fork(self) -> None:
        """Close idle connections, unless the child may copy them."""

    def after_fork_in_child(self, *, is_open: bool) -> None:
        """Leave the inherited connections alone.

        Parameters
        ----------
        is_open : bool
            Whether a transaction was open during the fork.
        """


class _State:
    """Every open database, and the lock that a fork holds."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.databases: WeakSet[Any] = WeakSet()
        self.is_forking = False
        self.pid = os.getpid()


_state = _State()


def register(database: Forkable) -> None:
    """Have a database's connections renewed by every fork.

    Parameters
    ----------
    database : Forkable
        It is forgotten when nothing else refers to it.
    """
    with _state.condition:
        _state.databases.add(database)


@contextmanager
def transaction(database: Forkable) -> Iterator[None]:
    """Delay forks by other threads until the end of the block.

    Parameters
    ----------
    database : Forkable
        The database whose transaction the block is.
    """
    thread = threading.get_ident()
    with _state.condition:
        database.transactions[thread] += 1
    try:
        yield
    finally:
        with _state.condition:
            database.transactions[thread] -= 1
            if not database.transactions[thread]:
                del database.transactions[thread]
                _state.condition.notify_all()


def is_same_process() -> bool:
    """Return whether this is the process that the module's hooks know.

    False only after a fork by foreign code that does not run Python's hooks.
    """
    return os.getpid() == _state.pid


def _before() -> None:
    _state.condition.acquire()
    _state.is_forking = True
    if not _state.condition.wait_for(_no_other_transactions, PATIENCE):
        _LOG.debug("a fork did not wait for the end of a transaction")
    for database in list(_state.databases):
        database.before_fork()


def _no_other_transactions() -> bool:
    own = threading.get_ident()
    return not any(
        thread != own for database in _state.databases for thread in database.transactions
    )


def _after_in_parent() -> None:
    if _state.is_forking:
        _state.is_forking = False
        _state.condition.release()


def _after_in_child() -> None:
    # The other threads, which may have waited for the lock, do not exist in the child.
    _state.condition = threading.Condition()
    _state.is_forking = False
    _state.pid = os.getpid()
    for database in list(_state.databases):
        is_open = bool(database.transactions)
        database.transactions.clear()
        database.after_fork_in_child(is_open=is_open)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
