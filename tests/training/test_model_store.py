"""Folders of models: named safely, one a run, and complete whenever the process dies."""

from __future__ import annotations

import json
import shutil
import threading
import warnings
from contextlib import closing
from types import SimpleNamespace

import pytest
from kills import killed_at_every_step

from nbner import Session, StoreError, TrainingError
from nbner._common.drafts import is_unlocked, remove_stale_drafts
from nbner.io.files import atomic_write
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base
from nbner.nlp.tokenizer_rules import TokenizerRule, add_rule
from nbner.store.store import Store
from nbner.training import background
from nbner.training.background import BackgroundRun, BackgroundTraining
from nbner.training.file_hashes import find_damage, hash_files
from nbner.training.model_folder import legacy_folder, model_folder
from nbner.training.model_store import ModelStore
from nbner.training.records import TrainingStoppedError
from nbner.training.run_folder import (
    MARKER,
    RECORD,
    Reservation,
    RunFolder,
    find_change,
    find_interrupted,
    read_record,
    settle_interrupted,
    write_record,
)


class Saved:
    """Writes some files, as a pipeline does."""

    def __init__(self, content="weights"):
        self.content = content

    def to_disk(self, path):
        path.mkdir(parents=True, exist_ok=True)
        for name in ("model", "meta.json"):
            (path / name).write_text(self.content)


# Names.

NAMES = (
    *("d", "Recipes", "a b", "a_b", "a/b", "..", ".", ".hidden", "con", "NUL.txt", "x" * 300),
    *("成分", "e\u0301", "\u00e9", "end.", "a-0123abcd", "~", "a\nb", "a\x00b", "\ud800"),
)


def test_every_dataset_has_a_folder_of_its_own_inside_of_the_stores(tmp_path):
    base = tmp_path / "y.models"
    folders = [model_folder(tmp_path / "y.db", name) for name in NAMES]
    assert all(one.parent == base for one in folders)
    assert len({one.name.casefold() for one in folders}) == len(NAMES)
    assert all(len(one.name.encode()) < 255 for one in folders)
    for one in folders:
        one.mkdir(parents=True)
        assert one.resolve().parent == base.resolve()


def test_a_plain_name_keeps_its_folder(tmp_path):
    assert model_folder(tmp_path / "y.db", "recipes") == tmp_path / "y.models" / "recipes"
    assert legacy_folder(tmp_path / "y.db", "a b") == tmp_path / "y.models" / "a_b"
    assert legacy_folder(tmp_path / "y.db", "..") is None


def test_every_store_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    server = "postgresql://{}@localhost:5432/{}"
    folders = {
        str(model_folder(store, "d").parent.relative_to(tmp_path))
        for store in (
            *("y.db", "y.sqlite", "y", "~/y.db", "sqlite:///z.db"),
            *(server.format("ann", "team"), server.format("ann", "other")),
        )
    }
    assert {"y.models", "y.sqlite-models", "y-models", "home/y.models", "z.models"} < folders
    assert len(folders) == 7
    assert model_folder(server.format("ann:secret", "team"), "d") == model_folder(
        server.format("bo", "team"), "d"
    )
    assert model_folder(":memory:", "d") is None


def test_on_a_file_system_without_case_another_spelling_has_another_folder(tmp_path, monkeypatch):
    (tmp_path / "y.models" / "recipes").mkdir(parents=True)
    monkeypatch.setattr("pathlib.Path.exists", lambda _: True)
    found = model_folder(tmp_path / "y.db", "Recipes")
    assert found.name.startswith("Recipes-")


# A run's folder.


def test_runs_at_once_get_different_folders(tmp_path):
    made, barrier = [], threading.Barrier(8)

    def reserve():
        barrier.wait()
        made.append(Reservation(tmp_path / "models"))

    threads = [threading.Thread(target=reserve) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(one.path.name for one in made) == [f"{n:04d}" for n in range(1, 9)]
    assert find_interrupted(tmp_path / "models") == []
    for one in made:
        one.close()
    assert list((tmp_path / "models").glob("*")) == []


def test_a_reserved_folder_takes_one_run_and_a_used_one_none(tmp_path):
    with Reservation(tmp_path / "m") as reserved:
        run = RunFolder(reserved.path)
        run.save_checkpoint(Saved(), 1)
        with pytest.raises(TrainingError, match="is there already"):
            RunFolder(reserved.path)
        run.remove()


def test_an_interrupt_leaves_no_folder(tmp_path):
    with pytest.raises(KeyboardInterrupt), Reservation(tmp_path / "m" / "d"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_was_finished_and_not_used_is_kept_and_named(tmp_path):
    reserved = Reservation(tmp_path / "m")

    def recorded_too_late():
        with reserved:
            finish(reserved.path)
            raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        recorded_too_late()
    assert find_interrupted(tmp_path / "m") == [reserved.path / "model-best"]
    settle_interrupted(reserved.path / "model-best")
    assert find_interrupted(tmp_path / "m") == []


def finish(path):
    run = RunFolder(path)
    run.save_checkpoint(Saved(), 1)
    run.save_checkpoint(Saved(), 2)
    run.finalize_best()
    run.write_record(SimpleNamespace(to_disk=lambda file: file.write_text("config")), {"f": 1})


def train_and_settle(folder):
    with Reservation(folder / "m") as reserved:
        finish(reserved.path)


def test_a_run_killed_at_any_step_is_whole_or_cleaned_at_the_next_start(tmp_path):
    outcomes = []
    for folder in killed_at_every_step(train_and_settle, tmp_path):
        named = find_interrupted(folder / "m")
        for model in named:
            assert {one.name: one.read_text() for one in model.iterdir()} == {
                "model": "weights",
                "meta.json": "weights",
            }
            assert not list(model.parent.glob("*.part"))
        settled = [one.parent for one in (folder / "m").glob(f"*/{RECORD}")]
        settled = [one for one in settled if not (one / MARKER).exists()]
        assert len(named) + len(settled) <= 1
        for one in settled:
            assert (one / "model-best" / "model").read_text() == "weights"
            assert read_record(one) == {"f": 1, "files": hash_files(one / "model-best")}
        outcomes.append((len(named), len(settled)))
        remove_stale_drafts(folder / "m")
        left = set((folder / "m").glob("*"))
        assert left == {one.parent for one in named} | set(settled)
        # A run of a living process is left alone, and the next one has its own folder.
        with Reservation(folder / "m") as reserved:
            assert not is_unlocked(reserved.path / MARKER)
            assert find_interrupted(folder / "m") == named
    assert {(0, 0), (1, 0), (0, 1)} <= set(outcomes)


def test_the_next_session_names_a_cut_off_run_and_can_use_it(trained_path, tmp_path):
    store = tmp_path / "nbner.db"
    Session("d", labels=["Action"], store=store).close()
    path = tmp_path / "nbner.models" / "d" / "0001"
    shutil.copytree(trained_path, path / "model-40")
    (path / "model-60.part").mkdir()
    (path / MARKER).touch()
    with pytest.warns(UserWarning, match="Training was cut off") as warned:
        session = Session("d", labels=["Action"], store=store)
    assert {one.filename for one in warned} == {__file__}
    with session:
        assert str(path / "model-40") in str(session.summary)
        assert sorted(one.name for one in path.iterdir()) == ["model-40", MARKER]
        session.model.use(path / "model-40")
        assert session.nlp.path == path / "model-40"
        assert "cut off" not in str(session.summary)
        assert list(session.model.runs["in_use"]) == [True]


# A model's other files.


def test_a_calibration_killed_at_any_step_is_the_old_or_the_new(tmp_path):
    def models(folder):
        return ModelStore(SimpleNamespace(name="d", runs=list), folder / "nbner.db")

    def save(value):
        entry = {"model": "m", "overall": value, "per_label": {}}
        return lambda folder: models(folder).save_calibration(entry)

    seen = set()
    for folder in killed_at_every_step(save(2.0), tmp_path, save(1.0)):
        (file,) = (folder / "nbner.models" / "d").glob("calibration-*.json")
        seen.add(json.loads(file.read_text())["overall"])
        models(folder)
        assert [one.name for one in file.parent.iterdir()] == [file.name]
    assert seen == {1.0, 2.0}


def test_a_tokenizer_killed_at_any_step_is_the_old_or_the_new(trained_path, tmp_path):
    rule = TokenizerRule("special case", "xY", ("x", "Y"))
    kept = tmp_path / "kept"
    kept.mkdir()
    nlp = load_base(trained_path)
    before = fingerprint(nlp)
    with closing(Store(kept / "nbner.db")) as store:
        path = ModelStore(store.dataset("d"), kept / "nbner.db").save_pipeline(nlp, {"number": 1})
        write_record(path.parent, {"number": 1})
    add_rule(nlp.tokenizer, rule)

    def save(folder):
        with closing(Store(folder / "nbner.db")) as store:
            ModelStore(store.dataset("d"), folder / "nbner.db").save_tokenizer(nlp)

    def prepare(folder):
        shutil.copytree(kept, folder, dirs_exist_ok=True)

    seen = []
    for folder in killed_at_every_step(save, tmp_path, prepare):
        with closing(Store(folder / "nbner.db")) as store, warnings.catch_warnings():
            warnings.simplefilter("error")
            dataset = store.dataset("d")
            models = ModelStore(dataset, folder / "nbner.db")
            found = models.latest()
            # Whichever it is, it is in use, and the records know it.
            assert found.path.is_relative_to(folder)
            assert find_change(found.path) is None
            (run,) = dataset.runs()
            assert run["fingerprint"] == fingerprint(found)
            assert (fingerprint(found) == before) != models.is_former(found.path, before)
        seen.append([token.text for token in found.tokenizer("xY")] == ["x", "Y"])
    # There are deaths before the file has changed, and between the file and its record.
    assert seen.count(False) > 1
    assert seen.count(True) > 1


def test_a_backup_killed_at_any_step_is_whole_or_absent(tmp_path):
    with closing(Store(tmp_path / "nbner.db")) as store:
        store.dataset("d").set_labels(["A"])

    def backup(folder):
        with closing(Store(tmp_path / "nbner.db")) as store:
            store.backup(folder / "copy.db")

    seen = set()
    for folder in killed_at_every_step(backup, tmp_path):
        exists = (folder / "copy.db").exists()
        seen.add(exists)
        if not exists:
            backup(folder)
        # The next file that is written there clears what the killed process has left.
        with atomic_write(folder / "other"):
            pass
        assert sorted(one.name for one in folder.iterdir()) == ["copy.db", "other"]
        with closing(Store(folder / "copy.db")) as store:
            assert store.dataset("d").labels == ("A",)
    assert seen == {False, True}


def test_damage_is_found_by_size_and_hash(tmp_path):
    Saved().to_disk(tmp_path / "m")
    files = hash_files(tmp_path / "m")
    assert find_damage(tmp_path / "m", files) is None
    (tmp_path / "m" / "model").write_text("weightz")
    assert find_damage(tmp_path / "m", files).endswith("model is not as it was saved")
    (tmp_path / "m" / "meta.json").unlink()
    assert find_damage(tmp_path / "m", {"meta.json": files["meta.json"]}).endswith("is missing")


def test_the_record_of_a_run_tells_what_has_changed_since(tmp_path):
    best = tmp_path / "model-best"
    Saved().to_disk(best)
    assert find_change(best) is None
    write_record(tmp_path, {"best": {"f": 0.25}})
    assert find_change(best) is None
    assert read_record(tmp_path)["best"] == {"f": 0.25}
    (best / "model").write_text("weightz")
    assert find_change(best).endswith("model is not as it was saved")
    (best / "model").write_text("weights")
    file = tmp_path / RECORD
    file.write_text(file.read_text().replace("0.25", "0.75"))
    with pytest.raises(ValueError, match="its checksum differs"):
        read_record(tmp_path)
    assert "its checksum differs" in find_change(best)
    # As the first versions wrote it.
    file.write_text('{"best": {"f": 0.25}}')
    assert find_change(best) is None


# In the background.


class EndedRun:
    """A run in another process that has ended with an error."""

    evaluations = ()

    def __init__(self):
        self.is_stopping = False
        self.ended = threading.Event()

    def stop(self):
        self.is_stopping = True

    def wait(self):
        self.ended.wait(10)
        raise TrainingStoppedError


def test_a_run_that_is_stopped_says_so():
    run = EndedRun()
    training = BackgroundTraining(run, run.wait)
    assert training.state == "running"
    training.stop()
    assert training.state == "stopping"
    assert "is being stopped" in repr(training)
    run.ended.set()
    with pytest.raises(TrainingError, match="stopped before its first evaluation"):
        training.wait(10)
    assert training.state == "stopped"
    assert repr(training).startswith("Stopped by hand")


def test_an_interrupt_at_the_start_of_a_run_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    made = []
    monkeypatch.setattr(background.subprocess_job, "start_job", interrupted)
    monkeypatch.setattr(
        background.tempfile, "mkdtemp", lambda **_: made.append(tmp_path / "job") or made[0]
    )
    (tmp_path / "job").mkdir()
    with pytest.raises(KeyboardInterrupt), Reservation(tmp_path / "m") as reserved:
        BackgroundRun(
            load_base("blank:en"), [], [], labels=["A"], output=reserved.path, seed=0, options={}
        )
    assert list(tmp_path.iterdir()) == []
