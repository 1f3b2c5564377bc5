"""Drafts: a killed write leaves the old file or the new one, and nothing else for long."""

from __future__ import annotations

import os

import pytest
from kills import killed_at_every_step

from nbner import DataError
from nbner._common.drafts import DRAFT_PREFIX, draft_file, draft_folder, remove_stale_drafts
from nbner.io.files import atomic_folder, atomic_pair, atomic_write


def drafts(folder):
    return [one for one in folder.rglob("*") if one.name.startswith(DRAFT_PREFIX)]


def write_file(folder):
    with atomic_write(folder / "a.jsonl") as file:
        file.write(b"new")


def write_pair(folder):
    with atomic_pair(folder / "a.txt", folder / "a.ann") as (text, annotations):
        text.write(b"new")
        annotations.write(b"new")


def write_folder(folder):
    with atomic_folder(folder / "docs") as draft:
        for name in ("1.txt", "1.ann"):
            (draft / name).write_bytes(b"new")


def contents(folder):
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file() and not any(DRAFT_PREFIX in part for part in one.parts)
    }


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (write_file, ["a.jsonl"]),
        (write_folder, ["docs/1.txt", "docs/1.ann"]),
    ],
)
@pytest.mark.parametrize("exists", [False, True])
def test_a_write_killed_at_any_step_leaves_all_of_the_old_or_all_of_the_new(
    tmp_path, write, names, exists
):
    def prepare(folder):
        for name in names if exists else ():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(b"old")

    old = dict.fromkeys(names, b"old") if exists else {}
    new = dict.fromkeys(names, b"new")
    aside = {name.replace("docs/", ".nbner-before-docs/"): b"old" for name in names}
    seen = []
    for folder in killed_at_every_step(write, tmp_path, prepare):
        found = contents(folder)
        seen.append(found)
        # The old folder is whole, under its name or aside, until the new one is whole.
        assert found in (old, aside) or {name: found.get(name) for name in names} == new
        # The next write finds its way from there, and clears what was left.
        write(folder)
        assert contents(folder) == new
        assert drafts(folder) == []
    assert len(seen) >= 3
    assert old in seen
    assert new in seen


def test_an_old_annotation_never_lies_beside_a_new_text(tmp_path):
    def prepare(folder):
        (folder / "a.txt").write_bytes(b"old")
        (folder / "a.ann").write_bytes(b"old")

    for folder in killed_at_every_step(write_pair, tmp_path, prepare):
        assert contents(folder) in (
            {"a.txt": b"old", "a.ann": b"old"},
            {"a.txt": b"old"},
            {"a.txt": b"new"},
            {"a.txt": b"new", "a.ann": b"new"},
        )
        write_pair(folder)
        assert contents(folder) == {"a.txt": b"new", "a.ann": b"new"}
        assert drafts(folder) == []


def test_a_draft_that_is_being_written_stays(tmp_path):
    with draft_file(tmp_path / "a") as file, draft_folder(tmp_path) as folder:
        file.write(b"half")
        (folder / "half").write_bytes(b"half")
        assert remove_stale_drafts(tmp_path) == []
        with draft_file(tmp_path / "b") as other:
            other.write(b"whole")
        assert len(drafts(tmp_path)) == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "b"]


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    for write, name in ((write_file, "a.jsonl"), (write_folder, "docs/1.txt")):
        write(tmp_path)
        (tmp_path / name).write_bytes(b"old")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(DataError, match="No space left"):
                write(tmp_path)
        assert (tmp_path / name).read_bytes() == b"old"
    assert drafts(tmp_path) == []
