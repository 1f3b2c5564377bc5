"""A label has one color in every widget, plot and report of a session."""

from __future__ import annotations

import re

import matplotlib as mpl
import pytest
import spacy
from matplotlib.colors import to_hex

import nbner
from nbner._common.colors import underline_of
from nbner.errors import DataError

mpl.use("Agg")

MARK = re.compile(
    r'background:(#\w{6})33;border-bottom:2px solid (#\w{6})">[^<]*<small[^>]*> ([\w ]+)'
)
PAGES = {
    "label issues": lambda s: s.quality.label_issues("dev", folds=0, progress=False),
    "differences": lambda s: s.experiments.differences(
        [{"text": one.text, "spans": []} for one in s.examples("dev")]
    ),
    "flips": lambda s: s.compare(s.nlp, rules(s), progress=False).span_changes,
    "errors": lambda s: s.errors(confidence=False, progress=False).errors,
}
PLOTS = {
    "evaluation": lambda s: s.evaluate("dev"),
    "progress": lambda s: s.quality.progress(),
    "span probabilities": lambda s: s.model.span_probabilities("Dice two onions in a pan."),
}


def rules(session):
    """Return another pipeline to compare with."""
    nlp = spacy.blank("en")
    patterns = [{"label": label, "pattern": "water"} for label in session.labels[:1]]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    return nlp


def pairs(colors):
    return {label: (str(one), underline_of(one)) for label, one in colors.items()}


@pytest.mark.parametrize("name", PAGES)
def test_marks_of_reports_have_the_colors_of_the_widget(cooking, name):
    session, _ = cooking
    setup = session.manual(split="dev")._setup
    shown = {
        label: (setup["colors"][label], setup["underlines"][label]) for label in session.labels
    }
    marks = MARK.findall(PAGES[name](session).to_html())
    found = {label.split(" 0")[0]: (tint, line) for tint, line, label in marks}
    assert len(found) > 1
    wrong = {label: pair for label, pair in found.items() if shown.get(label, pair) != pair}
    assert wrong == {}
    assert pairs(session.context.colors) == shown


@pytest.mark.parametrize("name", PLOTS)
def test_plots_draw_with_the_colors_of_the_session(cooking, name):
    session, _ = cooking
    result = PLOTS[name](session)
    assert pairs(result.colors) == pairs(session.context.colors)
    drawn = {to_hex(one.get_facecolor()) for one in result.plot().patches}
    lines = {to_hex(one.get_color()) for one in result.plot().lines}
    assert (drawn | lines) & {str(one) for one in session.context.colors.values()}


def test_colors_can_be_chosen(tmp_path):
    chosen = {"Dish": "#123456"}
    with nbner.Session("d", labels=["Tool", "Dish"], store=":memory:", colors=chosen) as session:
        session.add([{"text": "A soup", "spans": [{"start": 2, "end": 6, "label": "Dish"}]}])
        assert session.manual()._setup["colors"]["Dish"] == "#123456"
        assert session.manual()._setup["underlines"]["Dish"] == "#123456"
        assert "#123456" in session.summary._repr_html_()
    with pytest.raises(DataError, match="the color of 'Dish' is 'red'"):
        nbner.Session("d", store=":memory:", colors={"Dish": "red"})


def test_the_widget_names_the_model_by_its_time_and_its_f(cooking):
    session, _ = cooking
    (run,) = session.model.runs.tail(1).itertuples()
    named = session.make_gold(split="dev")._setup["sources"][run.fingerprint]
    assert re.fullmatch(
        rf"model of (\d\d \w+ )?\d\d:\d\d, F {run.f:.2f}".replace("0.", r"\."), named
    )
