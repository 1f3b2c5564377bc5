"""What a page is told is what the store holds; and names and times that cannot be stored."""

import time
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

import nbner
from nbner import DataError, NbnerError, StoreError


@pytest.fixture
def session():
    with closing(nbner.Session("d", labels=["A", "B"], store=":memory:", annotator="ann")) as one:
        one.add(["salt and water", "oil and water"])
        yield one


@pytest.fixture
def keys(session):
    return [str(one.input_hash) for one in session.examples()]


@pytest.fixture
def answer(keys):
    spans = [[0, 1, "A"]]
    return {"type": "answer", "id": "1", "example": keys[0], "answer": "accept", "spans": spans}


def test_an_answer_that_comes_again_is_told_what_is_stored_now(session, answer):
    widget = session.manual()
    before = time.time()
    time.sleep(0.002)
    assert widget.receive(answer)["answer"] == "accept"
    session.store.restore(before)
    reply = widget.receive(answer)
    (stored, _) = session.examples()
    assert (reply["type"], reply["answer"], reply["spans"]) == ("saved", stored.answer, [])
    assert reply["answer"] is None
    assert reply["counts"]["open"] == 2
    widget.receive({**answer, "id": "2", "answer": "reject", "spans": []})
    again = widget.receive(answer)
    assert (again["answer"], again["spans"]) == ("reject", [])


def test_an_id_of_an_answer_to_another_example_is_refused(session, keys, answer):
    widget = session.manual()
    widget.receive(answer)
    reply = widget.receive({**answer, "example": keys[1], "answer": "reject"})
    assert (reply["type"], reply["retry"]) == ("failed", False)
    assert "is that of an answer to another example" in reply["message"]
    assert session.examples()[1].answer is None


def test_a_batch_that_comes_again_after_its_undo_changes_nothing(session, keys):
    widget = session.manual()
    places = [[key, 0, 1] for key in keys]
    bulk = {"type": "bulk", "id": "1", "bulk": "b", "label": "A", "take": "label"}
    bulk |= {"places": places, "have": keys}
    assert widget.receive(bulk)["count"] == 2
    assert widget.receive({**bulk, "undo": True})["count"] == 2
    reply = widget.receive(bulk)
    assert (reply["type"], reply["count"], reply["left"]) == ("applied", 0, 2)
    assert all(one.spans == () for one in session.examples())
    assert session.store.verify().ok


@pytest.mark.parametrize(
    "moment", [float("nan"), True, pd.NaT, "", "noon or so", None, 1.7e12, 1e300, -1e18]
)
def test_what_is_no_time_brings_nothing_back(session, answer, moment):
    session.manual().receive(answer)
    for call in (session.store.at, session.store.restore):
        with pytest.raises(DataError, match="is not a time"):
            call(moment)
    assert session.counts().accept == 1


def test_a_number_of_numpy_is_seconds_too(session, answer):
    session.manual().receive(answer)
    assert session.store.at(np.int64(time.time()) + 60).counts().accept == 1
    assert session.store.at(np.float32(0)).moment == 0


@pytest.mark.parametrize("moment", [1.7e12, -1e18, 1e18, 9.3e9])
def test_a_time_that_no_frame_can_hold_is_refused_with_its_row(session, moment, tmp_path):
    rows = [{"text": "a", "answer": "accept", "spans": [], "_timestamp": moment}]
    with pytest.raises(DataError, match=r"_timestamp.*1678 to 2261.*divided by 1000"):
        session.add(rows)
    report = session.add([*rows, {"text": "b"}], on_error="skip")
    assert (report.added, report.skipped) == (1, 1)
    # A store of before holds them: everything can be read and exported all the same.
    session.manual().answer("accept")
    with session.context.store._database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE nbner_answers SET created = {moment}")
    assert session.answers()["created"].isna().all()
    assert len(session.store.history(session.examples()[0])) == 1
    for name in ("a.jsonl", "a.json", "a.csv"):
        assert session.export(tmp_path / name).written == 3
    assert session.quality.progress().frame is not None


@pytest.mark.parametrize("name", [3, " ", "a\0b", "\ud800", b"ann", ["ann"]])
def test_an_annotators_name_is_a_text(name):
    with pytest.raises(DataError, match="is not the name of an annotator"):
        nbner.Session("d", store=":memory:", annotator=name)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_datasets_name_can_be_stored(name):
    with pytest.raises(DataError, match="no database can hold"):
        nbner.Session(name, store=":memory:")


BAD_NAMES = ["x" * 300, "a\0b", "\ud800"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=["long", "NUL", "surrogate"])
def test_a_path_that_cannot_be_is_said_in_plain_words(session, tmp_path, name):
    with pytest.raises(StoreError, match=r"cannot be opened|NUL|no file name can hold"):
        nbner.Session("d", store=f"{tmp_path}/{name}.db")
    with pytest.raises(StoreError, match=r"cannot be opened|NUL|no file name can hold"):
        session.store.backup(f"{tmp_path}/{name}.db")
    for suffix in (".jsonl", ".csv", ".spacy", ".conll", ".ann", ""):
        with pytest.raises(NbnerError, match=r"cannot be written|no file name can have"):
            session.export(f"{tmp_path}/{name}{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [3, None, b"a.db", ["a.db"]])
def test_a_place_that_is_none_is_refused(place):
    with pytest.raises(StoreError, match="is not a place for a store"):
        nbner.Session("d", store=place)


@pytest.mark.parametrize("name", ["a?b.db", "100%.db", "a%20b#c.db", f"{'x' * 240}.db"])
def test_copies_may_have_any_name(session, postgres_server, tmp_path, name):
    with closing(nbner.Session("d", store=session.store.backup(tmp_path / name))) as copy:
        assert copy.counts().total == 2
    (tmp_path / name).unlink()
    with closing(nbner.Session("d", store=postgres_server.place())) as other:
        other.add(["salt"])
        other.store.backup(tmp_path / name)
    assert name in [one.name for one in tmp_path.iterdir()]
    with closing(nbner.Session("d", store=tmp_path / name)) as copy:
        assert copy.counts().total == 1
