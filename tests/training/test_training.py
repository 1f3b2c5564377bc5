"""Training: what is learnt, what is kept, what is left behind."""

import json
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest
import spacy

from nbner.errors import TrainingError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import labels_of, load_base
from nbner.nlp.prediction import predict
from nbner.training.loop import train
from nbner.training.pretrained_start import PretrainedStart

LABELS = ("Action", "Amount", "Reagent")


def weights_of(nlp):
    return [
        node.get_param(name)
        for node in nlp.get_pipe("ner").model.walk()
        for name in node.param_names
    ]


def assert_same_weights(one, other):
    pairs = list(zip(weights_of(one), weights_of(other), strict=True))
    assert pairs
    for a, b in pairs:
        np.testing.assert_array_equal(a, b)


# The generators that spaCy draws from are the global ones.
def seed_both():
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002


def draw_from_both():
    return random.random(), np.random.rand()  # noqa: NPY002


def test_a_small_corpus_is_learnt(trained, dev):
    found = list(predict(trained, dev))
    assert found == [example.spans for example in dev]
    assert labels_of(trained) == LABELS


def test_records_tell_every_step_and_evaluation(run, corpus, dev, tmp_path):
    with train("blank:en", corpus, dev, labels=LABELS, output=tmp_path / "a", max_steps=25,
               eval_frequency=10) as training:  # fmt: skip
        records = list(training)
        result = training.finish()
    assert [one.step for one in records] == list(range(26))
    evaluated = [one for one in records if one.is_best is not None]
    assert [one.step for one in evaluated] == [0, 10, 20]
    assert tuple(evaluated) == result.evaluations
    assert all(one.f is None for one in records if one.is_best is None)
    assert [one.words for one in records] == sorted({one.words for one in records})
    assert [one.seconds for one in records] == sorted(one.seconds for one in records)
    assert all(one.loss > 0 for one in evaluated)
    assert result.best.f == max(one.f or 0.0 for one in evaluated)
    assert result.stopped == "max steps"
    assert result.steps == 26
    assert (result.n_train, result.n_dev, result.dev_source) == (60, 30, "given")


def test_per_label_scores_come_with_an_evaluation(finished):
    best = finished.best
    assert set(best.per_label) <= set(LABELS)
    assert all(set(one) == {"p", "r", "f"} for one in best.per_label.values())


def test_the_base_is_not_touched(run, trained, corpus):
    before = fingerprint(trained)
    new = [*corpus, *([corpus[0]] * 3)]
    result = run(trained, new, seed=5, max_steps=4)
    assert fingerprint(trained) == before
    assert result.fingerprint != before
    assert result.record["base"] == before


def test_the_run_folder_holds_everything(finished, dev):
    result = finished
    folder = result.path.parent
    assert sorted(one.name for one in folder.iterdir()) == [
        "config.cfg",
        "dev.spacy",
        "model-best",
        "record.json",
        "train.spacy",
    ]
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert record["seed"] == 3
    assert record["fingerprint"] == result.fingerprint == fingerprint(spacy.load(result.path))
    assert record["versions"]["spacy"] == spacy.about.__version__
    assert record["labels"] == list(LABELS)
    assert len(record["data"]["fingerprint"]) == 12
    assert record["best"]["f"] == result.best.f
    assert list(predict(result.nlp, dev)) == list(predict(load_base(result.path), dev))


def test_the_same_seed_gives_the_same_weights_to_the_bit(run, finished, tmp_path):
    one = finished
    random.seed(99)
    other = run(seed=3, output=tmp_path / "other")
    third = run(seed=4, output=tmp_path / "third")
    assert_same_weights(one.nlp, other.nlp)
    assert one.fingerprint == other.fingerprint != third.fingerprint
    assert one.record["data"] == other.record["data"]


def test_two_runs_in_turns_do_not_disturb_one_another(finished, corpus, dev, tmp_path):
    options = {"labels": LABELS, "max_steps": 24, "eval_frequency": 12, "seed": 3}
    with (
        train("blank:en", corpus, dev, output=tmp_path / "a", **options) as a,
        train("blank:en", corpus, dev, output=tmp_path / "b", **options) as b,
    ):
        for _ in zip(a, b, strict=True):
            draw_from_both()
        assert a.finish().fingerprint == b.finish().fingerprint == finished.fingerprint


def test_the_notebook_keeps_its_random_numbers(run):
    seed_both()
    expected = draw_from_both()
    seed_both()
    run(max_steps=3)
    assert draw_from_both() == expected


SPACY_TRAIN = [sys.executable, "-m", "spacy", "train"]


def spacy_train(result, output):
    """Run the saved config with spaCy's own command, in a process of its own."""
    config = result.path.parent / "config.cfg"
    subprocess.run([*SPACY_TRAIN, config, "--output", output], check=True, capture_output=True)
    return spacy.load(output / "model-best")


def test_spacy_train_arrives_at_the_same_weights(run, corpus, dev, at_spaces, tmp_path):
    # Some with tokens of their own, which are not the tokenizer's ("E. coli .").
    given = [
        type(one)(one.text, at_spaces(one), one.spans, "accept", pretokenized=True)
        for one in corpus[:20]
    ]
    result = run(examples=[*given, *corpus[20:]], seed=11)
    assert_same_weights(spacy_train(result, tmp_path / "cli"), result.nlp)


def test_spacy_train_takes_the_config_of_a_continued_model(
    run, trained_path, corpus, make_example, tmp_path
):
    new = [make_example([("Shake", "Action"), ("the", None), ("tube", "Device")])]
    labels = (*LABELS, "Device")
    result = run(trained_path, [*corpus, *new], labels=labels)
    assert labels_of(spacy_train(result, tmp_path / "cli")) == tuple(sorted(labels))


def test_another_label_is_learnt_on_top(run, trained_path, corpus, make_example):
    labels = (*LABELS, "Device")
    old = [type(one)(one.text, spans=one.spans, answer="accept") for one in corpus]
    new = [
        make_example(
            [(verb, "Action"), ("the", None), (what, "Device"), ("now .", None)], labels=labels
        )
        for verb in ("Shake", "Open", "Close", "Rinse")
        for what in ("tube", "flask", "beaker", "rotor")
    ]
    result = run(trained_path, [*old, *new], new, labels=labels, max_steps=150)
    assert labels_of(result.nlp) == ("Action", "Amount", "Device", "Reagent")
    [spans] = predict(result.nlp, ["Rinse the rotor now ."])
    assert [span.label for span in spans] == ["Action", "Device"]
    [spans] = predict(result.nlp, ["Add 5 ml of ethanol and wait ."])
    assert [span.label for span in spans] == ["Action", "Amount", "Reagent"]


def test_without_dev_examples_a_share_is_held_out(run, corpus, tmp_path):
    result = run(measured=[], max_steps=2)
    assert (result.n_train, result.n_dev) == (48, 12)
    assert result.dev_source == "held out, 12 of 60, since there are no dev examples"
    again = run(measured=[], output=tmp_path / "again", max_steps=2)
    assert again.record["data"] == result.record["data"]


def test_stopping_keeps_the_best_so_far(corpus, dev, tmp_path):
    with train("blank:en", corpus, dev, labels=LABELS, output=tmp_path / "run",
               eval_frequency=10) as training:  # fmt: skip
        for record in training:
            if record.step == 25:
                break
        result = training.finish()
    assert result.stopped == "by hand"
    assert result.best.step in {0, 10, 20}
    assert fingerprint(spacy.load(result.path)) == result.fingerprint


def test_the_stop_button_inside_a_step_keeps_the_best_so_far(corpus, dev, tmp_path):
    pressed = {"step": 0}

    def press(nlp, state):
        if state["step"] == 15:
            pressed.update(state)
            raise KeyboardInterrupt

    spacy.registry.callbacks("press_the_stop_button", func=lambda: press)
    config = {"training": {"before_update": {"@callbacks": "press_the_stop_button"}}}
    with train("blank:en", corpus, dev, labels=LABELS, output=tmp_path / "run",
               eval_frequency=10, config=config) as training:  # fmt: skip
        with pytest.raises(KeyboardInterrupt):
            for _ in training:
                pass
        result = training.finish()
    assert pressed["step"] == 15
    assert result.stopped == "by hand"
    assert result.best.step in {0, 10}
    assert fingerprint(spacy.load(result.path)) == result.fingerprint
    assert (result.path.parent / "record.json").exists()


def test_left_without_finishing_nothing_remains(corpus, dev, tmp_path):
    with train("blank:en", corpus, dev, labels=LABELS, output=tmp_path / "run") as training:
        next(training)
        assert (tmp_path / "run").exists()
    assert list(tmp_path.iterdir()) == []


def test_stopped_before_any_evaluation_there_is_no_model(corpus, dev, tmp_path):
    with (
        train("blank:en", corpus, dev, labels=LABELS, output=tmp_path / "run") as training,
        pytest.raises(TrainingError, match="before its first evaluation"),
    ):
        training.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_other_runs_alone(
    finished, corpus, dev, tmp_path, monkeypatch
):
    old = shutil.copytree(finished.path.parent, tmp_path / "old")

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    with train("blank:en", corpus, dev, labels=LABELS, output=tmp_path / "new") as training:
        monkeypatch.setattr(spacy.language.Language, "to_disk", full)
        with pytest.raises(TrainingError, match="No space left on device"):
            for _ in training:
                pass
    assert [one.name for one in tmp_path.iterdir()] == ["old"]
    assert fingerprint(spacy.load(old / "model-best")) == finished.fingerprint


def test_a_run_does_not_write_over_another(run, finished, tmp_path):
    old = shutil.copytree(finished.path.parent, tmp_path / "run")
    with pytest.raises(TrainingError, match="is there already"):
        run(output=tmp_path / "run")
    assert fingerprint(spacy.load(old / "model-best")) == finished.fingerprint


def test_one_label_only_is_fine(run, make_example):
    examples = [
        make_example([("Eat", None), (what, "Food"), ("now", None)], labels=("Food",))
        for what in ("bread", "rice", "soup", "pie", "kale", "figs")
    ]
    result = run(examples=examples, measured=examples, labels=("Food",), max_steps=60)
    assert labels_of(result.nlp) == ("Food",)
    [spans] = predict(result.nlp, ["Eat rice now"])
    assert [(one.start, one.end, one.label) for one in spans] == [(4, 8, "Food")]


def test_one_example_is_enough_to_train(run, corpus):
    result = run(examples=corpus[:1], measured=[])
    assert result.dev_source.startswith("the training examples themselves")


@pytest.mark.parametrize(
    ("answers", "message"),
    [([], "no example"), (["reject", "ignore", None], "no example")],
)
def test_nothing_accepted_is_an_error(run, make_example, answers, message, tmp_path):
    examples = [make_example([("Add", "Action"), ("it", None)], answer=one) for one in answers]
    with pytest.raises(TrainingError, match=message):
        run(examples=examples, measured=[])
    assert list(tmp_path.iterdir()) == []


def test_no_entity_at_all_is_an_error(run, make_example):
    with pytest.raises(TrainingError, match="2 accepted examples, and no entity in any of them"):
        run(examples=[make_example([("nothing here", None)])] * 2, measured=[])


def test_a_label_that_the_session_does_not_know_is_an_error(run, corpus):
    with pytest.raises(TrainingError, match=r"Reagent.*labels="):
        run(labels=("Action", "Amount"))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_numpy_does_not_take_is_an_error(run, seed, tmp_path):
    with pytest.raises(TrainingError, match="seed"):
        run(seed=seed)
    assert list(tmp_path.iterdir()) == []


# Overrides of the config.


@pytest.fixture
def vectors_path(tmp_path):
    nlp = spacy.blank("en")
    draw = np.random.default_rng(0)
    for word in ("Add", "Pour", "Mix", "water", "salt", "ethanol", "flask", "the"):
        nlp.vocab.set_vector(word, draw.normal(size=16).astype("float32"))
    nlp.to_disk(tmp_path / "vectors")
    return tmp_path / "vectors"


def test_spacy_train_arrives_at_the_same_weights_with_overrides(run, vectors_path, tmp_path):
    result = run(
        seed=5,
        dropout=0.3,
        max_steps=14,
        eval_frequency=None,
        vectors=vectors_path,
        config={
            "training.optimizer.learn_rate": 0.005,
            "training": {"eval_frequency": 7},
            "components.ner.model.hidden_width": 32,
        },
    )
    own = spacy.util.load_config(result.path.parent / "config.cfg")
    assert own["training"]["dropout"] == pytest.approx(0.3)
    assert own["training"]["max_steps"] == 14
    assert own["training"]["optimizer"]["learn_rate"] == 0.005
    assert [one.step for one in result.evaluations] == [0, 7, 14]
    assert result.nlp.get_pipe("ner").model.get_ref("lower").get_dim("nO") == 32
    assert result.nlp.vocab.vectors.n_keys == 8
    assert_same_weights(spacy_train(result, tmp_path / "cli"), result.nlp)


@pytest.fixture(scope="module")
def tagger_path(tmp_path_factory):
    """Folder of a pipeline with a trained tok2vec that a tagger listens to, and no recognizer."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
    tagger = {"@architectures": "spacy.Tagger.v2", "nO": None, "tok2vec": listener}
    nlp.add_pipe("tagger", config={"model": tagger}).add_label("NN")
    nlp.initialize()
    path = tmp_path_factory.mktemp("tagger") / "model"
    nlp.to_disk(path)
    return path


NOTHING_LEARNT = {
    "training.optimizer": {"learn_rate": 0.0, "use_averages": False},
    "training.eval_frequency": 1,
}


def layers_of(nlp):
    """Return the weights of the layers below the recognizer's own."""
    layers = nlp.get_pipe("ner").model.get_ref("tok2vec").layers[0]
    return [node.get_param(name) for node in layers.walk() for name in node.param_names]


def test_a_recognizer_starts_from_the_layers_of_another(run, trained_path, trained, tmp_path):
    config = {**NOTHING_LEARNT, "components.ner.model.hidden_width": 32}
    result = run(init_from=trained_path, config=config, max_steps=2)
    # Nothing was learnt, so that the layers are still what they began as.
    for own, other in zip(layers_of(result.nlp), layers_of(trained), strict=True):
        np.testing.assert_array_equal(own, other)
    result = run(init_from=trained_path, seed=3, output=tmp_path / "other")
    assert (result.path.parent / "tok2vec.bin").exists()
    own = spacy.util.load_config(result.path.parent / "config.cfg")
    assert own["pretraining"]["component"] == "ner"
    assert_same_weights(spacy_train(result, tmp_path / "cli"), result.nlp)


def test_a_recognizer_starts_from_a_component_of_layers(run, tagger_path):
    result = run(init_from=tagger_path, config=NOTHING_LEARNT, max_steps=2)
    model = spacy.load(tagger_path).get_pipe("tok2vec").model
    wanted = [node.get_param(name) for node in model.walk() for name in node.param_names]
    for own, other in zip(layers_of(result.nlp), wanted, strict=True):
        np.testing.assert_array_equal(own, other)


def test_layers_that_do_not_fit_are_refused_by_name(run, trained_path, vectors_path, tmp_path):
    english, layers = load_base("blank:en"), {"tok2vec": {"encode": {"depth": 2}}}

    def refuse(message, source, base=english, *, continued=False, overrides=()):
        with pytest.raises(TrainingError, match=message):
            PretrainedStart.from_pipeline(
                source, base, "ner", continued=continued, overrides=dict(overrides)
            )

    refuse("init_from='nowhere': there is no model 'nowhere'", "nowhere")
    german = load_base("blank:de")
    refuse("is a pipeline for 'en', and the session's is for 'de'", trained_path, german)
    refuse(r"needs a new recognizer.*scratch", trained_path, continued=True)
    refuse(r"no trained layers.*vectors=", vectors_path)
    refuse("neither a component 'tok2vec'.*new pipeline", "blank:en")
    given = {"components": {"ner": {"model": layers}}}
    refuse(r"sets 'components\.ner\.model\.tok2vec'", trained_path, overrides=given)
    given = {"initialize": {"init_tok2vec": "weights.bin"}}
    refuse(r"sets 'initialize\.init_tok2vec'", trained_path, overrides=given)
    with pytest.raises(TrainingError, match="Leave one of them out"):
        run(init_from=trained_path, vectors=vectors_path)
    assert not (tmp_path / "run").exists()


def test_an_option_goes_before_an_override(run):
    config = {"training": {"dropout": 0.5, "max_steps": 4, "patience": 77}}
    result = run(config=config, dropout=0.2, max_steps=9)
    assert result.steps == 10
    own = spacy.util.load_config(result.path.parent / "config.cfg")
    assert own["training"]["dropout"] == 0.2
    assert own["training"]["patience"] == 77


def test_a_config_file_gives_the_layers_too(run, tmp_path):
    from spacy.cli.init_config import init_config

    config = init_config(lang="en", pipeline=["ner"], optimize="efficiency", gpu=False)
    config["training"]["optimizer"]["learn_rate"] = 0.004
    config["components"]["tok2vec"]["model"]["encode"]["width"] = 64
    config.to_disk(tmp_path / "mine.cfg")
    result = run(config=tmp_path / "mine.cfg", seed=5)
    assert result.nlp.pipe_names == ["tok2vec", "ner"]
    assert result.nlp.get_pipe("tok2vec").model.get_dim("nO") == 64
    assert result.steps == 25
    assert_same_weights(spacy_train(result, tmp_path / "cli"), result.nlp)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"training.max_epoch": 3}, r"no 'training.max_epoch'.*'training.max_epochs'"),
        ({"max_epochs": 3}, r"no 'max_epochs'.*'training.max_epochs'"),
        ({"trainig": {"dropout": 0.1}}, r"no 'trainig'.*'training'"),
        ({"training.optimizer.learnrate": 1}, r"'training.optimizer.learnrate' "),
        ({"components.ner.model.width": 1}, r"'components.ner.model.width' "),
        ({"components.tagger.model": {}}, r"no 'components.tagger'.*'ner'"),
        ({"training.dropout": "much"}, "'training.dropout' "),
        ({"training.optimizer.@optimizers": "Adamant.v1"}, "Adamant.v1"),
        ({"training.seed": 3}, "'training.seed'.*seed="),
        ({"paths.train": "x"}, "'paths.train'.*accepted examples"),
        ({"corpora.train.path": "x"}, "'corpora'"),
        ({"nlp.lang": "de"}, "'nlp.lang' to 'de'.*blank:de"),
        ({"nlp.pipeline": ["tagger"]}, "'nlp.pipeline' without 'ner'"),
        ({"training": 3}, "'training' as a value"),
        ({3: 4}, "the key 3"),
        (3, "neither a mapping nor a path"),
        ("nothing.cfg", "no config file 'nothing.cfg'"),
    ],
)
def test_an_override_that_fits_nothing_is_refused_by_name(run, tmp_path, config, message):
    with pytest.raises(TrainingError, match=message):
        run(config=config)
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_no_config_is_refused(run, tmp_path):
    (tmp_path / "bad.cfg").write_text("[training\nx = \n", encoding="utf-8")
    with pytest.raises(TrainingError, match="not a spaCy config"):
        run(config=tmp_path / "bad.cfg")


def test_layers_of_a_trained_recognizer_cannot_be_changed(run, trained_path, vectors_path):
    with pytest.raises(TrainingError, match=r"'components.ner'.*scratch"):
        run(trained_path, config={"components.ner.model.hidden_width": 8})
    with pytest.raises(TrainingError, match=r"vectors= needs a new recognizer.*scratch"):
        run(trained_path, vectors=vectors_path)


def test_a_trained_recognizer_takes_settings_of_training(run, trained_path, tmp_path):
    result = run(trained_path, config={"training.optimizer.learn_rate": 0.0003}, dropout=0.4)
    assert_same_weights(spacy_train(result, tmp_path / "cli"), result.nlp)


@pytest.mark.parametrize("name", ["no_such_package", "folder"])
def test_vectors_that_are_not_there_are_an_error(run, tmp_path, name):
    with pytest.raises(TrainingError, match="there are no vectors"):
        run(vectors=tmp_path / name)


def test_a_pipeline_without_vectors_is_an_error(run, trained_path):
    with pytest.raises(TrainingError, match="no word vectors"):
        run(vectors=trained_path)


@pytest.mark.parametrize(
    "options", [{"dropout": 1.0}, {"dropout": -0.1}, {"max_steps": -1}, {"patience": -1}]
)
def test_an_option_out_of_range_is_an_error(run, options):
    with pytest.raises(TrainingError, match=next(iter(options))):
        run(**options)
