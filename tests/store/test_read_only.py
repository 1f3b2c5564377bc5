"""Stores where nothing can be written: they open, and every write says that it cannot."""

import gc
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import nbner
from nbner import StoreError
from nbner.store.store import Store

NOBODY = 65534
WRITES = "can be read but not written"


@pytest.fixture
def folder():
    """A folder that everybody can enter: pytest's own are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="nbner-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def nothing_may_be_written(folder):
    """Take away every right to write, as a read-only mount does; root has to be nobody then."""
    for one in folder.iterdir():
        one.chmod(0o444)
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def where(path):
    """Always a file: this is about files."""
    return path


@pytest.fixture
def closed(path, add, dataset, give, store):
    add(["Add", "Stir"])
    dataset.set_labels(["A"])
    give(dataset, next(dataset.examples()))
    store.close()
    return path


@pytest.fixture
def with_log(path, add, dataset, give, store, folder):
    """A store as a killed process leaves it: the latest answer is in the log alone."""
    add(["Add", "Stir"])
    give(dataset, next(dataset.examples()))
    copies = folder / "copies"
    copies.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", copies / f"store.db{suffix}")
    store.close()
    for one in folder.glob("store.db*"):
        one.unlink()
    for one in copies.iterdir():
        one.rename(folder / one.name)
    copies.rmdir()
    assert (folder / "store.db-wal").stat().st_size
    return path


@pytest.fixture
def with_index(with_log, folder):
    """The same, with the index of the log as it was."""
    with closing(sqlite3.connect(with_log)) as connection:
        connection.execute("SELECT count(*) FROM nbner_answers").fetchall()
        shutil.copy(f"{with_log}-shm", folder / "shm")
        shutil.copy(f"{with_log}-wal", folder / "wal")
    (folder / "shm").rename(folder / "store.db-shm")
    (folder / "wal").rename(folder / "store.db-wal")
    return with_log


@pytest.fixture
def older(closed):
    with closing(sqlite3.connect(closed)) as connection:
        connection.executescript(
            "ALTER TABLE nbner_examples DROP COLUMN created;"
            "ALTER TABLE nbner_answers DROP COLUMN stored;"
            "DROP TABLE nbner_claims; DROP TABLE nbner_settings;"
            "UPDATE nbner_store SET schema_version = 1;"
        )
    return closed


@pytest.mark.parametrize("kind", ["closed", "with_log", "with_index", "older"])
def test_it_is_read_exported_and_counted_and_says_that_it_cannot_be_written(
    request, kind, give, tmp_path, folder
):
    path = request.getfixturevalue(kind)
    before = {one.name: one.read_bytes() for one in folder.iterdir()}
    temporary = set(Path(tempfile.gettempdir()).glob("nbner-read-only-*"))
    with nothing_may_be_written(folder), closing(Store(path)) as store:
        dataset = store.dataset("demo")
        assert (dataset.counts().accept, dataset.counts().open) == (1, 1)
        assert [one.text for one in dataset.examples()] == ["Add", "Stir"]
        assert len(dataset.assignments.next_for("train", "ann", 5)) == 1
        assert all(check.ok for check in store.verify())
        first = next(dataset.examples())
        for write in (
            lambda: give(dataset, first),
            lambda: store.dataset("new"),
            lambda: dataset.set_labels(["X"]),
            lambda: dataset.undo_batch("x"),
            lambda: dataset.at(0.0).restore(),
            lambda: dataset.settings.set("a", 1),
            lambda: dataset.assignments.release_claims("ann"),
        ):
            with pytest.raises(StoreError, match=WRITES):
                write()
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == before
    store = dataset = write = None
    gc.collect()
    assert set(Path(tempfile.gettempdir()).glob("nbner-read-only-*")) <= temporary


def test_a_session_reads_exports_and_backs_up(closed, folder, tmp_path):
    export = Path(tempfile.mkdtemp(prefix="nbner-test-"))
    export.chmod(0o777)
    # What is imported late may be root's alone.
    with closing(nbner.Session("demo", labels=["A"], store=":memory:")) as session:
        session.add(["Add"])
        session.export(export / "first.jsonl")
        session.manual()._take_snapshot()
    with nothing_may_be_written(folder):
        session = nbner.Session("demo", store=closed, annotator="ann")
        assert session.counts().accept == 1
        session.export(export / "a.jsonl")
        session.store.backup(export / "copy.db")
        with pytest.raises(StoreError, match=WRITES):
            session.add(["more"])
        assert len(session.manual()._take_snapshot()["window"]) == 1
        session.close()
    with closing(Store(export / "copy.db")) as copy:
        assert copy.dataset("demo").counts().accept == 1
    assert len((export / "a.jsonl").read_text().splitlines()) == 2
    shutil.rmtree(export)


def test_where_there_is_no_store_none_can_be_made(folder, path):
    with (
        nothing_may_be_written(folder),
        pytest.raises(StoreError, match="Check the permissions"),
    ):
        Store(path)
