"""Transfer: only the last layer, from scratch after all, more labels, rehearsal."""

import numpy as np
import pytest

from nbner.errors import ModelError, TrainingError
from nbner.nlp.pipeline import is_trained, labels_of, load_base, recognizer_of
from nbner.nlp.prediction import predict
from nbner.training.freezing import check_frozen, frozen_weights, output_layer_ids
from nbner.training.initialization import pseudo_rehearsal_examples, reset_ner, resize_ner
from nbner.training.loop import train

LABELS = ("Action", "Amount", "Reagent")


def test_only_the_last_layer_moves(run, trained, corpus, make_example):
    name, recognizer = recognizer_of(trained)
    more = [make_example([("Add", "Action"), ("a beaker", "Vessel"), (".", None)], labels=None)] * 9
    labels = (*LABELS, "Vessel")
    result = run(trained, [*corpus, *more], freeze=True, labels=labels)
    before, after = frozen_weights(trained, name), frozen_weights(result.nlp, name)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[place], after[place]) for place in before)
    moved = result.nlp.get_pipe(name).model.get_ref("upper").get_param("W")
    assert not np.array_equal(moved[:5], recognizer.model.get_ref("upper").get_param("W")[:5])
    assert result.record["last_layer"]
    assert "Vessel" in labels_of(result.nlp)


def test_a_weight_that_moved_is_noticed(trained_path):
    nlp = load_base(trained_path)
    before = frozen_weights(nlp, "ner")
    check_frozen(before, nlp, "ner")
    lower = nlp.get_pipe("ner").model.get_ref("lower")
    lower.set_param("b", lower.get_param("b") + 1)
    with pytest.raises(TrainingError, match="other weights have moved"):
        check_frozen(before, nlp, "ner")


def test_the_last_layer_of_nothing_cannot_be_trained(corpus, dev, tmp_path):
    with pytest.raises(TrainingError, match=r"session\.train\(\) first"):
        train("blank:en", corpus, dev, labels=LABELS, output=tmp_path / "run", freeze=True)
    assert not (tmp_path / "run").exists()


def test_from_scratch_forgets_what_was_learnt(trained, run):
    fresh = reset_ner(trained)
    assert not is_trained(fresh)
    assert is_trained(trained)
    assert fresh.pipe_names == trained.pipe_names
    result = run(fresh, max_steps=20)
    assert result.evaluations[0].f < 0.5


def test_a_blank_pipeline_has_nothing_to_forget():
    blank = load_base("blank:en")
    assert reset_ner(blank) is blank


def test_room_for_a_label_changes_no_prediction(trained, dev):
    grown = resize_ner(trained, ["Vessel"])
    assert labels_of(grown) == tuple(sorted((*LABELS, "Vessel")))
    assert labels_of(trained) == LABELS
    spans = [set(found) for found in predict(grown, dev)]
    assert spans == [set(found) for found in predict(trained, dev)]
    assert len(output_layer_ids(grown, "ner")) == 1


def test_no_room_without_a_recognizer():
    import spacy

    with pytest.raises(ModelError, match="no entity recognizer"):
        resize_ner(spacy.blank("en"), ["X"])


def test_rehearsal_keeps_what_the_model_says(trained, dev):
    found = pseudo_rehearsal_examples(trained, dev, ["Action", "Vessel"], size=5, seed=0)
    assert len(found) == 5
    assert {span.label for one in found for span in one.spans} == {"Action"}
    assert {one.labels for one in found} == {("Action",)}


def test_rehearsed_examples_are_learnt_and_not_measured(run, trained, corpus, dev):
    result = run(
        trained,
        corpus[:20],
        (),
        rehearsal_examples=pseudo_rehearsal_examples(trained, dev, LABELS, size=7, seed=0),
    )
    assert result.n_train == 16 + 7
    assert result.n_dev == 4
