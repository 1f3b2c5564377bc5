"""Opening stores: ours, nobody's, newer ones, and places where none can be."""

import os
import shutil
import sqlite3

import pytest

from nbner import StoreError
from nbner.store.store import Store


@pytest.fixture
def where(path):
    """Always a file: this is about files."""
    return path


def changed(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.fixture
def made(path, add, store):
    """A store with something in it, closed."""
    add(["Add", "Stir"])
    store.close()
    return path


def test_a_store_is_made_where_there_is_none_and_found_again(path):
    with_path, with_string = Store(path), Store(str(path))
    assert with_path.key == with_string.key
    assert len(with_path.key) == 32
    with_path.close()
    with_string.close()
    again = Store(f"sqlite:///{path}")
    assert again.key == with_path.key
    again.close()


def test_two_stores_have_two_keys(tmp_path):
    assert Store(tmp_path / "a.db").key != Store(tmp_path / "b.db").key
    assert Store(":memory:").key != Store(":memory:").key


def test_datasets_are_kept_apart_and_found_again(store, add):
    add(["Add"])
    other = store.dataset("other")
    add(["Stir"], to=other)
    assert [one.text for one in store.dataset("demo").examples()] == ["Add"]
    assert [one.text for one in store.dataset("other").examples()] == ["Stir"]
    assert store.datasets() == ("demo", "other")


@pytest.mark.parametrize("name", ["", "  ", None, 3])
def test_a_dataset_has_a_name(store, name):
    with pytest.raises(Exception, match="a dataset has a name"):
        store.dataset(name)


def test_odd_names_are_names(tmp_path):
    path = tmp_path / "ä ö?#%20 'q'.db"
    store = Store(path)
    dataset = store.dataset("x'; DROP TABLE nbner_examples; --")
    dataset.set_labels(["'", '"'])
    store.close()
    assert path.exists()
    assert Store(path).dataset("x'; DROP TABLE nbner_examples; --").labels == ("'", '"')


def test_it_is_kept_with_a_write_ahead_log_and_full_syncs(path, store):
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.parametrize(
    "content", [b"this is a diary", b"SQLite format 3\0 but no more", os.urandom(9000)]
)
def test_a_file_that_is_no_database_is_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a store of nbner"):
        Store(path)
    assert path.read_bytes() == content


def test_a_database_of_somebody_else_is_left_alone(path):
    changed(path, "CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a store of nbner"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "statement", ["UPDATE nbner_store SET schema_version = 99", "DELETE FROM nbner_store"]
)
def test_a_store_of_a_newer_version_is_left_alone(made, statement):
    changed(made, statement)
    before = made.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        Store(made)
    assert made.read_bytes() == before


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    assert Store(path).dataset("demo").counts().total == 0


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"no folder\. Make .*nowhere"):
        Store(tmp_path / "nowhere" / "a.db")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_store(tmp_path):
    with pytest.raises(StoreError, match="is a folder"):
        Store(tmp_path)


@pytest.mark.parametrize(
    "url",
    ["nosql://a/b", "sqlite://:bad", "sqlite://me@host/a.db", "postgresql+nodriver://a/b", "://"],
)
def test_an_address_that_cannot_be_is_refused(url):
    with pytest.raises(StoreError):
        Store(url)


def test_a_password_is_not_shown(tmp_path):
    with pytest.raises(StoreError) as caught:
        Store("mysql+nodriver://me:secret@host/base")
    assert "secret" not in str(caught.value)


def test_a_store_that_can_only_be_read_is_read_and_says_so_when_written(made, give):
    store = Store(f"sqlite:///file:{made}?mode=ro&uri=true")
    dataset = store.dataset("demo")
    first, _ = dataset.examples()
    with pytest.raises(StoreError, match="can be read but not written"):
        give(dataset, first)
    with pytest.raises(StoreError, match="can be read but not written"):
        store.dataset("new")
    assert dataset.counts().open == 2
    store.close()


def test_a_closed_store_says_so(store, dataset):
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        dataset.counts()


def test_a_closed_store_in_memory_does_not_come_back_empty():
    store = Store(":memory:")
    dataset = store.dataset("demo")
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        dataset.counts()


def test_a_store_that_was_deleted_says_so_and_loses_nothing_quietly(path, add, dataset, give):
    add(["Add"])
    (example,) = dataset.examples()
    path.unlink()
    with pytest.raises(StoreError, match="moved, replaced or deleted"):
        give(dataset, example)
    assert not path.exists()


def test_a_store_that_was_replaced_says_so(path, add, dataset, give, tmp_path):
    add(["Add"])
    (example,) = dataset.examples()
    shutil.copy(path, tmp_path / "copy.db")
    (tmp_path / "copy.db").replace(path)
    with pytest.raises(StoreError, match="moved, replaced or deleted"):
        give(dataset, example)


def test_another_folder_later_does_not_lead_to_another_file(tmp_path, monkeypatch, add):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    monkeypatch.chdir(tmp_path / "one")
    store = Store("a.db")
    dataset = store.dataset("demo")
    monkeypatch.chdir(tmp_path / "two")
    add(["Add"], to=dataset)
    store.close()
    assert list((tmp_path / "two").iterdir()) == []
    assert Store(tmp_path / "one" / "a.db").dataset("demo").counts().total == 1


def test_a_full_disk_is_said_in_plain_words(store, add, dataset):
    add(["Add"])
    with store._database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    store._database._engine.dispose()
    limit(store, pages + 2)
    with pytest.raises(StoreError, match="disk is full"):
        add([f"text {n} " * 50 for n in range(2000)])
    assert dataset.counts().total == 1


def limit(store, pages):
    """Let the database grow no further, as a full disk would."""
    from sqlalchemy import event

    @event.listens_for(store._database._engine, "connect")
    def _(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_busy_store_is_said_in_plain_words(path, add, dataset, give, monkeypatch):
    from nbner.store import database

    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    add(["Add"])
    (example,) = dataset.examples()
    impatient = Store(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"is busy.*Try again"):
        give(impatient.dataset("demo"), example)
    assert impatient.dataset("demo").counts().total == 1
    other.execute("ROLLBACK")
    assert give(impatient.dataset("demo"), example)
    other.close()
    impatient.close()


def test_a_damaged_store_is_said_in_plain_words(made):
    content = bytearray(made.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    made.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged|not a store"):
        Store(made).dataset("demo").counts()
