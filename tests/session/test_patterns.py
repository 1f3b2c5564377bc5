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
    [answer] = session._dataset.answers("train")
    assert answer.extra["suggested_by"] == "patterns"


def test_without_model_and_patterns_make_gold_says_what_to_do(session):
    with pytest.raises(ModelError, match=r"make_gold\(patterns=\.\.\.\)"):
        session.make_gold()


def test_a_bad_pattern_is_told_of_before_a_widget_is_made(session):
    with pytest.raises(DataError, match="the pipeline does not say"):
        session.manual(patterns=[{"label": "Food", "pattern": [{"pos": "NOUN"}]}])
    with pytest.raises(DataError, match="line 1, field 'label'"):
        session.make_gold(patterns=[{"label": "Tool", "pattern": "fork"}])
