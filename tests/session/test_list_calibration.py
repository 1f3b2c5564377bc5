"""A temperature of the states through a session: kept with the model, used by lists alone."""

from __future__ import annotations

import warnings
from functools import partial

import matplotlib as mpl
import pytest

import nbner
from nbner import DataError, ModelError, Session
from nbner.decoding.api import parses
from nbner.nlp.calibration_meta import load_list_temperature, load_temperatures

mpl.use("Agg")
CORPUS = nbner.sample()
TEXTS = [one.text for one in CORPUS.dev[:6]]


@pytest.fixture(scope="module")
def path(cooking):
    return min(cooking[1].with_suffix(".models").glob("*/*/model-best"))


def open_session(path, folder):
    return Session("own", labels=CORPUS.labels, store=folder / "own.db", model=path)


@pytest.fixture(scope="module")
def world(path, tmp_path_factory):
    """Fit a temperature in one session, and give the report and what the session said."""
    folder = tmp_path_factory.mktemp("lists")
    with open_session(path, folder) as session:
        session.add(CORPUS.dev[:60], split="dev")
        with pytest.raises(ModelError, match=r"session\.model\.calibrate_lists\(\)"):
            session.parses(TEXTS[0], decoder="exact_calibrated")
        plain = session.parses(TEXTS, 4)
        report = session.model.calibrate_lists()
        assert session.parses(TEXTS, 4) == plain
        curve = session.oracle_curve((1, 4), progress=False)
        yield session, report, curve, folder


def test_lists_are_those_at_the_fitted_temperature(world):
    session, report, _, _ = world
    assert report.temperature != 1
    expected = parses(session.nlp, TEXTS, 8, temperature=report.temperature)
    found = session.parses(TEXTS, 8, decoder="exact_calibrated")
    assert found == [list(one) for one in expected]
    assert found != session.parses(TEXTS, 8)
    assert report.plot().get_xlabel() == "temperature of the states"
    assert "<svg" in report.to_html()
    assert report.summary in str(report)


def test_the_study_shows_its_effect(world):
    _, _, curve, _ = world
    frame = curve.frame.set_index(["decoder", "width"])["oracle_f"]
    rows = curve.decoder_frame.query("difference == 'temperature'").set_index("width")["gain"]
    for width in (1, 4):
        gain = frame["exact_calibrated", width] - frame["exact", width]
        assert rows[width] == pytest.approx(gain)
    assert f"temperature of the states is worth {100 * rows[4]:+.1f} F" in curve.summary
    assert "exact, calibrated: best in list" in [one.get_text() for one in curve.plot().texts]


def test_it_is_kept_beside_the_model_and_apart_from_the_calibration_of_spans(world, path):
    _, report, _, folder = world
    with open_session(path, folder) as again:
        assert load_list_temperature(again.nlp) == report.temperature
        # Span probabilities were not calibrated.
        assert load_temperatures(again.nlp) is None
        own = again.model.calibrate(progress=False).temperature
        assert load_list_temperature(again.nlp) == report.temperature
    with open_session(path, folder) as again:
        assert load_temperatures(again.nlp)[0] == own
        assert again.model.calibrate_lists().temperature == report.temperature
        assert load_temperatures(again.nlp)[0] == own
        again.model.decide(progress=False)
        assert load_list_temperature(again.nlp) == report.temperature
        assert load_temperatures(again.nlp)[0] == own


def test_too_little_gold_of_the_models_labels_says_how_much_is_needed(path, tmp_path):
    with Session("strange", store=tmp_path / "own.db", model=path) as session:
        row = {"text": "Whisk the eggs .", "spans": [{"start": 0, "end": 5, "label": "Spell"}]}
        session.add([{**row, "answer": "accept"}], split="dev")
        with pytest.raises(DataError, match=r"0 gold spans .*1 text not") as caught:
            session.model.calibrate_lists()
    assert "until there are 30" in caught.value.remedy


def test_what_is_fitted_or_studied_on_learnt_texts_is_said(tmp_path):
    with Session("own", labels=CORPUS.labels, store=tmp_path / "own.db") as session:
        session.add(CORPUS.train[:60], split="train")
        session.add(CORPUS.dev[:40], split="dev")
        session.train(max_epochs=4, progress=False)
        model, experiments = session.model, session.experiments
        calls = {
            "figures are lower": partial(session.oracle_curve, (1, 2), progress=False),
            "the sets are too small": partial(experiments.coverage, 0.3, width=4, progress=False),
            "probabilities stay too sure": partial(model.calibrate, progress=False),
            "the temperature is too low": model.calibrate_lists,
            "another threshold may": partial(model.decide, progress=False),
        }
        for said, call in calls.items():
            name = "dev" if "sets" in said or "threshold" in said else "split"
            with pytest.warns(UserWarning, match=f"60 of 60 texts are among .*{said}") as caught:
                call(**{name: "train"})
            ours = [one for one in caught if "among" in str(one.message)]
            assert [one.filename for one in ours] == [__file__], "it names the caller's line"
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)
                call()
