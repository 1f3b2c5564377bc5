"""Explaining a text through the session: gold, values, pictures, bad input."""

from __future__ import annotations

import re

import pytest

from nbner import DataError, ModelError, Session, Span
from nbner.teaching.trace.trace_viewer import TraceViewer

TEXT = "Whisk the eggs with a pinch of salt until pale."
GOLD = [(0, 5, "Action"), (10, 14, "Ingredient")]


@pytest.fixture(scope="module")
def trace(cooking):
    session, _ = cooking
    return session.explain(TEXT, GOLD)


def test_the_frame_says_what_was_decided(cooking, trace):
    session, _ = cooking
    assert isinstance(trace, TraceViewer)
    frame = trace.frame
    assert frame.groupby("step")["chosen"].sum().eq(1).all()
    assert frame.groupby("step")["probability"].sum().round(4).eq(1).all()
    assert frame["zero_cost"].notna().all()
    scores = session.model.action_scores(TEXT)
    assert tuple(frame[frame["chosen"]]["action"]) == scores.taken
    assert tuple(frame[frame["chosen"]]["word"]) == scores.axes["token"]
    beam = trace.beam_frame
    assert beam["step"].max() == len(trace.steps)
    assert beam[beam["step"] == 0]["spans"].tolist() == [[]]
    assert set(trace.gold) == {Span(*one) for one in GOLD}


def test_pictures_state_what_they_show(trace):
    ax = trace.plot()
    assert ax.get_title(loc="left").startswith(f"{len(trace.steps)} decisions, least sure at")
    bars = trace.plot(step=-1)
    assert trace.steps[-1].chosen.action in bars.get_title(loc="left")
    # A word is no mathematics.
    trace.plot(ax=ax).figure.canvas.draw()


def test_gold_comes_from_the_store_or_the_example(cooking):
    session, _ = cooking
    example = next(one for one in session.examples("dev") if one.spans)
    for asked in (example, example.text):
        assert session.explain(asked).gold == example.spans
    assert session.explain(example, []).gold == ()
    unknown = session.explain("Nobody has labelled this .")
    assert unknown.gold is None
    assert "no gold is known" in str(unknown)
    assert unknown.frame["cost"].isna().all()


def test_stored_gold_of_a_label_that_the_model_does_not_know_is_told_of(cooking, tmp_path):
    session, _ = cooking
    session.nlp.to_disk(tmp_path / "model")
    row = {"text": "A word .", "spans": [{"start": 2, "end": 6, "label": "New"}]}
    with Session("strange", model=tmp_path / "model", store=":memory:") as other:
        other.add([{**row, "answer": "accept"}])
        trace = other.explain("A word .")
    assert trace.gold is None
    assert "'New'" in str(trace)


@pytest.mark.parametrize(
    ("text", "gold", "says"),
    [
        ("", None, "the text is empty.* Give a sentence"),
        (" \n", None, "the text is empty"),
        ("word " * 301, None, r"301 tokens is too long.*text\[:1499\]"),
        (TEXT, [(10, 13, "Ingredient")], r"'egg' \(10 to 13\) does not begin.*'eggs': \(10, 14"),
        (TEXT, [(900, 903, "Ingredient")], "does not begin and end.*47 characters"),
        (TEXT, [(0, 5, "Planet")], "does not know the label 'Planet'.*it knows Action"),
        (TEXT, [(6, 14, "Ingredient"), (10, 14, "Action")], "overlap"),
        (TEXT, ["eggs"], "'eggs' is not a span"),
    ],
)
def test_bad_input_names_the_way_out(cooking, text, gold, says):
    session, _ = cooking
    with pytest.raises(DataError, match=re.compile(says, re.DOTALL)):
        session.explain(text, gold)


def test_widths_steps_and_models_that_are_not_there(cooking, trace):
    session, _ = cooking
    with pytest.raises(DataError, match="width=0"):
        session.explain(TEXT, width=0)
    with pytest.raises(DataError, match=f"there is no step 99.*0 to {len(trace.steps)}"):
        trace.step = 99
    trace.step = 3
    assert trace.step == 3
    with (
        Session("new", labels=["A"], store=":memory:") as untrained,
        pytest.raises(ModelError, match=r"session\.train\(\)"),
    ):
        untrained.explain(TEXT)


def test_a_saved_notebook_shows_the_trace_without_a_script(cooking):
    session, _ = cooking
    shown, *_ = [session.explain("Whisk <b>the</b> eggs .")._repr_mimebundle_()]
    data = shown[0] if isinstance(shown, tuple) else shown
    html = data["text/html"]
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "<script" not in html
    assert "Whisk" in html
    assert "also possible" in html
