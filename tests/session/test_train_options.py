"""`session.train` with overrides of the config, vectors, steps and dropout."""

from __future__ import annotations

import numpy as np
import pytest
import spacy

from nbner import Session, TrainingError

FOODS = ("fig", "plum", "pear", "bun", "leek", "nut", "kale", "soup")


@pytest.fixture
def session(tmp_path):
    rows = [
        {
            "text": f"Eat a {food} now",
            "spans": [{"start": 6, "end": 6 + len(food), "label": "Food"}],
            "answer": "accept",
        }
        for food in FOODS
    ]
    with Session("food", store=tmp_path / "a.db") as session:
        session.add(rows[:6])
        session.add(rows[6:], split="dev")
        yield session


@pytest.fixture
def vectors(tmp_path):
    nlp = spacy.blank("en")
    for i, food in enumerate(FOODS):
        nlp.vocab.set_vector(food, np.full(4, i + 1.0, dtype="float32"))
    nlp.to_disk(tmp_path / "vectors")
    return tmp_path / "vectors"


@pytest.mark.parametrize("background", [False, True])
def test_the_saved_config_has_what_was_set(session, vectors, tmp_path, background):
    cfg = tmp_path / "mine.cfg"
    cfg.write_text(
        "[training]\ndropout = 0.5\neval_frequency = 2\nseed = 9\n\n[training.optimizer]\n"
        "learn_rate = 0.003\n",
        encoding="utf-8",
    )
    report = session.train(
        config=cfg,
        vectors=vectors,
        max_steps=4,
        dropout=0.25,
        progress=False,
        background=background,
    )
    report = report.wait(120) if background else report
    config = spacy.util.load_config(report.path.parent / "config.cfg")
    training = config["training"]
    assert (training["dropout"], training["max_steps"]) == (0.25, 4)
    assert training["eval_frequency"] == 2
    assert training["optimizer"]["learn_rate"] == 0.003
    assert config.interpolate()["training"]["seed"] == session.seed
    assert config["initialize"]["vectors"] == str(vectors.resolve())
    assert report.steps == 5
    assert session.nlp.vocab.vectors.n_keys == len(FOODS)


def test_what_is_unknown_is_refused_and_the_model_stays(session):
    before = session.nlp
    with pytest.raises(TrainingError, match=r"no 'training.droput'.*'training.dropout'"):
        session.train(config={"training.droput": 0.1}, progress=False)
    with pytest.raises(TrainingError, match=r"no 'training.droput'"):
        session.train(config={"training.droput": 0.1}, background=True).wait(120)
    assert session.nlp is before
    assert session.model.runs.empty
