"""A label that a session is opened without is hidden, and lost to nobody."""

from __future__ import annotations

import pytest

import nbner

TEXT = "Dice two onions."
GOLD = {
    "text": TEXT,
    "answer": "accept",
    "spans": [{"start": 0, "end": 4, "label": "Action"}, {"start": 9, "end": 15, "label": "Food"}],
}


@pytest.fixture
def reopened(tmp_path):
    store = tmp_path / "n.db"
    with nbner.Session("d", labels=["Action", "Food"], store=store) as session:
        session.add([GOLD])
    with pytest.warns(
        UserWarning, match=r"1 label of dataset 'd' left out of labels=: 'Food'"
    ) as warned:
        session = nbner.Session("d", labels=["Action"], store=store, annotator="ann")
    assert {one.filename for one in warned} == {__file__}
    with session:
        yield session, store


def test_opening_without_a_label_hides_it_here_and_keeps_it_for_everybody(reopened):
    session, store = reopened
    assert session.labels == ("Action",)
    assert session.manual()._setup["labels"] == ["Action"]
    assert [span.label for span in session.examples("train")[0].spans] == ["Action", "Food"]
    with nbner.Session("d", store=store) as other:
        assert other.labels == ("Action", "Food")


def test_gold_with_a_hidden_label_can_be_edited_and_is_named(reopened):
    session, _ = reopened
    (example,) = session.examples("train")
    widget = session.manual()
    done = widget.answer("accept", [(9, 15, "Food")], example=example)
    assert [span.label for span in done.spans] == ["Food"]
    with pytest.raises(nbner.DataError, match="'Drink' is not one of"):
        widget.answer("accept", [(9, 15, "Drink")], example=example)
    said = str(session.quality.data_warnings())
    assert "Food is not one of this session's labels, and 1 gold span bears it" in said


def test_a_hidden_label_that_is_added_again_is_shown(reopened):
    session, store = reopened
    session.add_labels(["Food", "Tool"])
    assert session.labels == ("Action", "Food", "Tool")
    with nbner.Session("d", store=store) as other:
        assert other.labels == ("Action", "Food", "Tool")
