"""Patterns in the widget: by hand, beside the model's suggestions, and what goes wrong."""

import pytest

import nbner
from nbner.errors import DataError, ModelError

TEXTS = ["Fry the onion in olive oil.", "Nothing here."]
PATTERNS = [
    {"label": "Food", "pattern": [{"lower": "olive"}, {"lower": "oil"}]},
    {"label": "Food", "pattern": "olive"},
]


@pytest.fixture
def session():
    with nbner.Session("d", labels=["Food"], store=":memory:", annotator="ann") as made:
        made.add(TEXTS)
        yield made


def shown(widget):
    return widget.get_state()["_snapshot"]["window"]


def test_by_hand_patterns_suggest_and_what_lost_is_on_offer(session):
    widget = session.manual(patterns=PATTERNS)
    task = shown(widget)[0]
    assert task["spans"] == [[4, 6, "Food", {"source": "patterns", "pattern": 1}]]
    assert task["also"] == [[4, 5, "Food", {"source": "patterns", "pattern": 2}]]
    assert (task["suggested"], task["by"]) == (True, "patterns")
    assert [TEXTS[0][s.start : s.end] for s in widget.current.spans] == ["olive oil"]
    assert widget.get_state()["_setup"]["mode"] == "manual"


def test_accepting_by_code_takes_what_is_marked_and_keeps_who_suggested_it(session):
    widget = session.make_gold(patterns=PATTERNS)
    assert widget.get_state()["_setup"]["mode"] == "make-gold"
    done = widget.answer("accept")
    assert [TEXTS[0][s.start : s.end] for s in done.spans] == ["olive oil"]
    [answer] = session.context.dataset.answers("train")
    assert answer.extra["suggested_by"] == "patterns"


def test_every_occurrence_keeps_the_suggestions_that_stand_there(session):
    session.add(["Olive oil and salt."])
    widget = session.make_gold(patterns=[*PATTERNS[:1], {"label": "Food", "pattern": "Olive"}])
    third = session.examples("train")[2].input_hash
    asked = {"label": "Food", "take": "label", "words": ["salt"], "cased": True, "want": 9}
    found = widget.receive({"type": "occurrences", "id": "o", "besides": "0", **asked})
    assert [place["problem"] for place in found["places"]] == [""]
    bulk = {"bulk": "b", "places": [[str(third), 3, 4]], "undo": False, "have": [str(third)]}
    done = widget.receive({"type": "bulk", "id": "b", **asked, **bulk})
    [task] = done["tasks"]
    assert [one[:3] for one in task["spans"]] == [[0, 2, "Food"], [3, 4, "Food"]]
    assert [one[3].get("source") for one in task["spans"]] == ["patterns", None]
    assert (task["suggested"], task["draft"]) == (True, True)
    undone = widget.receive({"type": "bulk", "id": "u", **asked, **bulk, "undo": True})
    assert (undone["count"], undone["tasks"][0]["draft"]) == (1, False)
    assert len(undone["tasks"][0]["also"]) == 1


def test_without_model_and_patterns_make_gold_says_what_to_do(session):
    with pytest.raises(ModelError, match=r"make_gold\(patterns=\.\.\.\)"):
        session.make_gold()


def test_a_bad_pattern_is_told_of_before_a_widget_is_made(session):
    with pytest.raises(DataError, match="the pipeline does not say"):
        session.manual(patterns=[{"label": "Food", "pattern": [{"pos": "NOUN"}]}])
    with pytest.raises(DataError, match="line 1, field 'label'"):
        session.make_gold(patterns=[{"label": "Tool", "pattern": "fork"}])
