"""Damage to a model, its config, its reranker or its calibration never keeps the labels shut.

``NBNER_DAMAGES=500`` runs as many damages; by default there are some of each kind.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import warnings
from contextlib import closing

import pytest

from nbner import ModelError, Session, StoreError
from nbner._common import drafts
from nbner.nlp.calibration_meta import load_temperatures, save_temperatures
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base
from nbner.reranking.component import Reranker, add_reranker
from nbner.store.dataset import Dataset
from nbner.store.store import Store
from nbner.training import model_store
from nbner.training.run_folder import write_record

DAMAGES = int(os.environ.get("NBNER_DAMAGES", "24"))
TEXT = "Add 5 ml of water ."


def truncate(file, draw):
    content = file.read_bytes()
    file.write_bytes(content[: draw.randrange(max(1, len(content)))])


def empty(file, _):
    file.write_bytes(b"")


def garbage(file, draw):
    file.write_bytes(draw.randbytes(max(16, file.stat().st_size)))


def flip(file, draw):
    content = bytearray(file.read_bytes())
    for _ in range(max(1, len(content) // 200)):
        if content:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(bytes(content))


def missing(file, _):
    file.unlink()


def wrong_type(file, draw):
    file.write_text(draw.choice(["[]", "{}", "null", "3", '"text"', "[[1]]", '{"a": []}']))


def wrong_values(file, draw):
    """Put a value of another type at a key of a JSON file, or garbage where it is none."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        key = draw.choice(sorted(value)) if isinstance(value, dict) else None
    except (ValueError, IndexError):
        key = None
    if key is None:
        garbage(file, draw)
        return
    others = (None, [], {}, 3, "text", [[1]], {"a": 1})
    value[key] = draw.choice([one for one in others if one != value[key]])
    file.write_text(json.dumps(value), encoding="utf-8")


def a_folder(file, _):
    file.unlink()
    file.mkdir()


KINDS = (truncate, empty, garbage, flip, missing, wrong_type, wrong_values, a_folder)


@pytest.fixture(scope="module")
def world(trained_path, tmp_path_factory):
    """Give a store with three models: plain, with a reranker, and the same plain one calibrated."""
    folder = tmp_path_factory.mktemp("damaged")
    store = folder / "nbner.db"
    with Session("d", labels=["Action"], store=store) as session:
        session.add([{"text": TEXT, "answer": "accept", "spans": []}])
        models = session.context.model_store
        nlp = load_base(trained_path)
        first = models.save_pipeline(nlp, {"number": 1})
        models.save_calibration(save_temperatures(nlp, 1.5, {"Action": 1.2}))
        add_reranker(nlp, Reranker(nlp, "nbner_reranker", width=4)).weights = {"probability": 1.0}
        second = models.save_pipeline(nlp, {"reranker": {"width": 4}})
        models.save_calibration(save_temperatures(nlp, 2.5, {"Action": 2.2}))
        marks = fingerprint(load_base(first)), fingerprint(load_base(second))
    shutil.copytree(folder, folder.with_name("sound"))
    return store, (first, second), marks


@pytest.fixture(autouse=True)
def _restored(world):
    yield
    restore(world)


def restore(world):
    folder = world[0].parent
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("sound"), folder)


def files_of(world):
    """Return every file of the newest model, and its calibration."""
    store, (_, newest), (_, mark) = world
    inside = sorted(one for one in newest.rglob("*") if one.is_file())
    return [*inside, store.with_suffix(".models") / "d" / f"calibration-{mark}.json"]


def drawn_damages():
    """Draw (kind, number, with the record of the files or without, both models or the last)."""
    for seed in range(DAMAGES):
        draw = random.Random(seed)
        yield draw, KINDS[seed % len(KINDS)], seed // len(KINDS), seed % 3 != 0, seed % 5 == 0


def open_and_look(store):
    """Open the session, use it, and return what it says."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with Session("d", store=store) as session:
            assert [one.text for one in session.examples()] == [TEXT]
            if session.nlp.path:
                session.predict([TEXT])
            return {
                "mark": fingerprint(session.nlp),
                "summary": str(session.summary),
                "problems": set(session.model.runs["problem"]),
                "is_calibrated": load_temperatures(session.nlp) is not None,
                "said": len(said),
            }


def is_said(found, file, newest, mark, *, has_record):
    """Return whether the session says what it must of the damage of a file."""
    if file.is_relative_to(newest):
        if found["mark"] == mark:  # without a record of the files, a small change may load
            return not has_record
        # Which, why, and what is in use instead.
        is_listed = found["problems"] != {""} and str(newest) in found["summary"]
        return bool(found["said"]) and is_listed
    is_read = found["is_calibrated"] or not file.exists()
    return is_read or (bool(found["said"]) and "The calibration" in found["summary"])


@pytest.mark.timeout(36_000)
def test_a_session_opens_whatever_is_damaged(world, monkeypatch, capsys):
    store, (first, newest), marks = world
    shut, unsaid, before_used = [], [], 0
    for draw, damage, number, has_record, both in drawn_damages():
        files = files_of(world)
        file = files[number % len(files)] if DAMAGES > 40 else draw.choice(files)
        damage(file, draw)
        if both and file.is_relative_to(newest):
            damage(first / "meta.json", draw)
        what = f"{damage.__name__} of {file.name}, {has_record=}, {both=}"
        with monkeypatch.context() as patch:
            if not has_record:  # as earlier versions recorded a model
                patch.setattr(model_store, "find_damage", lambda *_: None)
            try:
                found = open_and_look(store)
            except Exception as error:  # noqa: BLE001 - counted, and shown below
                shut.append(f"{what}: {error!r}")
            else:
                before_used += found["mark"] == marks[0]
                if not is_said(found, file, newest, marks[1], has_record=has_record):
                    unsaid.append(what)
        restore(world)
    with capsys.disabled():
        print(f"\n{DAMAGES} damages: kept shut {len(shut)}, not said {len(unsaid)}, ", end="")  # noqa: T201
        print(f"the model before in use {before_used}")  # noqa: T201
    assert shut == []
    assert unsaid == []
    assert before_used


def test_training_starts_anew_beside_a_damaged_model(world):
    store, (_, newest), marks = world
    (newest / "config.cfg").write_text("")
    with pytest.warns(UserWarning, match="cannot be used"):
        session = Session("d", store=store)
    with session:
        assert fingerprint(session.nlp) == marks[0]
        assert "The last trained model" in session.summary._repr_html_()
        path = session.context.model_store.save_pipeline(session.nlp, {"number": 3})
        assert str(newest) not in str(session.summary)
        assert list(session.model.runs["problem"].astype(bool)) == [False, True, False]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Session("d", store=store) as session:
            assert session.nlp.path == path


def test_a_model_argument_that_is_damaged_names_the_way_out(world):
    _, (first, _), _ = world
    (first / "ner" / "model").write_bytes(b"\x00" * 50)
    with pytest.raises(ModelError, match='opens without it: model="blank:en"'):
        Session("other", model=first, store=":memory:")


def test_a_damaged_calibration_is_said_until_there_is_a_new_one(world):
    store, (_, _), (_, mark) = world
    file = store.with_suffix(".models") / "d" / f"calibration-{mark}.json"
    file.write_text(json.dumps({"model": mark, "overall": "warm", "per_label": {}}))
    with pytest.warns(UserWarning, match="'warm' is no temperature"):
        session = Session("d", store=store)
    with session:
        assert load_temperatures(session.nlp) is None
        assert "The calibration of the model in use cannot be read" in str(session.summary)


def swap_digit(file, digits, other):
    content = file.read_text(encoding="utf-8")
    assert digits in content
    file.write_text(content.replace(digits, other), encoding="utf-8")


def without_checksum(file):
    """Write a file as versions did that had no checksums."""
    entry = json.loads(file.read_text(encoding="utf-8"))
    del entry["checksum"]
    file.write_text(json.dumps(entry), encoding="utf-8")


def forget_hashes(store):
    """Turn the records of models into those of the first versions, which had no hashes."""
    with closing(Store(store)) as opened:
        dataset = opened.dataset("d")
        for run in dataset.runs():
            record = {key: value for key, value in run["record"].items() if key != "files"}
            dataset.set_run_record(run["id"], record)


@pytest.mark.parametrize(
    ("digits", "other"), [("2.5", "2.6"), ("Action", "Actiom"), ("checksum", "checksun")]
)
def test_a_calibration_that_has_changed_and_is_valid_is_not_used(world, digits, other):
    store, (_, _), (_, mark) = world
    file = store.with_suffix(".models") / "d" / f"calibration-{mark}.json"
    swap_digit(file, digits, other)
    with pytest.warns(UserWarning, match="it is not as it was saved") as warned:
        session = Session("d", store=store)
    assert {one.filename for one in warned} == {__file__}
    with session:
        assert load_temperatures(session.nlp) is None
        assert "The calibration of the model in use cannot be read" in str(session.summary)


def test_a_calibration_of_an_earlier_version_gets_a_checksum_as_it_is_opened(world):
    store, (_, _), (_, mark) = world
    file = store.with_suffix(".models") / "d" / f"calibration-{mark}.json"
    without_checksum(file)
    found = open_and_look(store)
    assert (found["said"], found["is_calibrated"]) == (0, True)
    swap_digit(file, "2.5", "2.6")
    assert not open_and_look(store)["is_calibrated"]


def test_a_reranker_that_has_changed_and_is_valid_is_not_used(world):
    """Also of a model that was recorded without hashes: the file has a checksum."""
    store, (_, newest), marks = world
    forget_hashes(store)
    swap_digit(newest / "nbner_reranker" / "reranker.json", "1.0", "1.5")
    found = open_and_look(store)
    assert found["mark"] == marks[0]
    assert any("reranker.json: it is not as it was saved" in one for one in found["problems"])


def test_a_model_without_hashes_and_checksums_is_said_to_have_changed(world):
    store, (_, newest), _ = world
    forget_hashes(store)
    file = newest / "nbner_reranker" / "reranker.json"
    without_checksum(file)
    swap_digit(file, "1.0", "1.5")
    for _ in range(2):  # what is not known to be right is not recorded as such
        found = open_and_look(store)
        assert found["said"] == 1
        assert "is not quite the one that was recorded" in found["summary"]
        assert any("is not quite the one" in one for one in found["problems"])
    with pytest.warns(UserWarning, match="not quite") as warned:
        session = Session("d", store=store)
    assert {one.filename for one in warned} == {__file__}
    with session:
        session.model.use(newest)
        assert "not quite" not in str(session.summary)
    assert open_and_look(store)["said"] == 0


def test_a_model_without_hashes_has_them_from_its_first_opening_on(world):
    store, (_, newest), marks = world
    forget_hashes(store)
    assert open_and_look(store)["said"] == 0
    # A file that no fingerprint covers.
    swap_digit(newest / "meta.json", '"version":"', '"version":"9')
    found = open_and_look(store)
    assert found["mark"] == marks[0]
    assert any("meta.json is not as it was saved" in one for one in found["problems"])


def test_a_store_that_cannot_be_written_opens_a_model_without_hashes(world, monkeypatch):
    store, (_, _), marks = world
    forget_hashes(store)

    def refuse(*_):
        raise StoreError("the store is open for reading")

    monkeypatch.setattr(Dataset, "set_run_record", refuse)
    found = open_and_look(store)
    assert (found["mark"], found["said"]) == (marks[1], 0)


def test_a_run_that_has_changed_since_its_training_is_said_as_it_comes_into_use(world):
    store, (_, newest), _ = world
    write_record(newest.parent, {"best": {"f": 0.5}})
    swap_digit(newest / "meta.json", '"version":"', '"version":"9')
    with pytest.warns(UserWarning, match="cannot be used"):
        session = Session("d", store=store)
    with session, pytest.warns(UserWarning, match=r"meta\.json is not as it was saved"):
        session.model.use(newest)


def test_a_calibration_is_replaced_as_a_whole(world, monkeypatch):
    store, _, (_, mark) = world
    file = store.with_suffix(".models") / "d" / f"calibration-{mark}.json"
    before = file.read_bytes()
    with Session("d", store=store) as session:
        models = session.context.model_store

        def full(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(drafts.os, "fsync", full)
        with pytest.raises(ModelError, match="No space left on device"):
            models.save_calibration({"model": mark, "overall": 3.0, "per_label": {}})
        with pytest.raises(ModelError, match="No space left on device"):
            models.save_pipeline(session.nlp, {})
        monkeypatch.undo()
        assert file.read_bytes() == before
        assert sorted(one.name for one in file.parent.iterdir() if one.is_dir()) == ["0001", "0002"]
