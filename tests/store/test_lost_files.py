"""Files that vanish under an open store: no answer is acknowledged that a new session misses."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from nbner import StoreError
from nbner.store.store import Store


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def where(path):
    """Always a file: this is about files."""
    return path


@pytest.fixture
def example(add, dataset):
    add(["Add", "Stir"])
    return next(dataset.examples())


def log_of(path):
    return Path(f"{path}-wal")


def replace_with_copy(path):
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


LOSSES = {
    "log deleted": (lambda path: log_of(path).unlink(), "lost its log"),
    "log replaced": (lambda path: replace_with_copy(log_of(path)), "lost its log"),
    "file deleted": (Path.unlink, "moved, replaced or deleted"),
    "file replaced": (replace_with_copy, "moved, replaced or deleted"),
    "folder renamed": (
        lambda path: path.parent.rename(path.parent.with_name("other")),
        "moved, replaced or deleted",
    ),
}


@pytest.mark.parametrize("when", ["before", "during"])
@pytest.mark.parametrize("loss", LOSSES)
def test_an_answer_is_refused_once_a_new_session_would_not_find_it(
    path, store, dataset, example, give, loss, when
):
    lose, words = LOSSES[loss]
    assert give(dataset, example, by="before")
    if when == "before":
        lose(path)
    else:

        @event.listens_for(store._database._engine, "commit")
        def _(_connection):
            lose(path)

    with pytest.raises(StoreError, match=words) as caught:
        give(dataset, example, by="ann")
    assert ("does not count as stored" in str(caught.value)) == (when == "during")
    # From then on everything is refused, so that nothing is mixed.
    with pytest.raises(StoreError, match=words):
        dataset.counts()


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_still_open_can_be_saved(path, tmp_path, store, dataset, example, give, loss):
    assert give(dataset, example, by="before")
    LOSSES[loss][0](path)
    with closing(Store(store.backup(tmp_path / "saved.db"))) as saved:
        assert [one.annotator for one in saved.dataset("demo").answers()] == ["before"]
        assert all(check.ok for check in saved.verify())


def test_a_second_session_of_the_process_does_not_mix_two_logs(path, dataset, example, give):
    give(dataset, example)
    log_of(path).unlink()
    with pytest.raises(StoreError, match="lost its log"):
        Store(path).dataset("demo").counts()


def test_a_folder_that_comes_back_goes_on(path, folder, dataset, example, give):
    folder.rename(folder.with_name("other"))
    with pytest.raises(StoreError):
        give(dataset, example)
    folder.with_name("other").rename(folder)
    assert give(dataset, example)


def test_a_log_that_sqlite_deleted_itself_is_no_loss(path, dataset, example, store, give):
    """With the last connection SQLite deletes the log, and the next one makes a new one."""
    store._database._engine.dispose()
    assert not log_of(path).exists()
    assert give(dataset, example)
    with closing(Store(path)) as other:
        assert other.dataset("demo").counts().accept == 1
    # Connections that were never closed, only forgotten.
    for _ in range(3):
        assert Store(path).dataset("demo").counts().accept == 1
    assert give(dataset, example)


def test_a_store_behind_a_link_has_its_log_beside_the_file(tmp_path, path, store, example, give):
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with closing(Store(link)) as linked:
        assert give(linked.dataset("demo"), example)
        link.unlink()
        with pytest.raises(StoreError, match="moved, replaced or deleted"):
            give(linked.dataset("demo"), example)
