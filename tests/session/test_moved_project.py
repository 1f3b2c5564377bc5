"""A project's folder that is moved, renamed or copied keeps its models."""

from __future__ import annotations

import os
import shutil
import warnings
from types import SimpleNamespace

import pytest

from nbner import Session
from nbner.nlp.calibration_meta import load_temperatures, save_temperatures
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base
from nbner.nlp.tokenizer_rules import TokenizerRule
from nbner.reranking.component import Reranker, add_reranker
from nbner.session import learning
from nbner.store.dataset import Dataset
from nbner.training.file_hashes import FILES_KEY, hash_files
from nbner.training.model_places import PLACE_KEY, place_in, present_paths
from nbner.training.run_folder import MARKER

TEXT = "Add 5 ml of water ."


@pytest.fixture(scope="module")
def made(trained_path, tmp_path_factory):
    """Folder that a project was made in, and a copy: the folder is not there any more.

    It has a plain model, which is calibrated, one with a reranker, and the first
    again; and a dataset with a name that is no name of a folder.
    """
    folder = tmp_path_factory.mktemp("moved") / "project"
    folder.mkdir()
    with Session("d", labels=["Action"], store=folder / "nbner.db") as session:
        session.add([{"text": TEXT, "answer": "accept", "spans": []}])
        models = session.context.model_store
        nlp = load_base(trained_path)
        first = models.save_pipeline(nlp, {"number": 1})
        models.save_calibration(save_temperatures(nlp, 1.5, {"Action": 1.2}))
        add_reranker(nlp, Reranker(nlp, "nbner_reranker", width=4)).weights = {"probability": 1.0}
        models.save_pipeline(nlp, {"reranker": {"width": 4}})
        session.model.use(first)
    with Session("a b?", labels=["Action"], store=folder / "nbner.db") as session:
        session.context.model_store.save_pipeline(load_base(trained_path), {"number": 1})
    return folder, folder.rename(folder.with_name("kept"))


@pytest.fixture
def project(made):
    """That folder, where the project was made."""
    folder, kept = made
    shutil.copytree(kept, folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def opened(folder, name="d", *, file="nbner.db"):
    """Open a session without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Session(name, store=folder / file)


def check(folder, trained_path):
    """Check that every model is found in a folder, and the last one is in use."""
    models = folder / "nbner.models"
    with opened(folder) as session:
        assert session.nlp.path == models / "d" / "0001" / "model-best"
        assert fingerprint(session.nlp) == fingerprint(load_base(trained_path))
        assert load_temperatures(session.nlp) is not None
        assert session.context.model_store.notices == ()
        runs = session.model.runs
        places = [models / "d" / one / "model-best" for one in ("0001", "0002", "0001")]
        assert list(runs["path"]) == [str(one) for one in places]
        assert list(runs["exists"]) == [True, True, True]
        assert list(runs["in_use"]) == [False, False, True]
        assert [one.path.parent.name for one in session.context.model_store.previous(2)] == [
            *("0002", "0001")
        ]
        session.predict([TEXT])


def without_places(monkeypatch):
    """Make the records of runs those of the first versions."""
    runs = Dataset.runs

    def former(self, **options):
        return [
            {**one, "record": {k: v for k, v in one["record"].items() if k != PLACE_KEY}}
            for one in runs(self, **options)
        ]

    monkeypatch.setattr(Dataset, "runs", former)


@pytest.mark.parametrize("is_former", [False, True], ids=["with place", "of the first versions"])
def test_a_moved_project_finds_its_models(project, trained_path, tmp_path, monkeypatch, is_former):
    check(project, trained_path)
    if is_former:
        without_places(monkeypatch)
    new = tmp_path / "elsewhere" / "renamed"
    new.parent.mkdir()
    project.rename(new)
    check(new, trained_path)
    with opened(new, "a b?") as session:
        assert new in session.nlp.path.parents
    # The store and its models under another name.
    (new / "nbner.db").rename(new / "team.db")
    (new / "nbner.models").rename(new / "team.models")
    with opened(new, file="team.db") as session:
        assert session.nlp.path == new / "team.models" / "d" / "0001" / "model-best"


@pytest.mark.parametrize("is_former", [False, True], ids=["with place", "of the first versions"])
def test_a_copied_project_uses_its_own_models(
    project, trained_path, tmp_path, monkeypatch, is_former
):
    if is_former:
        without_places(monkeypatch)
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    check(copy, trained_path)
    check(project, trained_path)


def test_what_is_changed_in_a_copy_leaves_the_original(project, trained_path, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    before = hash_files(project / "nbner.models")
    with opened(copy) as session:
        session.quality.tokenization().apply(TokenizerRule("special case", "ml", ("m", "l")))
    assert hash_files(project / "nbner.models") == before
    with opened(copy) as session:
        assert [one.text for one in session.nlp.make_doc("5 ml")] == ["5", "m", "l"]
    # Damage to the copy does not lead to the original.
    (copy / "nbner.models" / "d" / "0002" / "model-best" / "ner" / "model").write_bytes(b"x")
    with opened(copy) as session:
        assert [one.path.parent.name for one in session.context.model_store.previous(2)] == ["0001"]


def test_a_store_copied_without_its_models_tells_them_from_new_ones(
    project, trained_path, tmp_path
):
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(project / "nbner.db", copy)
    with opened(copy) as session:
        assert session.nlp.path.is_relative_to(project)
        nlp = load_base(session.nlp.path)
        add_reranker(nlp, Reranker(nlp, "nbner_reranker", width=2)).weights = {"probability": 2.0}
        session.context.model_store.save_pipeline(nlp, {"reranker": {"width": 2}})
    with opened(copy) as session:
        assert session.nlp.path == copy / "nbner.models" / "d" / "0001" / "model-best"
        own = [one.startswith(str(copy)) for one in session.model.runs["path"]]
        assert own == [False, False, False, True]
        assert len(session.context.model_store.previous(3)) == 3


def test_a_model_used_from_elsewhere_keeps_its_path(project, trained_path, tmp_path):
    # The other project has a dataset of the same name, and a run of the same number.
    with opened(project) as session:
        nlp = session.nlp
    other = tmp_path / "other"
    with_reranker = load_base(nlp.path)
    add_reranker(with_reranker, Reranker(nlp, "nbner_reranker", width=3)).weights = {}
    elsewhere = other / "nbner.models" / "d" / "0001" / "model-best"
    elsewhere.parent.mkdir(parents=True)
    with_reranker.to_disk(elsewhere)
    with opened(project) as session:
        session.model.use(elsewhere)
    project.rename(tmp_path / "moved")
    with opened(tmp_path / "moved") as session:
        assert session.nlp.path == elsewhere
        assert session.model.runs["path"].iloc[-1] == str(elsewhere)
    elsewhere.parent.rename(other / "gone")
    with pytest.warns(UserWarning, match=r"is missing.*session\.model\.use\(path\)"):
        session = Session("d", store=tmp_path / "moved" / "nbner.db")
    with session:
        assert session.nlp.path.parent.name == "0001"


def test_a_moved_project_keeps_the_models_of_a_learner(project, trained_path, tmp_path):
    with opened(project) as session:
        learned = session.context.model_store.folder / "learned-1"
        shutil.copytree(trained_path, learned)
        record = {"learned": {"source": "model", "answers": 1, "newest_answer": 0.0}}
        model = fingerprint(load_base(learned))
        session.context.model_store.record_run(learned, model, record)
    moved = project.rename(tmp_path / "moved")
    with opened(moved) as session:
        folder = session.context.model_store.folder
        assert session.nlp.path == folder / "learned-1"
        shutil.copytree(trained_path, folder / "learned-2")
        for name in ("learned-1", "learned-2"):
            os.utime(folder / name, (0, 0))
        learning.Learning._remove_orphans(SimpleNamespace(_context=session.context))
        assert sorted(one.name for one in folder.glob("learned-*")) == ["learned-1"]


def test_a_moved_project_names_its_cut_off_run(project, trained_path, tmp_path):
    path = project / "nbner.models" / "d" / "0003"
    shutil.copytree(trained_path, path / "model-40")
    (path / MARKER).touch()
    moved = project.rename(tmp_path / "moved")
    with pytest.warns(UserWarning, match="Training was cut off"):
        session = Session("d", store=moved / "nbner.db")
    with session:
        session.model.use(moved / "nbner.models" / "d" / "0003" / "model-40")
    with opened(moved.rename(tmp_path / "again")) as session:
        assert session.nlp.path == tmp_path / "again/nbner.models/d/0003/model-40"


# Paths of other machines, and stores on a server.


def folder_of(path, content="weights"):
    path.mkdir(parents=True)
    (path / "model").write_text(content)
    return path


def run_at(path, fingerprint="f", **record):
    return {"path": str(path), "fingerprint": fingerprint, "record": record}


@pytest.mark.parametrize(
    "recorded",
    [
        r"C:\Users\ann\cooking\nbner.models\d\0001\model-best",
        r"\\server\share\nbner.models\d\0001\model-best",
        "/home/ann/d/nbner.models/d/0001/model-best",
        "/home/ann/nbner.db-models/d/0001/model-best",
        "/home/ann/x.models/d_old/y.models/d/0001/model-best",
    ],
)
def test_a_path_of_another_machine_is_read(tmp_path, recorded):
    here = folder_of(tmp_path / "nbner.models" / "d" / "0001" / "model-best")
    found = present_paths(
        [run_at(recorded, number=1)], [tmp_path / "nbner.models" / "d"], are_beside_store=True
    )
    assert found == [str(here)]


@pytest.mark.parametrize(
    "recorded", ["/home/ann/d/0001/model-best", "/home/ann/nbner.models/d", "/models/e/0001", ""]
)
def test_a_path_outside_of_a_folder_of_models_stays(tmp_path, recorded):
    folder_of(tmp_path / "nbner.models" / "d" / "0001" / "model-best")
    folder = tmp_path / "nbner.models" / "d"
    run = run_at(recorded, number=1)
    assert present_paths([run], [folder], are_beside_store=True) == [recorded]


@pytest.mark.parametrize("place", ["../e/0001", "/etc", "", 3, None, "0002"])
def test_a_place_that_is_none_in_the_folder_is_not_used(tmp_path, place):
    folder = tmp_path / "nbner.models" / "d"
    folder_of(folder / "0001")
    folder_of(tmp_path / "nbner.models" / "e" / "0001")
    run = run_at("/gone/nbner.models/d/0001", **{PLACE_KEY: place})
    assert present_paths([run], [folder], are_beside_store=True) == ["/gone/nbner.models/d/0001"]


def test_a_store_on_a_server_takes_another_place_for_the_same_files_alone(tmp_path):
    mine, theirs = tmp_path / "ann" / "team.models" / "d", tmp_path / "bo" / "team.models" / "d"
    files = hash_files(folder_of(mine / "0001"))
    run = run_at(mine / "0001", **{FILES_KEY: files, PLACE_KEY: "0001"})

    def found():
        return present_paths([run], [theirs], are_beside_store=False)

    assert found() == [str(mine / "0001")]
    folder_of(theirs / "0001", "others")  # the other person's own run of that number
    assert found() == [str(mine / "0001")]
    shutil.rmtree(mine)
    assert found() == [str(mine / "0001")]
    (theirs / "0001" / "model").write_text("weights")  # the same working directory, moved
    assert found() == [str(theirs / "0001")]
    folder_of(mine / "0001")
    assert found() == [str(mine / "0001")]


def test_a_place_is_inside_of_the_folder(tmp_path):
    folder = tmp_path / "nbner.models" / "d"
    folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    assert place_in(folder, folder / "0001" / "model-best") == "0001/model-best"
    assert place_in(folder, tmp_path / "link" / "0001") == "0001"
    assert place_in(folder, folder) is None
    assert place_in(folder, tmp_path / "e" / "0001") is None
    assert place_in(folder, folder / ".." / "e") is None
