"""A session's look behind the model's first choice."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from pipeline_strategies import Kind, pipeline

import nbner
from nbner import Example, Parse, Session, Span
from nbner.decoding.parse_lists import ParseLists, Parses

mpl.use("Agg")

TEXT = "Add 5 ml of LB"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Folder of a pipeline with random weights."""
    folder = tmp_path_factory.mktemp("model")
    nlp = pipeline(Kind(seed=3))
    nlp.to_disk(folder, exclude=["nbner_test_sets_entities"])
    return folder


@pytest.fixture
def session(model):
    with Session("d", labels=["A", "B-x"], model=model, store=":memory:") as session:
        yield session
    plt.close("all")


@pytest.mark.parametrize("decoder", ["exact", "beam"])
def test_one_text_has_one_list_and_several_have_several(session, decoder):
    listed = session.parses(TEXT, k=5, decoder=decoder)
    assert [type(one) for one in listed] == [Parse] * 5
    assert [p.score for p in listed] == sorted((p.score for p in listed), reverse=True)
    both = session.parses([TEXT, "Add"], k=5, decoder=decoder)
    assert [one.spans for one in both[0]] == [one.spans for one in listed]
    assert len(both[1]) == 3
    frame = pd.DataFrame({"text": [TEXT, "Add"]})
    assert session.parses(frame, k=5, decoder=decoder, progress=True) == both


def test_a_list_shows_its_spans_in_the_text_and_their_probability():
    text = "Add <LB> broth"
    both = Parse(0.62, 3.0, (Span(0, 3, "Action"), Span(4, 14, "Reagent")))
    none = Parse(0.004, 1.0, ())
    listed = Parses([both, none], text, {"Reagent": "#56b4e9"})
    assert str(listed).splitlines() == [
        "2 analyses: the first has probability 0.62, all together 0.62",
        "  1   0.62  Action “Add”, Reagent “<LB> broth”",
        "  2  <0.01  no entity",
    ]
    assert repr(listed) == listed.summary == str(listed)
    assert listed == [both, none]
    assert list(listed.frame["spans"]) == ["Action “Add”, Reagent “<LB> broth”", "no entity"]
    shown = listed._repr_html_()
    assert "&lt;LB&gt; broth<small" in shown
    assert "<td>0.62</td>" in shown
    assert "background:#56b4e9" in shown
    one = Parses([both], text, {})
    assert str(one).startswith("1 analysis: the first has probability 0.62\n")
    assert str(ParseLists([one])).startswith("The best analyses of 1 text\n\nAdd")
    assert list(ParseLists([one, one]).frame["index"]) == [0, 1]
    assert str(ParseLists([])) == "The best analyses of 0 texts"
    assert len(ParseLists([]).frame) == 0
    other = Parses([none, both], text, {})
    # What the first does not have is framed.
    assert other._repr_html_().count("outline:") == 2
    assert "outline:" not in listed._repr_html_()


def test_eight_by_default_and_an_example_is_a_text(session):
    assert len(session.parses(TEXT)) == 8
    assert session.parses(Example(TEXT)) == session.parses(TEXT)


def test_spans_are_forced_and_forbidden(session):
    fixed = Span(0, 5, "A")
    listed = session.parses(TEXT, k=6, forced=[fixed], forbidden=[Span(12, 14, "A")])
    assert all(fixed in one.spans for one in listed)
    assert all(Span(12, 14, "A") not in one.spans for one in listed)
    with pytest.raises(nbner.DataError, match="both forced, and overlap"):
        session.parses(TEXT, forced=[fixed, Span(0, 3, "A")])
    for wrong in ({"source": [TEXT]}, {"source": TEXT, "decoder": "beam"}):
        with pytest.raises(nbner.DataError, match="one text at a time"):
            session.parses(**wrong, forced=[fixed])


def test_the_longest_entity_comes_from_the_data(session):
    with pytest.raises(nbner.DataError, match="no accepted example holds a span"):
        session.parses(TEXT, max_span_length="data")
    spans = [{"start": 0, "end": 5, "label": "A"}]
    session.add([{"text": TEXT, "spans": spans, "answer": "accept"}])
    assert session.parses(TEXT, 50, max_span_length="data") == session.parses(
        TEXT, 50, max_span_length=2
    )
    assert session.parses(TEXT, 50, max_span_length="data") != session.parses(TEXT, 50)


def test_probabilities_are_a_frame_of_spans_a_frame_of_tokens_and_a_picture(session):
    found = session.model.span_probabilities(TEXT)
    frame = found.frame
    assert list(frame.columns) == [
        *("start", "end", "token_start", "token_end", "text", "label", "probability")
    ]
    assert frame["probability"].is_monotonic_decreasing
    assert all(TEXT[row.start : row.end] == row.text for row in frame.itertuples())
    assert all(
        " ".join(TEXT.split()[row.token_start : row.token_end]) == row.text
        for row in frame.itertuples()
    )
    tokens = found.token_frame
    assert list(tokens.columns) == ["start", "end", "text", "A", "B-x", "O"]
    assert list(tokens["text"]) == TEXT.split()
    np.testing.assert_allclose(tokens[["A", "B-x", "O"]].sum(axis=1), 1.0)
    ax = found.plot()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == TEXT.split()
    assert "most doubtful" in ax.get_title(loc="left")
    assert found.plot(ax=ax) is ax


def test_a_span_and_a_list_agree(session):
    everything = session.parses(TEXT, k=5000)
    found = session.model.span_probabilities(TEXT)
    for row in found.frame.itertuples():
        span = Span(row.start, row.end, row.label)
        share = sum(one.probability for one in everything if span in one.spans)
        assert row.probability == pytest.approx(share, abs=1e-6)
    assert found.likely_spans == [(s, p) for s, p in found.probabilities.spans.items() if p > 0.5]


def test_labels_and_words_are_data(session):
    found = session.model.span_probabilities("<b> $x$ LB")
    html = found._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert f"in {len(found.probabilities.token_axis)} tokens" in str(found)
    found.plot().figure.canvas.draw()


def test_a_long_text_is_drawn_in_part(session):
    ax = session.model.span_probabilities(" ".join(["LB"] * 70), max_span_length=3).plot()
    assert ax.get_xlabel() == "the first 60 of 70 tokens"
    assert len(ax.get_xticklabels()) == 60


def test_bad_input_is_refused(session):
    for call in (session.parses, session.model.span_probabilities):
        with pytest.raises(nbner.DataError, match="the text is empty"):
            call("")
    with pytest.raises(nbner.DataError, match=r"line 2.*the text is empty"):
        session.parses([Example(TEXT), Example("")])
    with pytest.raises(nbner.DataError, match="k=0"):
        session.parses(TEXT, 0)
    with pytest.raises(nbner.DataError, match="no decoder"):
        session.parses(TEXT, decoder="greedy")
    assert [one.spans for one in session.parses("LB", 9, max_span_length=1)] == [
        one.spans for one in session.parses("LB", 9)
    ]


def test_an_untrained_model_says_so():
    with Session("d", labels=["A"], store=":memory:") as session:
        for call in (session.parses, session.model.span_probabilities):
            with pytest.raises(nbner.ModelError, match="not been trained"):
                call(TEXT)
