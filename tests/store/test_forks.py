"""Forked processes: what a child is told is stored is in the store, whatever the parent does."""

import os
import pickle
import sqlite3
import threading
import time

import pytest

from nbner import Answer, StoreError
from nbner.store import forks
from nbner.store.store import Store


def in_child(work):
    """Run a function in a forked process and return what it returned, or its StoreError."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - told to the parent
                result = f"{type(error).__name__}: {error}"
            os.write(writer, pickle.dumps(result))
        finally:
            os._exit(0)
    os.close(writer)
    return process, reader


def told(child):
    process, reader = child
    with os.fdopen(reader, "rb") as file:
        content = file.read()
    os.waitpid(process, 0)
    return pickle.loads(content)


sqlite_only = pytest.mark.parametrize("where", ["sqlite"], indirect=True)


@pytest.fixture
def full(add, dataset):
    add([f"text {n}" for n in range(10)])
    return dataset


def answers(dataset, examples, name):
    return [
        dataset.record(Answer(f"{name} {n}", one.input_hash, "train", name, "accept"))
        for n, one in enumerate(examples)
    ]


@pytest.mark.parametrize("kind", ["inherited", "own"])
def test_a_forked_child_loses_nothing_when_its_parent_closes(where, store, full, kind):
    examples = list(full.examples())
    ready, go = os.pipe(), os.pipe()

    def work():
        mine = full if kind == "inherited" else Store(where).dataset("demo")
        assert mine.counts().total == 10
        os.write(ready[1], b"1")
        os.read(go[0], 1)
        return answers(mine, examples, "child")

    child = in_child(work)
    os.read(ready[0], 1)
    store.close()
    os.write(go[1], b"1")
    assert told(child) == [True] * 10
    with_store = Store(where)
    assert with_store.dataset("demo").counts().accept == 10
    assert all(check.ok for check in with_store.verify())
    with_store.close()


def test_parent_and_children_answer_at_once(where, full, store):
    examples = list(full.examples())
    children = [in_child(lambda name=name: answers(full, examples, name)) for name in ("a", "b")]
    own = answers(full, examples, "parent")
    assert [told(one) for one in children] == [[True] * 10] * 2
    assert own == [True] * 10
    assert len(list(full.answers())) == 30
    assert all(check.ok for check in store.verify())


def test_a_fork_waits_for_the_transactions_of_other_threads(store, full, give):
    (example, *_) = full.examples()
    inside, forked = threading.Event(), []

    def hold():
        with store._database.writing() as connection:
            connection.exec_driver_sql("UPDATE nbner_splits SET total = total")
            inside.set()
            end = time.monotonic() + 20
            while not forks._state.is_forking:
                assert time.monotonic() < end, "nobody forks"
                time.sleep(0.005)
            # Long enough for a fork that does not wait.
            time.sleep(0.2)
            forked.append(bool(children))

    children = []
    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    children.append(in_child(lambda: give(full, example, by="child")))
    thread.join()
    assert forked == [False]
    assert told(children[0]) is True
    assert full.counts().accept == 1


@sqlite_only
def test_a_child_refuses_a_file_whose_transaction_it_inherited(
    path, store, full, give, monkeypatch
):
    monkeypatch.setattr(forks, "PATIENCE", 0.05)
    (example, *_) = full.examples()

    def both():
        said = []
        for work in (lambda: give(full, example), lambda: Store(path)):
            with pytest.raises(StoreError) as caught:
                work()
            said.append(str(caught.value))
        return said

    inside, done = threading.Event(), threading.Event()

    def hold():
        with store._database.writing():
            inside.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    child = in_child(both)
    said = told(child)
    done.set()
    thread.join()
    assert len(said) == 2
    assert all("in the middle of a transaction" in one for one in said)
    # The parent goes on.
    assert give(full, example)


@pytest.mark.parametrize("where", ["postgresql"], indirect=True)
def test_a_child_of_a_transaction_on_a_server_has_a_connection_of_its_own(
    store, full, give, monkeypatch
):
    """The server keeps the locks, so the child needs neither to wait nor to refuse."""
    monkeypatch.setattr(forks, "PATIENCE", 0.05)
    first, second, *_ = full.examples()

    def backend():
        with store._database.reading() as connection:
            return connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()

    def both():
        return backend(), give(full, first, by="child")

    inside, done = threading.Event(), threading.Event()
    parents = []

    def hold():
        with store._database.writing() as connection:
            parents.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())
            inside.set()
            done.wait()
            connection.exec_driver_sql("UPDATE nbner_splits SET total = total")

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    child, is_stored = told(in_child(both))
    done.set()
    thread.join()
    assert is_stored is True
    # The child's connection is new, and the parent's transaction has ended as it should.
    assert child not in {*parents, backend()}
    assert give(full, second)
    assert full.counts().accept == 2
    assert all(check.ok for check in store.verify())


def test_a_copy_of_a_store_in_memory_is_read_and_not_written(add, give):
    store = Store(":memory:")
    dataset = store.dataset("demo")
    add(["Add"], to=dataset)
    (example,) = dataset.examples()
    assert told(in_child(lambda: dataset.counts().total)) == 1
    assert "is in the memory of another process" in told(in_child(lambda: give(dataset, example)))
    assert give(dataset, example)


def test_a_fork_without_pythons_hooks_is_noticed(store, full, monkeypatch):
    monkeypatch.setattr(forks._state, "pid", -1)
    with pytest.raises(StoreError, match="opened by another process"):
        full.counts()


def test_a_store_is_whole_after_a_child_that_only_inherited_it(path, store, full):
    """The child's end must not roll back or release what the parent holds."""
    told(in_child(lambda: None))
    assert full.counts().total == 10
    assert all(check.ok for check in store.verify())
    if not store._database.is_sqlite:
        return
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
