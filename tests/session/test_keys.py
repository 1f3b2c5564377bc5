"""Keys of one's own: their names, what is refused, and where they are kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nbner
from nbner.widgets.key_bindings import ACTS, bindings_from_json, parse_bindings

LABELS = ["Dish", "Tool", "note"]
KEY_MAP = Path(__file__).parents[2] / "js/src/annotator/model/keyMap.ts"


def test_the_page_has_the_same_acts():
    (body,) = re.findall(r"ACTS = \{(.*?)\n\}", KEY_MAP.read_text(encoding="utf-8"), re.DOTALL)
    found = {
        name: tuple(re.findall(r'"([^"]*)"', keys))
        for name, keys in re.findall(r"(\w+): \[(.*?)\]", body)
    }
    assert found == dict(ACTS)


@pytest.mark.parametrize(
    ("keys", "acts", "labels"),
    [
        ({"accept": "enter", "Dish": "d"}, {"accept": "Enter"}, {"Dish": "d"}),
        ({"Dish": "2", "Tool": "1"}, {}, {"Dish": "2", "Tool": "1"}),
        ({"accept": "x", "reject": "A"}, {"accept": "x", "reject": "a"}, {}),
        ({"undo": "y", "list": "ctrl+z"}, {"undo": "y", "list": "mod+z"}, {}),
        ({"reject": None, "Tool": None, "flag": "x"}, {"reject": "", "flag": "x"}, {"Tool": ""}),
        ({"note": "Space", "ignore": "F2"}, {"note": "Space", "ignore": "F2"}, {}),
        ({"label:note": "shift+1", "help": "del", "remove": "d"}, ..., {"note": "shift+1"}),
        ({"accept": "a"}, {"accept": "a"}, {}),
    ],
)
def test_keys_are_read(keys, acts, labels):
    found = parse_bindings(keys, LABELS)
    assert found.labels == labels
    assert acts in (..., found.acts)
    assert bindings_from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"accept": "x"}, "'x', the key for 'accept', is the key of 'reject'. Move that too"),
        ({"Dish": "2"}, "'2', the key for 'Dish', is the key of 'Tool'"),
        ({"accept": "d", "Dish": "D"}, "'d' is the key of both 'accept' and 'Dish'"),
        ({"accept": "ctrl+s"}, "'ctrl\\+s', the key for 'accept', is the key of 'save'"),
        ({"acept": "d"}, "'acept' is neither an act nor a label; the acts are: accept, reject,"),
        ({"Drink": "d"}, "'Drink' is neither an act nor a label.*the labels are: Dish, Tool"),
        ({3: "d"}, "3 is neither an act nor a label"),
        *(
            ({"accept": key}, "belongs to the browser or to JupyterLab")
            for key in ("ctrl+t", "ctrl+w", "f5", "Ctrl+R", "cmd+q", "alt+d", "alt+1", "F12")
        ),
        ({"accept": "shift+enter"}, "runs the cell in JupyterLab"),
        ({"accept": "ctrl+enter"}, "runs the cell in JupyterLab"),
        ({"accept": "tab"}, "is fixed"),
        ({"accept": "left"}, "is fixed"),
        ({"accept": "shift+d"}, "capital and small letters are one key"),
        ({"accept": "é"}, "is not the name of a key"),
        ({"accept": "enterr"}, "is not the name of a key"),
        ({"accept": "+"}, "is not the name of a key"),
        ({"accept": ""}, "the key of 'accept' is ''"),
        ({"accept": 1}, "the key of 'accept' is 1"),
        (["a"], "keys= takes a mapping"),
    ],
)
def test_what_cannot_be_a_key_is_refused_by_name(keys, message):
    with pytest.raises(nbner.DataError, match=message):
        parse_bindings(keys, LABELS)


def test_keys_are_kept_for_an_annotator(tmp_path):
    store = tmp_path / "n.db"
    chosen = {"accept": "enter", "Dish": "d"}

    def setup(annotator="ann", **options):
        with nbner.Session("d", store=store, annotator=annotator, **options) as session:
            session.add(["One."])
            found = session.manual()._setup
            return found["keys"], found["labelKeys"]

    assert setup(labels=LABELS, keys=chosen) == ({"accept": "Enter"}, {"Dish": "d"})
    assert setup() == ({"accept": "Enter"}, {"Dish": "d"})
    assert setup("ben") == ({}, {})
    with pytest.raises(nbner.DataError, match="belongs to the browser"):
        setup(labels=["Other"], keys={"accept": "ctrl+w"})
    assert setup() == ({"accept": "Enter"}, {"Dish": "d"})
    assert setup(keys={}) == ({}, {})


def test_what_another_version_has_stored_is_passed_over():
    stored = {"accept": "Enter", "dance": "d", "label:Dish": "k", "reject": 3}
    found = bindings_from_json(stored)
    assert (found.acts, found.labels) == ({"accept": "Enter"}, {"Dish": "k"})
    assert bindings_from_json(None).acts == {}
